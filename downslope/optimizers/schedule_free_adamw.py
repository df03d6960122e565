"""Schedule-free AdamW: descends with Adam's step sizes, averages, and takes gradients in between."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PyTree

from downslope.core import tree
from downslope.core.about import AboutOptimizer, Paper, Range
from downslope.core.record import choice, hyper
from downslope.core.types import Mask, Number, Params
from downslope.optimizers.base import Here, Optimizer, filled, required


class State(NamedTuple):
    """Updates so far, the descending point, running mean square, sum of the averaging weights, largest rate so far."""

    step: Int[Array, ""]
    descending: PyTree
    square: PyTree
    total: Float[Array, ""]
    largest: Float[Array, ""]


class ScheduleFreeAdamw(Optimizer):
    """AdamW without a schedule: averaging takes the place of both momentum and the falling rate. Predict with the average,
    which `evaluate_at` gives. Give it a constant schedule and a short warm-up; it bears larger rates than AdamW. Only
    matrices of weights decay, unless `decayed` says everything.

    Use it in place of AdamW when the length of a run is not known.
    Not with a falling schedule, whose work the averaging already does.

    >>> free = ScheduleFreeAdamw(learning_rate=0.5)
    >>> params = jnp.array([1.0])
    >>> change, state = free.update(jnp.array([3.0]), free.init(params), params)
    >>> change.round(5), free.evaluate_at(state, params + change).round(5)
    (Array([-0.5], dtype=float32), Array([0.5], dtype=float32))
    """

    about = AboutOptimizer(
        title="Schedule-free AdamW",
        family="averaging",
        equation=r"""v_t = \beta_2 v_{t-1} + (1-\beta_2) g_t^2,\quad z_t = z_{t-1} - \alpha_t \left(
                     \frac{g(y_{t-1})}{\sqrt{v_t / (1-\beta_2^t)} + \epsilon} + \lambda y_{t-1} \right),\quad c_t =
                     \frac{w_t}{\sum_{i \le t} w_i},\; w_t = \max_{i \le t} \alpha_i^2,\quad x_t = (1-c_t)\,x_{t-1} + c_t
                     z_t,\quad y_t = (1-\beta_1)\,z_t + \beta_1\,x_t""",
        source=Paper(
            "Defazio, Yang, Mehta, Mishchenko, Khaled and Cutkosky",
            2024,
            "The Road Less Scheduled",
            "https://arxiv.org/abs/2405.15682",
        ),
        differs={
            "optax": "decays biases too: choose decayed='everything'.",
            "Keras": "weighs all steps equally instead of by the square of the largest rate; has a warm-up of its own inside.",
        },
    )

    learning_rate: Number = hyper(default=2.5e-3, above=0.0, search=Range(1e-4, 1e-1, "log"), doc="Step size.")
    b1: Number = hyper(
        default=0.9,
        above=0.0,
        below=1.0,
        search=Range(0.8, 0.98),
        steady=True,
        doc="Share of the average in the point where gradients are taken.",
    )
    b2: Number = hyper(default=0.999, at_least=0.0, below=1.0, search=Range(0.9, 0.9999), doc="Memory of the square.")
    epsilon: Number = hyper(default=1e-8, above=0.0, doc="Keeps the division finite.")
    weight_decay: Number = hyper(
        default=0.0, at_least=0.0, search=Range(1e-4, 1.0, "log"), doc="Share by which weights shrink, times the learning rate."
    )
    decayed: Mask = choice(
        default="weights",
        options=("weights", "everything"),
        or_function=True,
        doc="What shrinks: matrices of weights alone, or biases too.",
    )

    def init(self, params: Params) -> State:
        zero = jnp.zeros((), tree.number_type(params))
        return State(jnp.zeros((), jnp.int32), tree.widen(params), tree.zeros_like(params), zero, zero)

    def update(
        self, gradient: Params, state: State, params: Params | None = None, here: Here | None = None
    ) -> tuple[Params, State]:
        del here
        blend = tree.widen(required(params, "params", self.name))
        gradient = tree.widen(gradient)
        step = state.step + 1
        square = tree.blend(state.square, tree.map(jnp.square, gradient), keep=self.b2)
        scale = 1 / filled(self.b2, step)
        largest = jnp.maximum(state.largest, jnp.asarray(self.learning_rate, state.largest.dtype))
        total = state.total + largest**2
        newest = largest**2 / total

        def descend(z: Array, g: Array, v: Array, y: Array | None) -> Number:
            move = g / (jnp.sqrt(v * scale) + self.epsilon)
            if y is not None:
                move = move + self.weight_decay * y
            return z - self.learning_rate * move

        descending = tree.typed_as(
            gradient, tree.map(descend, state.descending, gradient, square, tree.meant(self.decayed, blend))
        )

        def change(z_old: Array, z: Array, y: Array) -> Number:
            average = (y - (1 - self.b1) * z_old) / self.b1
            average = (1 - newest) * average + newest * z
            return self.b1 * average + (1 - self.b1) * z - y

        moves = tree.map(change, state.descending, descending, blend)
        return tree.typed_as(gradient, moves), State(step, descending, square, total, largest)

    def evaluate_at(self, state: State, params: Params) -> Params:
        """The average, recovered from the blend and the descending point."""
        average = tree.map(lambda y, z: (y - (1 - self.b1) * z) / self.b1, tree.widen(params), state.descending)
        return tree.typed_as(params, average)
