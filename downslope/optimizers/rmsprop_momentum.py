"""RMSprop with momentum: a heavy ball rolling over gradients of equal size."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, PyTree

from downslope.core import tree
from downslope.core.about import AboutOptimizer, Paper, Range
from downslope.core.record import choice, hyper
from downslope.core.types import Number, Params
from downslope.optimizers.base import Here, Optimizer


class State(NamedTuple):
    """Running mean square; running mean when centered, else nothing; fading sum of the steps, without the learning rate."""

    square: PyTree
    mean: PyTree
    velocity: PyTree


class RmspropMomentum(Optimizer):
    """RMSprop whose steps are added up with fading weight, as momentum does with gradients. What deep learning used before
    Adam.

    Use it when RMSprop's steps jitter and adding them up would smooth them.
    Not at RMSprop's own rate: it wants to be smaller by about 1 - momentum.

    >>> rmsprop = RmspropMomentum(learning_rate=0.1, decay=0.75)
    >>> rmsprop.update(jnp.array([3.0, -30.0]), rmsprop.init(jnp.zeros(2)))[0]
    Array([-0.2,  0.2], dtype=float32)
    """

    about = AboutOptimizer(
        title="RMSprop with momentum",
        family="adaptive",
        equation=r"""v_t = \rho \, v_{t-1} + (1-\rho) \, g_t^2,\quad b_t = \mu \, b_{t-1} + \frac{g_t}{\sqrt{v_t} +
                     \epsilon},\quad \Delta_t = -\alpha \, b_t""",
        source=Paper("Graves", 2013, "Generating Sequences With Recurrent Neural Networks", "https://arxiv.org/abs/1308.0850"),
        differs={
            "PyTorch": "`RMSprop(momentum=...)` has the same rule; alpha defaults to 0.99.",
            "Keras": "stores the velocity multiplied by the learning rate, which differs as soon as the rate changes.",
            "optax": "stores the velocity multiplied by the learning rate, and adds epsilon under the root.",
            "Paper": "is centered and adds 1e-4 under the root: choose centered, epsilon_inside and epsilon=1e-4.",
        },
    )

    learning_rate: Number = hyper(default=1e-3, above=0.0, search=Range(3e-5, 3e-2, "log"), doc="Step size.")
    decay: Number = hyper(default=0.9, at_least=0.0, below=1.0, search=Range(0.8, 0.999), doc="Memory of the mean square.")
    momentum: Number = hyper(
        default=0.9, at_least=0.0, below=1.0, search=Range(0.5, 0.99), doc="Share of the velocity that survives an update."
    )
    epsilon: Number = hyper(default=1e-8, above=0.0, doc="Keeps the division finite.")
    centered: bool = choice(default=False, options=(False, True), doc="Divide by the deviation instead of the mean square.")
    epsilon_inside: bool = choice(default=False, options=(False, True), doc="Add epsilon under the root, not after it.")

    def init(self, params: Params) -> State:
        return State(tree.zeros_like(params), tree.zeros_like(params) if self.centered else (), tree.zeros_like(params))

    def update(
        self, gradient: Params, state: State, params: Params | None = None, here: Here | None = None
    ) -> tuple[Params, State]:
        del params, here
        gradient = tree.widen(gradient)
        square = tree.blend(state.square, tree.map(jnp.square, gradient), keep=self.decay)
        mean, spread = (), square
        if self.centered:
            mean = tree.blend(state.mean, gradient, keep=self.decay)
            spread = tree.map(lambda v, m: jnp.maximum(v - m**2, 0), square, mean)  # rounding may leave it below zero

        def gather(b: Array, v: Array, g: Array) -> Number:
            size = jnp.sqrt(v + self.epsilon) if self.epsilon_inside else jnp.sqrt(v) + self.epsilon
            return self.momentum * b + g / size

        velocity = tree.typed_as(square, tree.map(gather, state.velocity, spread, gradient))
        change = tree.typed_as(square, tree.scale(-self.learning_rate, velocity))
        return change, State(square, mean, velocity)
