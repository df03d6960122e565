"""Linear: falls in a straight line."""

from downslope.core.about import AboutPart
from downslope.core.record import hyper
from downslope.core.types import Number
from downslope.schedules.base import Schedule


class Linear(Schedule):
    """Falls in a straight line from 1 to `end`. The default of every comparison: single models improve by a few per cent
    over a constant rate, and no tuning is needed.

    >>> [float(Linear()(step, 4)) for step in range(4)]
    [1.0, 0.75, 0.5, 0.25]
    """

    about = AboutPart(title="Linear decay", equation=r"f(p) = 1 - (1 - e)\,p")

    end: Number = hyper(default=0.0, at_least=0.0, at_most=1.0, doc="The factor at the very end.")

    def shape(self, progress: Number) -> Number:
        return 1 - (1 - self.end) * progress
