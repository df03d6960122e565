"""Gamma: for amounts above 0 whose spread is in proportion to their size."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from downslope.core.about import AboutLoss, Paper, Task
from downslope.losses.base import Loss


class Gamma(Loss):
    """The negative log-likelihood of gamma-distributed amounts whose expected value is the exponential of the score, without
    the part that depends on the target alone.

    Use it for costs, durations and claim sizes.
    Not with targets of 0, to which the gamma distribution gives no chance; `tweedie` takes them.

    >>> Gamma()(jnp.array([0.0, 1.0]), jnp.array([1.0, 3.0]))
    Array([1.       , 2.1036384], dtype=float32)
    """

    about = AboutLoss(
        title="Gamma",
        equation=r"\ell(s, t) = s + t\,e^{-s}",
        source=Paper("Nelder and Wedderburn", 1972, "Generalized Linear Models", "https://doi.org/10.2307/2344614"),
        task=Task.REGRESSION,
        link="exp",
        target="above 0",
        lowest=0.0,
        open_ends=True,
        target_scale="scale",
        perfect=None,
        aims_at="the mean",
        differs={
            "scikit-learn": "GammaRegressor minimises the same.",
        },
    )

    def __call__(self, raw: Float[Array, " batch"], target: Float[Array, " batch"]) -> Float[Array, " batch"]:
        return raw + target * jnp.exp(-raw)

    def best_constant(self, target: np.ndarray, weight: np.ndarray | None = None, classes: int | None = None) -> np.ndarray:
        del classes
        return np.log(np.array([np.average(target, weights=weight)]))
