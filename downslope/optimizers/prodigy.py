"""Prodigy: Adam that finds its own step size from how far it has come."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PyTree

from downslope.core import tree
from downslope.core.about import AboutOptimizer, Paper, Range
from downslope.core.record import choice, hyper
from downslope.core.types import Mask, Number, Params
from downslope.optimizers.base import Here, Optimizer, filled, required


class State(NamedTuple):
    """Updates so far, the first parameters, two running means as in Adam, and what estimates the distance to go."""

    step: Int[Array, ""]
    start: PyTree
    mean: PyTree
    square: PyTree
    summed: PyTree
    gained: Float[Array, ""]
    distance: Float[Array, ""]


class Prodigy(Optimizer):
    """Adam whose step size is an estimate of the distance from the start to the solution, which only grows. The learning rate
    is a factor on it and is meant to stay at 1. Only matrices of weights decay, unless `decayed` says everything.

    Use it when nothing may be tuned.
    Not when a search can be paid for: a tuned Adam is usually at least as good, at half the memory.

    >>> prodigy = Prodigy()
    >>> params = jnp.array([1.0])
    >>> change, state = prodigy.update(jnp.array([3.0]), prodigy.init(params), params)
    >>> float(state.distance) == float(jnp.float32(1e-6))  # nothing is known before the first step is taken
    True
    """

    about = AboutOptimizer(
        title="Prodigy",
        family="adaptive",
        equation=r"""m_t = \beta_1 m_{t-1} + (1-\beta_1) d_t g_t,\quad v_t = \beta_2 v_{t-1} + (1-\beta_2) d_t^2 g_t^2,\quad
                     r_t = \sqrt{\beta_2} \, r_{t-1} + \alpha \tfrac{d_t^2}{d_0} \langle g_t, \theta_0 - \theta_t
                     \rangle,\quad s_t = \sqrt{\beta_2} \, s_{t-1} + \alpha \tfrac{d_t^2}{d_0} g_t,\quad d_{t+1} =
                     \max\!\left( d_t, c \, \tfrac{r_t}{\lVert s_t \rVert_1} \right),\quad \Delta_t = -\alpha \, d_t \left(
                     \frac{m_t}{\sqrt{v_t} + d_{t+1} \epsilon} + \lambda \theta_t \right)""",
        source=Paper(
            "Mishchenko and Defazio",
            2024,
            "Prodigy: An Expeditiously Adaptive Parameter-Free Learner",
            "https://arxiv.org/abs/2306.06101",
        ),
        differs={"optax": "always corrects for the start at zero: choose correction. The authors' code leaves it off."},
    )

    learning_rate: Number = hyper(
        default=1.0, above=0.0, search=Range(3e-2, 3e1, "log"), doc="Factor on the estimated step size."
    )
    b1: Number = hyper(default=0.9, at_least=0.0, below=1.0, search=Range(0.8, 0.99), doc="Memory of the mean.")
    b2: Number = hyper(default=0.999, above=0.0, below=1.0, search=Range(0.9, 0.9999), doc="Memory of the square.")
    epsilon: Number = hyper(default=1e-8, above=0.0, doc="Keeps the division finite.")
    growth: Number = hyper(default=1.0, above=0.0, search=Range(0.5, 2.0, "log"), doc="Factor on the estimated distance.")
    first_distance: Number = hyper(default=1e-6, above=0.0, doc="The estimate before anything is known.")
    weight_decay: Number = hyper(
        default=0.0, at_least=0.0, search=Range(1e-4, 1.0, "log"), doc="Share by which weights shrink, times the step size."
    )
    decayed: Mask = choice(
        default="weights",
        options=("weights", "everything"),
        or_function=True,
        doc="What shrinks: matrices of weights alone, or biases too.",
    )
    correction: bool = choice(default=False, options=(False, True), doc="Correct the running means for their start at zero.")

    def init(self, params: Params) -> State:
        number, zeros = tree.number_type(params), tree.zeros_like(params)
        distance = jnp.asarray(self.first_distance, number)
        return State(jnp.zeros((), jnp.int32), tree.widen(params), zeros, zeros, zeros, jnp.zeros((), number), distance)

    def update(
        self, gradient: Params, state: State, params: Params | None = None, here: Here | None = None
    ) -> tuple[Params, State]:
        del here
        now = tree.widen(required(params, "params", self.name))
        gradient = tree.widen(gradient)
        step, old = state.step + 1, state.distance
        rate = self.learning_rate * old
        if self.correction:
            rate = rate * jnp.sqrt(filled(self.b2, step)) / filled(self.b1, step)
        slow = jnp.sqrt(jnp.asarray(self.b2, old.dtype))
        weight = old / self.first_distance * rate

        mean = tree.blend(state.mean, tree.scale(old, gradient), keep=self.b1)
        square = tree.blend(state.square, tree.map(lambda g: (old * g) ** 2, gradient), keep=self.b2)
        summed = tree.typed_as(gradient, tree.map(lambda s, g: slow * s + weight * g, state.summed, gradient))
        come = tree.dot(gradient, tree.map(jnp.subtract, state.start, now))
        gained = jnp.asarray(slow * state.gained + weight * come, old.dtype)
        reach = jax.tree.reduce(jnp.add, tree.map(lambda s: jnp.sum(jnp.abs(s)), summed), jnp.zeros((), old.dtype))
        estimate = self.growth * gained / jnp.where(reach > 0, reach, 1)
        distance = jnp.asarray(jnp.where(reach > 0, jnp.maximum(old, estimate), old), old.dtype)

        def change(m: Array, v: Array, p: Array | None) -> Number:
            move = m / (jnp.sqrt(v) + distance * self.epsilon)
            if p is not None:
                move = move + self.weight_decay * p
            return -rate * move

        moves = tree.typed_as(mean, tree.map(change, mean, square, tree.meant(self.decayed, now)))
        return moves, State(step, state.start, mean, square, summed, gained, distance)
