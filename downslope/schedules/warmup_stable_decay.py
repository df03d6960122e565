"""Warm-up, stable, decay: full rate nearly to the end, then a straight fall."""

import jax.numpy as jnp

from downslope.core.about import AboutPart, Paper
from downslope.core.record import hyper
from downslope.core.types import Number
from downslope.schedules.base import Schedule


class WarmupStableDecay(Schedule):
    """Stays at 1 and falls in a straight line to `end` during the last share `decay`, so one long run can be branched into
    shorter ones.

    Use it when runs of different length should share their beginning.
    Not alone when the first steps are too long: it has no rise of its own; combine it with `warmup`.

    >>> [float(WarmupStableDecay(decay=0.5)(step, 4)) for step in range(4)]
    [1.0, 1.0, 1.0, 0.5]
    """

    about = AboutPart(
        title="Warm-up, stable, decay",
        equation=r"f(p) = \min\!\big(1,\; e + (1 - e)\,\tfrac{1 - p}{d}\big)",
        source=Paper(
            "Hu et al.",
            2024,
            "MiniCPM: Unveiling the Potential of Small Language Models with Scalable Training Strategies",
            "https://arxiv.org/abs/2404.06395",
        ),
        differs={
            "PyTorch": "not there by itself; `SequentialLR` can be put together so.",
            "optax": "not there by itself; `join_schedules` can be put together so.",
        },
    )

    decay: Number = hyper(default=0.2, above=0.0, at_most=1.0, doc="Share of the run over which it falls.")
    end: Number = hyper(default=0.0, at_least=0.0, at_most=1.0, doc="The factor at the very end.")

    def shape(self, progress: Number) -> Number:
        return jnp.minimum(1.0, self.end + (1 - self.end) * (1 - progress) / self.decay)
