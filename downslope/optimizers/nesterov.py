"""Nesterov: momentum that looks ahead to where it is about to be."""

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


class Nesterov(Optimizer):
    """Momentum whose gradient is taken where the momentum is about to carry the parameters, so it brakes before a slope
    rises. As cheap as momentum and steadier at large `momentum`. The parameters seen from outside are the ones that look
    ahead.

    Use it in long valleys, when momentum overshoots.
    Not in hope of much with noisy mini-batches: there the difference from `momentum` is small.

    >>> ball = Nesterov(learning_rate=1.0, momentum=0.5)
    >>> ball.update(jnp.ones(1), ball.init(jnp.zeros(1)))[0]
    Array([-1.5], dtype=float32)
    """

    about = AboutOptimizer(
        title="Nesterov momentum",
        family="momentum",
        equation=r"b_t = \mu \, b_{t-1} + g_t,\quad \Delta_t = -\alpha \, (g_t + \mu \, b_t)",
        source=Paper(
            "Sutskever, Martens, Dahl and Hinton",
            2013,
            "On the importance of initialization and momentum in deep learning",
            "https://proceedings.mlr.press/v28/sutskever13.html",
        ),
        aliases=("nag", "nesterov_momentum"),
        differs={
            "optax": "`sgd(momentum=..., nesterov=True)` has the same rule.",
            "Keras": "stores the velocity multiplied by the learning rate, which differs as soon as the rate changes.",
            "scikit-learn": "MLPClassifier and MLPRegressor store the velocity multiplied by the learning rate.",
            "PyTorch": "torch.optim.SGD(nesterov=True) has the same rule.",
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
        gradient = tree.widen(gradient)

        def gather(b: Array, g: Array) -> Array:
            return jnp.asarray(self.momentum * b + g, b.dtype)

        def change(b: Array, g: Array) -> Number:
            return -self.learning_rate * (g + self.momentum * b)

        velocity = tree.map(gather, state.velocity, gradient)
        return tree.typed_as(velocity, tree.map(change, velocity, gradient)), State(velocity)
