"""Momentum: a heavy ball, whose velocity is a fading sum of the gradients."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, PyTree

from downslope.core import tree
from downslope.core.about import AboutOptimizer, Paper, Range
from downslope.core.record import hyper
from downslope.core.types import Number, Params
from downslope.optimizers.base import Here, Optimizer


class State(NamedTuple):
    """Fading sum of the gradients, without the learning rate."""

    velocity: PyTree


class Momentum(Optimizer):
    """Adds up past gradients with fading weight, so that directions which agree gather speed and those which alternate
    cancel. Much faster than plain descent in long valleys, at the price of one number per parameter.

    Use it in long valleys, where plain steps zigzag.
    Not at plain descent's rate: a steady gradient is in the end multiplied by 1 / (1 - momentum), so the rate wants to be
    smaller.

    >>> ball = Momentum(learning_rate=1.0, momentum=0.5)
    >>> state = ball.init(jnp.zeros(1))
    >>> for _ in range(3):
    ...     change, state = ball.update(jnp.ones(1), state)
    >>> change
    Array([-1.75], dtype=float32)
    """

    about = AboutOptimizer(
        title="Momentum (heavy ball)",
        family="momentum",
        equation=r"b_t = \mu \, b_{t-1} + g_t,\quad \Delta_t = -\alpha \, b_t",
        source=Paper(
            "Polyak",
            1964,
            "Some methods of speeding up the convergence of iteration methods",
            "https://doi.org/10.1016/0041-5553(64)90137-5",
        ),
        aliases=("heavy_ball",),
        default=True,
        differs={
            "optax": "`sgd(momentum=...)` has the same rule.",
            "Keras": "stores the velocity multiplied by the learning rate, which differs as soon as the rate changes.",
            "scikit-learn": "MLPClassifier and MLPRegressor store the velocity multiplied by the learning rate.",
            "PyTorch": "torch.optim.SGD has the same rule; its dampening is left out here.",
        },
    )

    learning_rate: Number = hyper(default=0.01, above=0.0, search=Range(3e-4, 3e-1, "log"), doc="Step size.")
    momentum: Number = hyper(
        default=0.9, at_least=0.0, below=1.0, search=Range(0.5, 0.99), doc="Share of the velocity that survives an update."
    )

    def init(self, params: Params) -> State:
        return State(tree.zeros_like(params))

    def update(
        self, gradient: Params, state: State, params: Params | None = None, here: Here | None = None
    ) -> tuple[Params, State]:
        del params, here

        def gather(b: Array, g: Array) -> Array:
            return jnp.asarray(self.momentum * b + g, b.dtype)

        velocity = tree.map(gather, state.velocity, tree.widen(gradient))
        return tree.typed_as(velocity, tree.scale(-self.learning_rate, velocity)), State(velocity)
