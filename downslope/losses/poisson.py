"""Poisson: for counts, and for whatever is never negative and spreads as it grows."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from downslope.core.about import AboutLoss, Paper, Task
from downslope.losses.base import Loss


class Poisson(Loss):
    """The negative log-likelihood of counts whose expected value is the exponential of the score, without the part that
    depends on the target alone.

    Use it for counts, rates and amounts; zeros are welcome.
    Not for targets below 0, with which it has no lowest value.

    >>> Poisson()(jnp.array([0.0, 1.0]), jnp.array([0.0, 3.0]))
    Array([ 1.        , -0.28171825], dtype=float32)
    """

    about = AboutLoss(
        title="Poisson",
        equation=r"\ell(s, t) = e^{s} - t\,s",
        source=Paper("Nelder and Wedderburn", 1972, "Generalized Linear Models", "https://doi.org/10.2307/2344614"),
        task=Task.REGRESSION,
        link="exp",
        target="0 or above",
        lowest=0.0,
        target_scale="scale",
        perfect=None,
        aims_at="the mean",
        differs={
            "PyTorch": "`poisson_nll_loss` is the same with `log_input=True`, its default.",
            "Keras": "`Poisson` takes the expected value, not its logarithm.",
            "scikit-learn": "PoissonRegressor minimises the same; MLPRegressor has it as `poisson`.",
        },
    )

    def __call__(self, raw: Float[Array, " batch"], target: Float[Array, " batch"]) -> Float[Array, " batch"]:
        return jnp.exp(raw) - target * raw

    def best_constant(self, target: np.ndarray, weight: np.ndarray | None = None, classes: int | None = None) -> np.ndarray:
        del classes
        return np.log(np.array([np.average(target, weights=weight) or 0.5 / len(target)]))
