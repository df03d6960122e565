"""Clipping by norm: no array of the gradient is longer than a limit."""

import jax.numpy as jnp
from jaxtyping import Array

from downslope.core import tree
from downslope.core.about import AboutOptimizer, Paper, Range
from downslope.core.record import hyper
from downslope.core.types import Number, Params
from downslope.optimizers.base import Clipping


class ClipByNorm(Clipping):
    """Shortens each array of the gradient that is longer than `limit` to that length, each for itself, and lets another
    optimizer step with the result. The directions stay within each array.

    Use it where the gradient of one layer is far beyond the rest.
    Not when the direction of the whole should stay: the arrays' proportions to one another do not; `clip_by_global_norm`
    keeps them.

    >>> from downslope.optimizers import Sgd
    >>> clipped = ClipByNorm(Sgd(learning_rate=1.0), limit=1.0)
    >>> params = {"bias": jnp.zeros(1), "weight": jnp.zeros(2)}
    >>> clipped.update({"bias": jnp.array([0.5]), "weight": jnp.array([3.0, 4.0])}, clipped.init(params))[0]
    {'bias': Array([-0.5], dtype=float32), 'weight': Array([-0.6, -0.8], dtype=float32)}
    """

    about = AboutOptimizer(
        title="Clipping by norm, each array for itself",
        equation=r"""\hat g_t^{(k)} = g_t^{(k)} \min\!\big(1, c / \lVert g_t^{(k)} \rVert\big),\quad
                     \Delta_t = \operatorname{inner}(\hat g_t)""",
        source=Paper(
            "Pascanu, Mikolov and Bengio",
            2013,
            "On the difficulty of training recurrent neural networks",
            "https://arxiv.org/abs/1211.5063",
        ),
        alone=False,
        differs={
            "optax": "`clip_by_block_rms` bounds the root mean square of each array, not its length.",
            "PyTorch": "adds 1e-6 to the length before dividing; clip_grad_norm_ takes one array where it is given one alone.",
            "Keras": "calls it clipnorm.",
        },
    )

    limit: Number = hyper(default=1.0, above=0.0, search=Range(0.01, 10.0, "log"), doc="The greatest length of an array.")

    def clipped(self, gradient: Params) -> Params:
        def shorten(g: Array) -> Array:
            length = tree.norm(g)
            long = length > self.limit
            return jnp.asarray(jnp.where(long, g * (self.limit / jnp.where(long, length, 1)), g), g.dtype)

        return tree.map(shorten, gradient)
