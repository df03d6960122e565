"""Clipping by value: no number of the gradient counts for more than a limit."""

import jax.numpy as jnp
from jaxtyping import Array

from downslope.core import tree
from downslope.core.about import AboutOptimizer, Paper, Range
from downslope.core.record import hyper
from downslope.core.types import Number, Params
from downslope.optimizers.base import Clipping


class ClipByValue(Clipping):
    """Cuts every number of the gradient to the range from -`limit` to `limit` and lets another optimizer step with that.

    Use it where few numbers of a gradient are far beyond the rest.
    Not when the direction should stay: it turns the gradient, which clipping by the norm does not.

    >>> from downslope.optimizers import Sgd
    >>> clipped = ClipByValue(Sgd(learning_rate=1.0), limit=0.5)
    >>> clipped.update(jnp.array([3.0, -0.25]), clipped.init(jnp.zeros(2)))[0]
    Array([-0.5 ,  0.25], dtype=float32)
    """

    about = AboutOptimizer(
        title="Clipping by value",
        equation=r"\hat g_{t,i} = \min(c, \max(-c, g_{t,i})),\quad \Delta_t = \operatorname{inner}(\hat g_t)",
        source=Paper(
            "Mikolov",
            2012,
            "Statistical Language Models Based on Neural Networks",
            "https://www.fit.vut.cz/study/phd-thesis/283/",
        ),
        alone=False,
        differs={
            "PyTorch": "`clip_grad_value_` has the same rule.",
            "Keras": "calls it clipvalue.",
            "optax": "`clip` has the same rule.",
        },
    )

    limit: Number = hyper(default=1.0, above=0.0, search=Range(0.01, 10.0, "log"), doc="The largest size of a number.")

    def clipped(self, gradient: Params) -> Params:
        def cut(g: Array) -> Array:
            return jnp.clip(g, -jnp.asarray(self.limit, g.dtype), jnp.asarray(self.limit, g.dtype))

        return tree.map(cut, gradient)
