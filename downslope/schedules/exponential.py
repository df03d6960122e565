"""Exponential: falls by the same share at every update."""

from downslope.core.about import AboutPart, Paper
from downslope.core.record import hyper
from downslope.core.types import Number
from downslope.schedules.base import Schedule


class Exponential(Schedule):
    """Falls from 1 to `end` by a constant factor for each update.

    Use it when the right rate is not known within a factor of ten: it passes them all.
    Not when the rate is right from the start: most of the run is spent at small rates.

    >>> [round(float(Exponential(end=0.0001)(step, 4)), 6) for step in range(4)]
    [1.0, 0.1, 0.01, 0.001]
    """

    about = AboutPart(
        title="Exponential decay",
        equation=r"f(p) = e^p",
        source=Paper(
            "Li, Zhuang and Orabona",
            2021,
            "A Second look at Exponential and Cosine Step Sizes: Simplicity, Adaptivity, and Performance",
            "https://arxiv.org/abs/2002.05273",
        ),
        differs={
            "PyTorch": "`ExponentialLR` takes the factor of one step instead of the end.",
            "Keras": "`ExponentialDecay` takes a factor and the steps it takes effect in.",
            "optax": "`exponential_decay` takes a factor and the steps it takes effect in.",
        },
    )

    end: Number = hyper(default=0.01, above=0.0, at_most=1.0, doc="The factor at the very end.")

    def shape(self, progress: Number) -> Number:
        return self.end**progress
