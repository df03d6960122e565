"""Clipping by the global norm: the gradient as a whole is never longer than a limit."""

import jax.numpy as jnp

from downslope.core import tree
from downslope.core.about import AboutOptimizer, Paper, Range
from downslope.core.record import hyper
from downslope.core.types import Number, Params
from downslope.optimizers.base import Clipping


class ClipByGlobalNorm(Clipping):
    """Shortens a gradient that is longer than `limit` to that length, all arrays taken together, and lets another optimizer
    step with it: the direction stays.

    Use it where single batches have gradients far beyond the rest, as heavy-tailed targets do.
    Not around Adam and its kin with a limit below nearly all gradients: only their relative sizes matter there, and all would
    count alike.

    >>> from downslope.optimizers import Sgd
    >>> clipped = ClipByGlobalNorm(Sgd(learning_rate=1.0), limit=1.0)
    >>> clipped.update({"a": jnp.array([3.0]), "b": jnp.array([4.0])}, clipped.init({"a": jnp.zeros(1), "b": jnp.zeros(1)}))[0]
    {'a': Array([-0.6], dtype=float32), 'b': Array([-0.8], dtype=float32)}
    """

    about = AboutOptimizer(
        title="Clipping by the global norm",
        equation=r"\hat g_t = g_t \min(1, c / \lVert g_t \rVert),\quad \Delta_t = \operatorname{inner}(\hat g_t)",
        source=Paper(
            "Pascanu, Mikolov and Bengio",
            2013,
            "On the difficulty of training recurrent neural networks",
            "https://arxiv.org/abs/1211.5063",
        ),
        alone=False,
        differs={
            "optax": "`clip_by_global_norm` has the same rule.",
            "PyTorch": "adds 1e-6 to the length before dividing, so the clipped gradient is a little shorter.",
            "Keras": "calls it global_clipnorm.",
        },
    )

    limit: Number = hyper(default=1.0, above=0.0, search=Range(0.01, 10.0, "log"), doc="The greatest length of the gradient.")

    def clipped(self, gradient: Params) -> Params:
        length = tree.norm(gradient)
        long = length > self.limit
        share = jnp.where(long, self.limit / jnp.where(long, length, 1), 1)
        return tree.typed_as(gradient, tree.scale(share, gradient))
