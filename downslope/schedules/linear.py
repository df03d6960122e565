"""Linear: falls in a straight line."""

from downslope.core.about import AboutPart, Paper
from downslope.core.record import hyper
from downslope.core.types import Number
from downslope.schedules.base import Schedule


class Linear(Schedule):
    """Falls in a straight line from 1 to `end`: single models improve by a few per cent over a constant rate.

    Use it first: it is the default of every comparison and needs no tuning.
    Not when the run may be continued later: the line has to know its end.

    >>> [float(Linear()(step, 4)) for step in range(4)]
    [1.0, 0.75, 0.5, 0.25]
    """

    about = AboutPart(
        title="Linear decay",
        equation=r"f(p) = 1 - (1 - e)\,p",
        source=Paper(
            "Defazio, Cutkosky, Mehta and Mishchenko",
            2023,
            "Optimal Linear Decay Learning Rate Schedules and Further Refinements",
            "https://arxiv.org/abs/2310.07831",
        ),
        differs={
            "PyTorch": "`LinearLR` is a warm-up unless told: it rises from a third to 1 over 5 steps.",
            "Keras": "`PolynomialDecay` with power 1; it ends at a rate of 1e-4 unless told.",
            "optax": "`linear_schedule` takes the two rates and the number of steps.",
        },
    )

    end: Number = hyper(default=0.0, at_least=0.0, at_most=1.0, doc="The factor at the very end.")

    def shape(self, progress: Number) -> Number:
        return 1 - (1 - self.end) * progress
