"""Step: stays, drops, stays, drops."""

import jax.numpy as jnp

from downslope.core.about import AboutPart, Paper
from downslope.core.record import choice, hyper
from downslope.core.types import Number
from downslope.schedules.base import Schedule


class Step(Schedule):
    """Multiplies by `drop` at equal distances, `drops` times in the run.

    Use it to repeat results of image classification, where it is the habit.
    Not otherwise: smoother schedules are rarely worse and have no place to get wrong.

    >>> [round(float(Step()(step, 6)), 6) for step in range(6)]
    [1.0, 1.0, 0.1, 0.1, 0.01, 0.01]
    """

    about = AboutPart(
        title="Step decay",
        equation=r"f(p) = d^{\lfloor (n + 1)\,p \rfloor}",
        source=Paper(
            "Ge, Kakade, Kidambi and Netrapalli",
            2019,
            "The Step Decay Schedule: A Near Optimal, Geometrically Decaying Learning Rate Procedure For Least Squares",
            "https://arxiv.org/abs/1904.12838",
        ),
        differs={
            "PyTorch": "`StepLR` takes the distance of the drops in steps; `MultiStepLR` takes their places.",
            "Keras": "`PiecewiseConstantDecay` takes every place and every rate.",
            "optax": "`piecewise_constant_schedule` takes places and factors.",
        },
    )

    drop: Number = hyper(default=0.1, above=0.0, at_most=1.0, doc="The factor of each drop.")
    drops: int = choice(default=2, options=tuple(range(1, 11)), doc="How many drops there are.")

    def shape(self, progress: Number) -> Number:
        passed = jnp.floor((self.drops + 1) * progress + 1e-6)  # a third of the run, rounded, must count as a third
        return self.drop ** jnp.minimum(passed, self.drops)
