"""Quantile loss: asks for the value below which a given share of the targets lies."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from downslope.core.about import AboutLoss, Paper, Range, Task
from downslope.core.record import hyper
from downslope.core.types import Number
from downslope.losses.base import Loss, middle_quantile


class Quantile(Loss):
    """Errors on one side cost more than on the other, so that the best answer is a quantile: 0.9 for a value that is exceeded
    one time in ten, 0.5 for the median. Its other name is pinball loss.

    Use it for stock levels, deadlines and prediction intervals.
    Not when the mean is wanted.

    >>> Quantile(level=0.9)(jnp.array([0.0, 3.0]), jnp.array([1.0, 2.0]))
    Array([0.9, 0.1], dtype=float32)
    """

    about = AboutLoss(
        title="Quantile",
        equation=r"\ell(s, t) = \max\left(\tau (t - s),\; (\tau - 1)(t - s)\right)",
        source=Paper("Koenker and Bassett", 1978, "Regression Quantiles", "https://doi.org/10.2307/1913643"),
        task=Task.REGRESSION,
        aims_at="the quantile of the given level",
        aliases=("pinball",),
        differs={
            "scikit-learn": "QuantileRegressor and HistGradientBoostingRegressor have it; SGDRegressor and MLPRegressor do not.",
        },
    )

    level: Number = hyper(
        default=0.5,
        above=0.0,
        below=1.0,
        search=Range(0.05, 0.95),
        doc="The share of targets that should lie below the prediction.",
    )

    def __call__(self, raw: Float[Array, " batch"], target: Float[Array, " batch"]) -> Float[Array, " batch"]:
        above = target - raw
        return jnp.maximum(self.level * above, (self.level - 1) * above)

    def best_constant(self, target: np.ndarray, weight: np.ndarray | None = None, classes: int | None = None) -> np.ndarray:
        del classes
        return middle_quantile(target, float(self.level), weight)
