"""RMSprop: divides each gradient by its recent size."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, PyTree

from downslope.core import tree
from downslope.core.about import AboutOptimizer, Paper, Range
from downslope.core.record import choice, hyper
from downslope.core.types import Number, Params
from downslope.optimizers.base import Here, Optimizer


class State(NamedTuple):
    """Running mean of the squared gradient; running mean of the gradient when centered, else nothing."""

    square: PyTree
    mean: PyTree


class Rmsprop(Optimizer):
    """Divides each gradient by the root of its running mean square, so every parameter moves at about the same speed.

    Use it when gradients differ in size or drift, with half of Adam's memory.
    Not when the first steps have to be careful: the running mean starts at zero and is not corrected for it, so they are
    longer than the later ones.

    >>> rmsprop = Rmsprop(learning_rate=0.1, decay=0.75)
    >>> rmsprop.update(jnp.array([3.0, -30.0]), rmsprop.init(jnp.zeros(2)))[0]
    Array([-0.2,  0.2], dtype=float32)
    """

    about = AboutOptimizer(
        title="RMSprop",
        family="adaptive",
        equation=r"v_t = \rho \, v_{t-1} + (1-\rho) \, g_t^2,\quad \Delta_t = -\alpha \, \frac{g_t}{\sqrt{v_t} + \epsilon}",
        source=Paper(
            "Tieleman and Hinton",
            2012,
            "Lecture 6.5, RMSprop: divide the gradient by a running average of its recent magnitude",
            "https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf",
        ),
        default=True,
        differs={
            "PyTorch": "decay (alpha) defaults to 0.99.",
            "Keras": "adds epsilon inside the root and defaults it to 1e-7: choose epsilon_inside.",
            "optax": "adds epsilon inside the root unless eps_in_sqrt=False: choose epsilon_inside.",
        },
    )

    learning_rate: Number = hyper(default=1e-3, above=0.0, search=Range(1e-4, 1e-1, "log"), doc="Step size.")
    decay: Number = hyper(default=0.9, at_least=0.0, below=1.0, search=Range(0.8, 0.999), doc="Memory of the mean square.")
    epsilon: Number = hyper(default=1e-8, above=0.0, doc="Keeps the division finite.")
    centered: bool = choice(default=False, options=(False, True), doc="Divide by the deviation instead of the mean square.")
    epsilon_inside: bool = choice(default=False, options=(False, True), doc="Add epsilon under the root, not after it.")

    def init(self, params: Params) -> State:
        return State(tree.zeros_like(params), tree.zeros_like(params) if self.centered else ())

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

        def change(v: Array, g: Array) -> Number:
            size = jnp.sqrt(v + self.epsilon) if self.epsilon_inside else jnp.sqrt(v) + self.epsilon
            return -self.learning_rate * g / size

        return tree.typed_as(square, tree.map(change, spread, gradient)), State(square, mean)
