"""Yogi: Adam whose divisor forgets only slowly."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Int, PyTree

from downslope.core import tree
from downslope.core.about import AboutOptimizer, Paper, Range
from downslope.core.record import hyper
from downslope.core.types import Number, Params
from downslope.optimizers.base import Here, Optimizer, filled


class State(NamedTuple):
    """Updates so far, running mean of the gradient, slowly changing mean of its square."""

    step: Int[Array, ""]
    mean: PyTree
    square: PyTree


class Yogi(Optimizer):
    """Adam whose mean square moves by a fixed share of the new square, however large the old one is, so a burst of large
    gradients is not forgotten at once and the step does not suddenly grow again.

    Use it in place of Adam when bursts of large gradients upset it.
    Not at Adam's learning rate: it wants a larger one.

    >>> yogi = Yogi(learning_rate=0.1, epsilon=1e-8)
    >>> change, _ = yogi.update(jnp.array([3.0]), yogi.init(jnp.array([0.0])))
    >>> change.round(3)
    Array([-0.1], dtype=float32)
    """

    about = AboutOptimizer(
        title="Yogi",
        family="adaptive",
        equation=r"""m_t = \beta_1 m_{t-1} + (1-\beta_1) g_t,\quad v_t = v_{t-1} - (1-\beta_2) \operatorname{sign}(v_{t-1} -
                     g_t^2) \, g_t^2,\quad \Delta_t = -\alpha \, \frac{m_t / (1-\beta_1^t)}{\sqrt{v_t / (1-\beta_2^t)} +
                     \epsilon}""",
        source=Paper(
            "Zaheer, Reddi, Sachan, Kale and Kumar",
            2018,
            "Adaptive Methods for Nonconvex Optimization",
            "https://papers.nips.cc/paper/8186-adaptive-methods-for-nonconvex-optimization",
        ),
        differs={
            "Paper": "corrects neither running mean for its start; the authors' TensorFlow code corrects both, as here.",
            "optax": "has the same rule.",
        },
    )

    learning_rate: Number = hyper(default=1e-2, above=0.0, search=Range(1e-3, 1.0, "log"), doc="Step size.")
    b1: Number = hyper(default=0.9, at_least=0.0, below=1.0, search=Range(0.8, 0.99), doc="Memory of the mean.")
    b2: Number = hyper(default=0.999, at_least=0.0, below=1.0, search=Range(0.9, 0.9999), doc="Memory of the square.")
    epsilon: Number = hyper(
        default=1e-3, above=0.0, search=Range(1e-8, 1e-2, "log"), doc="Keeps the division from growing steps."
    )
    initial: Number = hyper(default=1e-6, at_least=0.0, doc="What both running means start at.")

    def init(self, params: Params) -> State:
        start = tree.full_like(params, self.initial)
        return State(jnp.zeros((), jnp.int32), start, start)

    def update(
        self, gradient: Params, state: State, params: Params | None = None, here: Here | None = None
    ) -> tuple[Params, State]:
        del params, here
        gradient = tree.widen(gradient)
        step = state.step + 1
        mean = tree.blend(state.mean, gradient, keep=self.b1)
        square = tree.map(lambda v, g: v - (1 - self.b2) * jnp.sign(v - g**2) * g**2, state.square, gradient)
        square = tree.typed_as(mean, square)
        rate, scale = self.learning_rate / filled(self.b1, step), 1 / filled(self.b2, step)

        def change(m: Array, v: Array) -> Number:
            return -rate * m / (jnp.sqrt(v * scale) + self.epsilon)

        return tree.typed_as(mean, tree.map(change, mean, square)), State(step, mean, square)
