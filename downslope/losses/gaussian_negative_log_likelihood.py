"""Gaussian negative log-likelihood: predicts a value and how far off it may be."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from downslope.core.about import AboutLoss, Paper, Task
from downslope.losses.base import Loss


class GaussianNegativeLogLikelihood(Loss):
    """Two scores for each example: the mean and the logarithm of the variance.

    Use it when the spread differs from row to row and is wanted too.
    Not with outliers: a wild target makes the model claim a huge spread around it.

    >>> GaussianNegativeLogLikelihood()(jnp.array([[0.0, 0.0], [3.0, 2.0]]), jnp.array([1.0, 3.0]))
    Array([0.5, 1. ], dtype=float32)
    """

    about = AboutLoss(
        title="Gaussian negative log-likelihood",
        equation=r"\ell(m, v, t) = \tfrac12 \left( v + (t - m)^2 e^{-v} \right)",
        source=Paper(
            "Nix and Weigend",
            1994,
            "Estimating the Mean and Variance of the Target Probability Distribution",
            "https://doi.org/10.1109/ICNN.1994.374138",
        ),
        task=Task.REGRESSION,
        link="first",
        perfect=None,
        convex=False,
        aims_at="the mean and the variance",
        aliases=("gaussian_nll",),
        differs={
            "PyTorch": "`gaussian_nll_loss` takes the variance itself and cuts it off at 1e-6.",
        },
    )

    def __call__(self, raw: Float[Array, " batch 2"], target: Float[Array, " batch"]) -> Float[Array, " batch"]:
        mean, log_variance = raw[..., 0], raw[..., 1]
        error = target - mean
        limit = 2 * np.log(float(jnp.finfo(raw.dtype).max))
        endless = (error == 0) & (log_variance < -limit)  # an error of 0 with a tiny variance must not become 0 · ∞
        scaled = error * jnp.exp(-0.5 * jnp.where(endless, 0, log_variance))
        return 0.5 * (log_variance + jnp.square(scaled))

    def best_constant(self, target: np.ndarray, weight: np.ndarray | None = None, classes: int | None = None) -> np.ndarray:
        del classes
        mean = np.average(target, weights=weight)
        variance = np.average(np.square(target - mean), weights=weight)
        return np.array([mean, np.log(variance or 1e-12 * max(1.0, mean**2))])

    def outputs(self, classes: int | None = None) -> int:
        """Two: the mean and the logarithm of the variance."""
        return 2
