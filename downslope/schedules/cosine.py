"""Cosine: falls slowly, then fast, then slowly."""

import jax.numpy as jnp

from downslope.core.about import AboutPart, Paper
from downslope.core.record import hyper
from downslope.core.types import Number
from downslope.schedules.base import Schedule


class Cosine(Schedule):
    """Falls from 1 to `end` along half a cosine wave: longer near both ends than a straight line.

    Use it for deep nets, where it is the habit.
    Not on tables in hope of a gain: little separates it from a straight line.

    >>> [round(float(Cosine()(step, 4)), 3) for step in range(4)]
    [1.0, 0.854, 0.5, 0.146]
    """

    about = AboutPart(
        title="Cosine decay",
        equation=r"f(p) = e + (1 - e)\,\tfrac12\,(1 + \cos \pi p)",
        source=Paper(
            "Loshchilov and Hutter",
            2017,
            "SGDR: Stochastic Gradient Descent with Warm Restarts",
            "https://arxiv.org/abs/1608.03983",
        ),
        differs={
            "PyTorch": "`CosineAnnealingLR` rises again when it is stepped beyond its length.",
            "Keras": "`CosineDecay`; `alpha` is `end`.",
            "optax": "`cosine_decay_schedule`; `alpha` is `end`.",
        },
    )

    end: Number = hyper(default=0.0, at_least=0.0, at_most=1.0, doc="The factor at the very end.")

    def shape(self, progress: Number) -> Number:
        return self.end + (1 - self.end) * 0.5 * (1 + jnp.cos(jnp.pi * progress))
