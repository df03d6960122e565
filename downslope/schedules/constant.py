"""Constant: never falls."""

import jax.numpy as jnp

from downslope.core.about import AboutPart, Paper
from downslope.core.types import Number
from downslope.schedules.base import Schedule


class Constant(Schedule):
    """Stays at 1 after the warm-up.

    Use it with full-batch methods, and for runs of unknown length.
    Not with mini-batches to the end: the last steps stay noisy, and a falling schedule ends lower.

    >>> [float(Constant(warmup=0.75)(step, 4)) for step in range(4)]
    [0.25, 0.5, 0.75, 1.0]
    """

    about = AboutPart(
        title="Constant",
        equation=r"f(p) = 1",
        source=Paper(
            "Bottou, Curtis and Nocedal",
            2018,
            "Optimization Methods for Large-Scale Machine Learning",
            "https://arxiv.org/abs/1606.04838",
        ),
        differs={
            "PyTorch": "no scheduler is needed; `ConstantLR` multiplies the first 5 steps by a third.",
            "Keras": "a plain number.",
            "optax": "`constant_schedule`, or a plain number.",
            "scikit-learn": "learning_rate='constant', the default of MLPClassifier and MLPRegressor.",
        },
    )

    def shape(self, progress: Number) -> Number:
        return jnp.ones_like(progress)
