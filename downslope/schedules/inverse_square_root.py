"""Inverse square root: falls for ever, more and more slowly."""

import jax.numpy as jnp

from downslope.core.about import AboutPart, Paper
from downslope.core.record import hyper
from downslope.core.types import Number
from downslope.schedules.base import Schedule


class InverseSquareRoot(Schedule):
    """Falls like 1 / sqrt(t), the rule of the first transformers and of the theory of stochastic gradients. With `timescale`
    equal to the warm-up's share divided by the rest it continues the warm-up as in the paper.

    Use it for runs that may be continued, as it needs no end.
    Not for a known length, where others end lower.

    >>> [round(float(InverseSquareRoot(timescale=0.25)(step, 4)), 3) for step in range(4)]
    [1.0, 0.707, 0.577, 0.5]
    """

    about = AboutPart(
        title="Inverse square root decay",
        equation=r"f(p) = \sqrt{\tau / (\tau + p)}",
        source=Paper("Vaswani et al.", 2017, "Attention Is All You Need", "https://arxiv.org/abs/1706.03762"),
        differs={
            "Keras": "not there; `InverseTimeDecay` falls like 1 / t.",
            "scikit-learn": "learning_rate='invscaling' divides by t to a power, `power_t`: 0.5 in MLPs, 0.25 in SGDRegressor.",
        },
    )

    timescale: Number = hyper(default=0.1, above=0.0, doc="Share of the run over which it falls to 1 / sqrt(2).")

    def shape(self, progress: Number) -> Number:
        return jnp.sqrt(self.timescale / (self.timescale + progress))
