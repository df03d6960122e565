"""Adagrad: divides each gradient by the size of all gradients so far."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, PyTree

from downslope.core import tree
from downslope.core.about import AboutOptimizer, Paper, Range
from downslope.core.record import choice, hyper
from downslope.core.types import Number, Params
from downslope.optimizers.base import Here, Optimizer


class State(NamedTuple):
    """Sum of the squared gradients so far."""

    square: PyTree


class Adagrad(Optimizer):
    """Divides each gradient by the root of the sum of all its squares so far.

    Use it with sparse features: what is rarely seen keeps a large step.
    Not for long runs: the sum only grows, so the steps shrink like 1 / sqrt(t) and come to a halt.

    >>> adagrad = Adagrad(learning_rate=0.5)
    >>> adagrad.update(jnp.array([3.0, -30.0]), adagrad.init(jnp.zeros(2)))[0]
    Array([-0.5,  0.5], dtype=float32)
    """

    about = AboutOptimizer(
        title="Adagrad",
        family="adaptive",
        equation=r"s_t = s_{t-1} + g_t^2,\quad \Delta_t = -\alpha \, \frac{g_t}{\sqrt{s_t} + \epsilon}",
        source=Paper(
            "Duchi, Hazan and Singer",
            2011,
            "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization",
            "https://jmlr.org/papers/v12/duchi11a.html",
        ),
        differs={
            "PyTorch": "`Adagrad` has the same rule; its `lr_decay` is a schedule's work here.",
            "optax": "starts the sum at 0.1 and adds epsilon under the root: choose initial=0.1 and epsilon_inside.",
            "Keras": "starts the sum at 0.1 and adds epsilon under the root: choose initial=0.1 and epsilon_inside.",
        },
    )

    learning_rate: Number = hyper(default=0.01, above=0.0, search=Range(1e-3, 1.0, "log"), doc="Step size.")
    epsilon: Number = hyper(default=1e-10, above=0.0, doc="Keeps the division finite.")
    initial: Number = hyper(default=0.0, at_least=0.0, doc="What the sum of squares starts at.")
    epsilon_inside: bool = choice(default=False, options=(False, True), doc="Add epsilon under the root, not after it.")

    def init(self, params: Params) -> State:
        return State(tree.full_like(params, self.initial))

    def update(
        self, gradient: Params, state: State, params: Params | None = None, here: Here | None = None
    ) -> tuple[Params, State]:
        del params, here
        gradient = tree.widen(gradient)
        square = tree.map(lambda s, g: s + g**2, state.square, gradient)

        def change(s: Array, g: Array) -> Number:
            size = jnp.sqrt(s + self.epsilon) if self.epsilon_inside else jnp.sqrt(s) + self.epsilon
            return -self.learning_rate * g / size

        return tree.typed_as(square, tree.map(change, square, gradient)), State(square)
