"""Squared error: large errors count far more than small ones."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from downslope.core.about import AboutLoss, Paper, Task
from downslope.losses.base import Loss


class SquaredError(Loss):
    """The square of the error; its mean is the mean squared error.

    Use it when the mean is wanted and errors are of one size; the first choice.
    Not with outliers: one error of 100 weighs as much as ten thousand errors of 1.

    >>> SquaredError()(jnp.array([0.0, 3.0]), jnp.array([0.5, 0.0]))
    Array([0.25, 9.  ], dtype=float32)
    """

    about = AboutLoss(
        title="Squared error",
        equation=r"\ell(e) = e^2",
        source=Paper(
            "Gauss",
            1809,
            "Theoria motus corporum coelestium in sectionibus conicis solem ambientium",
            "https://archive.org/details/theoriamotuscor00gausgoog",
        ),
        task=Task.REGRESSION,
        aims_at="the mean",
        aliases=("mse",),
        default=True,
        differs={
            "PyTorch": "`mse_loss` is the same; its mean runs over all elements, and shapes that differ only warn.",
            "Keras": "`MeanSquaredError` first averages over the last axis.",
            "optax": "`squared_error` is the same; `l2_loss` is half of it.",
            "scikit-learn": "SGDRegressor and MLPRegressor minimise half of it.",
        },
    )

    def __call__(self, raw: Float[Array, " batch"], target: Float[Array, " batch"]) -> Float[Array, " batch"]:
        return jnp.square(raw - target)

    def best_constant(self, target: np.ndarray, weight: np.ndarray | None = None, classes: int | None = None) -> np.ndarray:
        del classes
        return np.array([np.average(target, weights=weight)])
