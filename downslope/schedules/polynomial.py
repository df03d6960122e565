"""Polynomial: falls like a power of what remains."""

from downslope.core.about import AboutPart, Paper
from downslope.core.record import hyper
from downslope.core.types import Number
from downslope.schedules.base import Schedule


class Polynomial(Schedule):
    """Falls from 1 to `end` like a power of the remaining share of the run.

    Use it to fall sooner than a straight line and stay longer near the end.
    Not without a reason: the power is one more thing to choose, and at 1 it is the straight line.

    >>> [float(Polynomial(power=2.0)(step, 4)) for step in range(4)]
    [1.0, 0.5625, 0.25, 0.0625]
    """

    about = AboutPart(
        title="Polynomial decay",
        equation=r"f(p) = e + (1 - e)\,(1 - p)^k",
        source=Paper(
            "Chen, Papandreou, Kokkinos, Murphy and Yuille",
            2018,
            "DeepLab: Semantic Image Segmentation with Deep Convolutional Nets, Atrous Convolution, and Fully Connected CRFs",
            "https://arxiv.org/abs/1606.00915",
        ),
        differs={
            "PyTorch": "`PolynomialLR` always falls to 0, over 5 steps unless told.",
            "Keras": "`PolynomialDecay` ends at a rate of 1e-4 unless told.",
            "optax": "`polynomial_schedule` takes the two rates, the power and the number of steps.",
        },
    )

    power: Number = hyper(default=2.0, above=0.0, doc="The power of the remaining share.")
    end: Number = hyper(default=0.0, at_least=0.0, at_most=1.0, doc="The factor at the very end.")

    def shape(self, progress: Number) -> Number:
        return self.end + (1 - self.end) * (1 - progress) ** self.power
