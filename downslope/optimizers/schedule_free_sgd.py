"""Schedule-free SGD: descends at one point, averages, and takes gradients in between."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from downslope.core import tree
from downslope.core.about import AboutOptimizer, Paper, Range
from downslope.core.record import choice, hyper
from downslope.core.types import Mask, Number, Params
from downslope.optimizers.base import Here, Optimizer, required


class State(NamedTuple):
    """The point that descends, the sum of the averaging weights, the largest learning rate so far."""

    descending: PyTree
    total: Float[Array, ""]
    largest: Float[Array, ""]


class ScheduleFreeSgd(Optimizer):
    """SGD whose noise is averaged away while it runs, so that no schedule has to know when the run ends. Predict with the
    average, which `evaluate_at` gives; the parameters seen while training are a blend. Give it a constant schedule and a
    short warm-up. Only matrices of weights decay, unless `decayed` says everything.

    Use it in place of SGD when the length of a run is not known.
    Not with a falling schedule, whose work the averaging already does.

    >>> free = ScheduleFreeSgd(learning_rate=0.5, b1=0.5)
    >>> params = jnp.array([1.0])
    >>> change, state = free.update(jnp.array([1.0]), free.init(params), params)
    >>> params + change, free.evaluate_at(state, params + change)
    (Array([0.5], dtype=float32), Array([0.5], dtype=float32))
    """

    about = AboutOptimizer(
        title="Schedule-free SGD",
        family="averaging",
        equation=r"""z_t = z_{t-1} - \alpha_t \, (g(y_{t-1}) + \lambda y_{t-1}),\quad c_t = \frac{w_t}{\sum_{i \le t} w_i},\;
                     w_t = \max_{i \le t} \alpha_i^2,\quad x_t = (1-c_t)\,x_{t-1} + c_t z_t,\quad y_t = (1-\beta)\,z_t +
                     \beta\,x_t""",
        source=Paper(
            "Defazio, Yang, Mehta, Mishchenko, Khaled and Cutkosky",
            2024,
            "The Road Less Scheduled",
            "https://arxiv.org/abs/2405.15682",
        ),
        differs={"optax": "decays biases too: choose decayed='everything'."},
    )

    learning_rate: Number = hyper(default=0.1, above=0.0, search=Range(1e-2, 10.0, "log"), doc="Step size.")
    b1: Number = hyper(
        default=0.9,
        above=0.0,
        below=1.0,
        search=Range(0.8, 0.98),
        steady=True,
        doc="Share of the average in the point where gradients are taken.",
    )
    weight_decay: Number = hyper(
        default=0.0, at_least=0.0, search=Range(1e-5, 1e-1, "log"), doc="Share by which weights shrink, times the learning rate."
    )
    decayed: Mask = choice(
        default="weights",
        options=("weights", "everything"),
        or_function=True,
        doc="What shrinks: matrices of weights alone, or biases too.",
    )

    def init(self, params: Params) -> State:
        zero = jnp.zeros((), tree.number_type(params))
        return State(tree.widen(params), zero, zero)

    def update(
        self, gradient: Params, state: State, params: Params | None = None, here: Here | None = None
    ) -> tuple[Params, State]:
        del here
        blend = tree.widen(required(params, "params", self.name))
        gradient = tree.widen(gradient)
        largest = jnp.maximum(state.largest, jnp.asarray(self.learning_rate, state.largest.dtype))
        total = state.total + largest**2
        newest = largest**2 / total

        def descend(z: Array, g: Array, y: Array | None) -> Number:
            if y is not None:
                g = g + self.weight_decay * y
            return z - self.learning_rate * g

        descending = tree.typed_as(gradient, tree.map(descend, state.descending, gradient, tree.meant(self.decayed, blend)))

        def change(z_old: Array, z: Array, y: Array) -> Number:
            average = (y - (1 - self.b1) * z_old) / self.b1
            average = (1 - newest) * average + newest * z
            return self.b1 * average + (1 - self.b1) * z - y

        moves = tree.map(change, state.descending, descending, blend)
        return tree.typed_as(gradient, moves), State(descending, total, largest)

    def evaluate_at(self, state: State, params: Params) -> Params:
        """The average, recovered from the blend and the descending point."""
        average = tree.map(lambda y, z: (y - (1 - self.b1) * z) / self.b1, tree.widen(params), state.descending)
        return tree.typed_as(params, average)
