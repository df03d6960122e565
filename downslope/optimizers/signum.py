"""Signum: the sign of a running mean of the gradient."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import PyTree

from downslope.core import tree
from downslope.core.about import AboutOptimizer, Paper, Range
from downslope.core.record import hyper
from downslope.core.types import Number, Params
from downslope.optimizers.base import Here, Optimizer


class State(NamedTuple):
    """Running mean of the gradient."""

    mean: PyTree


class Signum(Optimizer):
    """Moves every parameter by the learning rate against the sign of its mean gradient. With momentum 0 it is sign descent.

    Use it on many machines that can send only one bit for each parameter.
    Not at a constant rate to the end: its steps never shrink by themselves.

    >>> signum = Signum(learning_rate=0.25)
    >>> signum.update(jnp.array([3.0, -0.01]), signum.init(jnp.zeros(2)))[0]
    Array([-0.25,  0.25], dtype=float32)
    """

    about = AboutOptimizer(
        title="Signum",
        family="sign",
        equation=r"m_t = \beta \, m_{t-1} + (1-\beta) \, g_t,\quad \Delta_t = -\alpha \, \operatorname{sign}(m_t)",
        source=Paper(
            "Bernstein, Wang, Azizzadenesheli and Anandkumar",
            2018,
            "signSGD: Compressed Optimisation for Non-Convex Problems",
            "https://arxiv.org/abs/1802.04434",
        ),
        aliases=("sign_momentum",),
        differs={
            "optax": "has the same rule.",
        },
    )

    learning_rate: Number = hyper(default=1e-4, above=0.0, search=Range(1e-5, 1e-2, "log"), doc="Step size.")
    momentum: Number = hyper(
        default=0.9, at_least=0.0, below=1.0, search=Range(0.5, 0.99), doc="Share of the mean that survives an update."
    )

    def init(self, params: Params) -> State:
        return State(tree.zeros_like(params))

    def update(
        self, gradient: Params, state: State, params: Params | None = None, here: Here | None = None
    ) -> tuple[Params, State]:
        del params, here
        mean = tree.blend(state.mean, tree.widen(gradient), keep=self.momentum)
        return tree.typed_as(mean, tree.map(lambda m: -self.learning_rate * jnp.sign(m), mean)), State(mean)
