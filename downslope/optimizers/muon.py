"""Muon: turns the momentum of each matrix into the nearest rotation before stepping."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PyTree

from downslope.core import tree
from downslope.core.about import AboutOptimizer, Paper, Range
from downslope.core.record import choice, hyper
from downslope.core.types import Number, Params
from downslope.optimizers.base import Here, Optimizer, filled, required

# A polynomial that lifts small singular values fastest in five rounds; it ends near 1, not at 1. From the author's page.
STRAIGHT, CUBED, FIFTH = 3.4445, -4.7750, 2.0315
TINY = 1e-7  # keeps the first division finite


class State(NamedTuple):
    """Updates so far; fading sum of the gradients of a matrix, or the two running means of Adam for anything else."""

    step: Int[Array, ""]
    mean: PyTree
    square: PyTree


def orthogonal(matrix: Float[Array, "*batch rows columns"]) -> Float[Array, "*batch rows columns"]:
    """About the nearest matrix whose singular values are all 1, by five Newton-Schulz rounds."""
    tall = matrix.shape[-2] > matrix.shape[-1]
    x = jnp.swapaxes(matrix, -2, -1) if tall else matrix  # the small side first: its square is what is multiplied
    x = x / (jnp.sqrt(jnp.sum(x**2, (-2, -1), keepdims=True)) + TINY)
    for _ in range(5):
        square = x @ jnp.swapaxes(x, -2, -1)
        x = STRAIGHT * x + (CUBED * square + FIFTH * square @ square) @ x
    return jnp.swapaxes(x, -2, -1) if tall else x


class Muon(Optimizer):
    """Steps along all directions of a weight matrix equally, where others follow the few that dominate the gradient; costs a
    few matrix products for each matrix. Biases and everything that is no matrix take Adam's steps at the same rate, which
    fits because matrix steps are scaled to the size of Adam's. Only matrices decay.

    Use it on the hidden layers of large nets.
    Not where the input and output layers do most of the work: they are better left to Adam, and here all matrices are treated
    alike.

    >>> muon = Muon(learning_rate=0.1, weight_decay=0.0)
    >>> params = jnp.zeros((2, 2))
    >>> change, _ = muon.update(jnp.array([[3.0, 0.0], [0.0, 1.0]]), muon.init(params), params)
    >>> change.round(3)
    Array([[-0.021, -0.   ],
           [-0.   , -0.032]], dtype=float32)
    """

    about = AboutOptimizer(
        title="Muon",
        family="layerwise",
        equation=r"""B_t = \mu B_{t-1} + G_t,\quad O_t = \operatorname{NS}_5(G_t + \mu B_t) \approx U V^\top,\quad \Delta_t =
                     -\alpha \left( 0.2 \sqrt{\max(r, c)} \; O_t + \lambda \theta_{t-1} \right)""",
        source=Paper(
            "Jordan et al.",
            2024,
            "Muon: An optimizer for hidden layers in neural networks",
            "https://kellerjordan.github.io/posts/muon/",
        ),
        differs={
            "Paper": "scales by sqrt(max(1, outputs / inputs)): choose scale='shape'; 0.2 sqrt(max) is by Liu et al. (2025).",
            "PyTorch": "takes matrices alone and computes the rounds in bfloat16; scales by shape unless told otherwise.",
            "optax": "corrects the momentum for its start at zero, which turns the direction a little; scales by shape.",
            "Keras": "decays biases too, by a setting of their own.",
        },
    )

    learning_rate: Number = hyper(default=1e-3, above=0.0, search=Range(1e-4, 1e-1, "log"), doc="Step size.")
    momentum: Number = hyper(
        default=0.95,
        at_least=0.0,
        below=1.0,
        search=Range(0.8, 0.99),
        doc="Share of a matrix's velocity that survives an update.",
    )
    weight_decay: Number = hyper(
        default=1e-2, at_least=0.0, search=Range(1e-4, 1.0, "log"), doc="Share by which matrices shrink, times the learning rate."
    )
    b1: Number = hyper(default=0.9, at_least=0.0, below=1.0, doc="Memory of the mean, outside matrices.")
    b2: Number = hyper(default=0.999, at_least=0.0, below=1.0, doc="Memory of the square, outside matrices.")
    epsilon: Number = hyper(default=1e-8, above=0.0, doc="Keeps the division finite, outside matrices.")
    nesterov: bool = choice(default=True, options=(True, False), doc="Look ahead along the momentum.")
    scale: str = choice(
        default="adam", options=("adam", "shape"), doc="Steps of a matrix as large as Adam's, or scaled by its shape alone."
    )

    def init(self, params: Params) -> State:
        zeros = tree.zeros_like(params)
        square = tree.map(lambda p: jnp.zeros(0, p.dtype) if p.ndim >= 2 else p, zeros)
        return State(jnp.zeros((), jnp.int32), zeros, square)

    def update(
        self, gradient: Params, state: State, params: Params | None = None, here: Here | None = None
    ) -> tuple[Params, State]:
        del here
        params = required(params, "params", self.name)
        gradient = tree.widen(gradient)
        step = state.step + 1
        mean_scale, square_scale = 1 / filled(self.b1, step), 1 / filled(self.b2, step)

        def gather(m: Array, g: Array) -> Number:
            return self.momentum * m + g if g.ndim >= 2 else self.b1 * m + (1 - self.b1) * g

        def spread(v: Array, g: Array) -> Number:
            return v if g.ndim >= 2 else self.b2 * v + (1 - self.b2) * g**2

        mean = tree.typed_as(state.mean, tree.map(gather, state.mean, gradient))
        square = tree.typed_as(state.square, tree.map(spread, state.square, gradient))

        def change(m: Array, v: Array, g: Array, p: Array) -> Number:
            if g.ndim < 2:
                return -self.learning_rate * (m * mean_scale) / (jnp.sqrt(v * square_scale) + self.epsilon)
            inputs, outputs = max(g.shape[-2], 1), max(g.shape[-1], 1)
            size = 0.2 * max(inputs, outputs) ** 0.5 if self.scale == "adam" else max(1.0, outputs / inputs) ** 0.5
            ahead = g + self.momentum * m if self.nesterov else m
            return -self.learning_rate * (size * orthogonal(jnp.asarray(ahead, g.dtype)) + self.weight_decay * p)

        moves = tree.map(change, mean, square, gradient, params)
        return tree.typed_as(mean, moves), State(step, mean, square)
