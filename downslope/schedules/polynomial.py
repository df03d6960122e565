"""Polynomial: falls like a power of what remains."""

from downslope.core.about import AboutPart
from downslope.core.record import hyper
from downslope.core.types import Number
from downslope.schedules.base import Schedule


class Polynomial(Schedule):
    """Falls from 1 to `end` like a power of the remaining share of the run. With power 1 it is the straight line; larger powers
    fall sooner and spend longer near the end.

    >>> [float(Polynomial(power=2.0)(step, 4)) for step in range(4)]
    [1.0, 0.5625, 0.25, 0.0625]
    """

    about = AboutPart(
        title="Polynomial decay",
        equation=r"f(p) = e + (1 - e)\,(1 - p)^k",
    )

    power: Number = hyper(default=2.0, above=0.0, doc="The power of the remaining share.")
    end: Number = hyper(default=0.0, at_least=0.0, at_most=1.0, doc="The factor at the very end.")

    def shape(self, progress: Number) -> Number:
        return self.end + (1 - self.end) * (1 - progress) ** self.power
