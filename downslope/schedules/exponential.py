"""Exponential: falls by the same share at every update."""

from downslope.core.about import AboutPart
from downslope.core.record import hyper
from downslope.core.types import Number
from downslope.schedules.base import Schedule


class Exponential(Schedule):
    """Falls from 1 to `end` by a constant factor for each update: most of the run is spent at small rates. Choose it when the
    right rate is not known within a factor of ten, as it passes through all of them.

    >>> [round(float(Exponential(end=0.0001)(step, 4)), 6) for step in range(4)]
    [1.0, 0.1, 0.01, 0.001]
    """

    about = AboutPart(
        title="Exponential decay",
        equation=r"f(p) = e^p",
    )

    end: Number = hyper(default=0.01, above=0.0, at_most=1.0, doc="The factor at the very end.")

    def shape(self, progress: Number) -> Number:
        return self.end**progress
