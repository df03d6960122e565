"""Squared logarithmic error: relative errors count, and large targets do not drown small ones."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from downslope.core.about import AboutLoss, Paper, Task
from downslope.core.exact import ratio, two_sum
from downslope.losses.base import Loss

LOWEST = -1 + 2**-20  # the lowest score with a logarithm worth having


@jax.custom_jvp
def log_ratio(score: Float[Array, " batch"], target: Float[Array, " batch"]) -> Float[Array, " batch"]:
    """log((1 + score) / (1 + target)): by the series of the inverse hyperbolic tangent where the two are near each other."""
    above, below = two_sum(jnp.ones_like(score), score), two_sum(jnp.ones_like(target), target)
    growth, growth_lost = ratio(above, below)
    total, total_lost = two_sum(above[0], below[0])
    w, w_lost = ratio(two_sum(score, -target), (total, total_lost + (above[1] + below[1])))
    series = jnp.zeros_like(w)
    for index in range(49 if w.dtype == jnp.float64 else 23, 1, -2):
        series = jnp.square(w) * (1 / index + series)
    near = 2 * w + 2 * (w_lost + w * series)
    return jnp.where(jnp.abs(w) < 0.5, near, jnp.log(growth) + growth_lost / growth)


@log_ratio.defjvp
def log_ratio_slope(primals: Any, tangents: Any) -> tuple[Array, Array]:
    """The derivative of `log_ratio`, without a difference of logarithms."""
    score, target = primals
    return log_ratio(score, target), tangents[0] / (1 + score) - tangents[1] / (1 + target)


class SquaredLogarithmicError(Loss):
    """The squared difference of log(1 + value). A score below −1 has no logarithm; from there on the loss grows in
    proportion, so that such a score finds its way back.

    Use it for targets that span powers of ten, such as counts and prices.
    Not for targets below 0, nor when an error on a large target should count in its own units.

    >>> SquaredLogarithmicError()(jnp.array([0.0, 3.0]), jnp.array([1.0, 3.0]))
    Array([0.480453, 0.      ], dtype=float32)
    """

    about = AboutLoss(
        title="Squared logarithmic error",
        equation=r"\ell(s, t) = \log^2 \frac{1 + s}{1 + t}",
        source=Paper(
            "Törnqvist, Vartia and Vartia",
            1985,
            "How Should Relative Changes Be Measured?",
            "https://doi.org/10.1080/00031305.1985.10479385",
        ),
        task=Task.REGRESSION,
        target="0 or above",
        lowest=0.0,
        target_scale="scale",
        convex=False,
        aims_at="the geometric mean of 1 + target, less 1",
        aliases=("msle",),
        differs={
            "Keras": "`MeanSquaredLogarithmicError` cuts predictions and targets off at 1e-7; below there is no gradient.",
            "scikit-learn": "a metric only.",
        },
    )

    def __call__(self, raw: Float[Array, " batch"], target: Float[Array, " batch"]) -> Float[Array, " batch"]:
        score = jnp.maximum(raw, LOWEST)
        log = log_ratio(score, target)
        return jnp.where(raw < LOWEST, jnp.square(log) + 2 * jnp.abs(log) * (LOWEST - raw), jnp.square(log))

    def best_constant(self, target: np.ndarray, weight: np.ndarray | None = None, classes: int | None = None) -> np.ndarray:
        del classes
        return np.expm1(np.array([np.average(np.log1p(target), weights=weight)]))
