"""Lion: takes only the sign of its momentum, so every parameter moves by the same amount."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, PyTree

from downslope.core import tree
from downslope.core.about import AboutOptimizer, Paper, Range
from downslope.core.record import choice, hyper
from downslope.core.types import Mask, Number, Params
from downslope.optimizers.base import Here, Optimizer, required


class State(NamedTuple):
    """Running mean of the gradient."""

    mean: PyTree


class Lion(Optimizer):
    """Moves every parameter by exactly the learning rate, in the direction of a blend of the gradient and its running mean.
    Wants a rate three to ten times smaller than Adam's and a larger weight decay. Only matrices of weights decay, unless
    `decayed` says everything.

    Use it with large batches and a schedule that ends at 0, at half of Adam's memory.
    Not with a constant rate or small batches: its steps never shrink by themselves, and the sign of noise is as long as that
    of a slope.

    >>> lion = Lion(learning_rate=0.25, weight_decay=0.0)
    >>> lion.update(jnp.array([3.0, -0.01]), lion.init(jnp.zeros(2)), jnp.zeros(2))[0]
    Array([-0.25,  0.25], dtype=float32)
    """

    about = AboutOptimizer(
        title="Lion",
        family="sign",
        equation=r"""\Delta_t = -\alpha \left( \operatorname{sign}(\beta_1 m_{t-1} + (1-\beta_1) g_t) + \lambda \theta_{t-1}
                     \right),\quad m_t = \beta_2 m_{t-1} + (1-\beta_2) g_t""",
        source=Paper("Chen et al.", 2023, "Symbolic Discovery of Optimization Algorithms", "https://arxiv.org/abs/2302.06675"),
        differs={
            "optax": "decays every parameter unless a mask is given, and weight_decay defaults to 1e-3.",
            "Keras": "decays every parameter: choose decayed='everything'.",
        },
    )

    learning_rate: Number = hyper(default=1e-4, above=0.0, search=Range(1e-5, 1e-2, "log"), doc="Step size.")
    b1: Number = hyper(default=0.9, at_least=0.0, below=1.0, search=Range(0.8, 0.99), doc="Weight of the mean in the direction.")
    b2: Number = hyper(default=0.99, at_least=0.0, below=1.0, search=Range(0.9, 0.9999), doc="Memory of the mean.")
    weight_decay: Number = hyper(
        default=1e-2, at_least=0.0, search=Range(1e-4, 1.0, "log"), doc="Share by which weights shrink, times the learning rate."
    )
    decayed: Mask = choice(
        default="weights",
        options=("weights", "everything"),
        or_function=True,
        doc="What shrinks: matrices of weights alone, or biases too.",
    )

    def init(self, params: Params) -> State:
        return State(tree.zeros_like(params))

    def update(
        self, gradient: Params, state: State, params: Params | None = None, here: Here | None = None
    ) -> tuple[Params, State]:
        del here
        params = required(params, "params", self.name)
        gradient = tree.widen(gradient)

        def change(m: Array, g: Array, p: Array | None) -> Number:
            move = jnp.sign(self.b1 * m + (1 - self.b1) * g)
            if p is not None:
                move = move + self.weight_decay * p
            return -self.learning_rate * move

        moves = tree.map(change, state.mean, gradient, tree.meant(self.decayed, params))
        return tree.typed_as(gradient, moves), State(tree.blend(state.mean, gradient, keep=self.b2))
