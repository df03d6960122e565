"""Adadelta: steps as large as the recent steps, in proportion to the gradient's recent size."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, PyTree

from downslope.core import tree
from downslope.core.about import AboutOptimizer, Paper, Range
from downslope.core.record import hyper
from downslope.core.types import Number, Params
from downslope.optimizers.base import Here, Optimizer


class State(NamedTuple):
    """Running mean of the squared gradient, running mean of the squared step before the learning rate."""

    square: PyTree
    moved: PyTree


class Adadelta(Optimizer):
    """Multiplies RMSprop's step by the size of its own recent steps, so the units of the parameters come out right and the
    learning rate could be left at 1.

    Use it when no learning rate is to be chosen and time is plentiful.
    Not on short budgets: its first steps are as small as the root of `epsilon`, and others are far ahead.

    >>> adadelta = Adadelta(learning_rate=1.0, decay=0.75, epsilon=1.0)
    >>> adadelta.update(jnp.array([2.0]), adadelta.init(jnp.zeros(1)))[0]
    Array([-1.4142135], dtype=float32)
    """

    about = AboutOptimizer(
        title="Adadelta",
        family="adaptive",
        equation=r"""v_t = \rho \, v_{t-1} + (1-\rho) \, g_t^2,\quad d_t = \frac{\sqrt{x_{t-1} + \epsilon}}{\sqrt{v_t +
                     \epsilon}} \, g_t,\quad x_t = \rho \, x_{t-1} + (1-\rho) \, d_t^2,\quad \Delta_t = -\alpha \, d_t""",
        source=Paper("Zeiler", 2012, "ADADELTA: An Adaptive Learning Rate Method", "https://arxiv.org/abs/1212.5701"),
        differs={
            "PyTorch": "`Adadelta` has the same rule and defaults.",
            "optax": "adadelta() without a learning rate climbs: the sign of its step is lost.",
            "Keras": "learning_rate defaults to 0.001, which slows the published rule down a thousandfold.",
        },
    )

    learning_rate: Number = hyper(
        default=1.0, above=0.0, search=Range(3e-2, 3e1, "log"), doc="Step size; 1 is the published rule."
    )
    decay: Number = hyper(default=0.9, at_least=0.0, below=1.0, search=Range(0.8, 0.99), doc="Memory of both running means.")
    epsilon: Number = hyper(default=1e-6, above=0.0, search=Range(1e-8, 1e-3, "log"), doc="Size of the first steps, squared.")

    def init(self, params: Params) -> State:
        return State(tree.zeros_like(params), tree.zeros_like(params))

    def update(
        self, gradient: Params, state: State, params: Params | None = None, here: Here | None = None
    ) -> tuple[Params, State]:
        del params, here
        gradient = tree.widen(gradient)
        square = tree.blend(state.square, tree.map(jnp.square, gradient), keep=self.decay)

        def step(x: Array, v: Array, g: Array) -> Number:
            return jnp.sqrt(x + self.epsilon) / jnp.sqrt(v + self.epsilon) * g

        move = tree.map(step, state.moved, square, gradient)
        moved = tree.blend(state.moved, tree.map(jnp.square, move), keep=self.decay)
        return tree.typed_as(square, tree.scale(-self.learning_rate, move)), State(square, moved)
