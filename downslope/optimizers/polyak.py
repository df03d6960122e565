"""Stochastic Polyak step: as far as the loss itself says."""

from typing import NamedTuple

import jax.numpy as jnp

from downslope.core import tree
from downslope.core.about import AboutOptimizer, Paper, Range
from downslope.core.record import hyper
from downslope.core.types import Number, Params
from downslope.optimizers.base import Here, Optimizer, required


class State(NamedTuple):
    """Nothing is remembered."""


class Polyak(Optimizer):
    """Chooses each step so that, were the loss a straight line, it would arrive at the lowest possible loss, which has to be
    known: `lowest`. The learning rate is the longest step allowed.

    Use it when the model can fit every example, so that no rate need be tuned.
    Not on noisy targets: it steps too far, and the learning rate, which here is the longest step allowed, has to hold it
    back.

    >>> from downslope.optimizers.base import Here
    >>> import jax
    >>> params, look = jnp.array([3.0]), jax.value_and_grad(lambda p: jnp.sum(p**2))
    >>> loss, gradient = look(params)
    >>> polyak = Polyak(learning_rate=10.0)
    >>> polyak.update(gradient, polyak.init(params), params, Here(loss, jax.random.key(0), look))[0]
    Array([-3.], dtype=float32)
    """

    about = AboutOptimizer(
        title="Stochastic Polyak step",
        family="plain",
        equation=r"\Delta_t = -\min\left( \frac{f_t(\theta) - f^*}{c \, \lVert g_t \rVert^2},\; \alpha \right) g_t",
        source=Paper(
            "Loizou, Vaswani, Laradji and Lacoste-Julien",
            2021,
            "Stochastic Polyak Step-size for SGD: An Adaptive Learning Rate for Fast Convergence",
            "https://arxiv.org/abs/2002.10542",
        ),
        aliases=("stochastic_polyak", "sps"),
        differs={
            "optax": "has c = 1, the value for convex losses, and may step uphill when the loss is below its lower bound.",
        },
    )

    learning_rate: Number = hyper(default=1.0, above=0.0, search=Range(1e-2, 10.0, "log"), doc="Longest step size.")
    c: Number = hyper(default=0.5, above=0.0, search=Range(0.2, 5.0, "log"), doc="Caution; 0.5 lands where a square is lowest.")
    lowest: Number = hyper(default=0.0, doc="The lowest loss that a batch can have.")

    def init(self, params: Params) -> State:
        del params
        return State()

    def update(
        self, gradient: Params, state: State, params: Params | None = None, here: Here | None = None
    ) -> tuple[Params, State]:
        del params
        here = required(here, "here", self.name)
        gradient = tree.widen(gradient)
        steepness = self.c * tree.dot(gradient, gradient)
        gap = jnp.maximum(jnp.asarray(here.loss, steepness.dtype) - self.lowest, 0)
        flat = steepness <= 0
        size = jnp.where(flat, 0, jnp.minimum(gap / jnp.where(flat, 1, steepness), self.learning_rate))
        return tree.typed_as(gradient, tree.scale(-size, gradient)), state
