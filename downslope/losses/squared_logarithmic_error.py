"""Squared logarithmic error: relative errors count, and large targets do not drown small ones."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from downslope.core.about import AboutLoss, Paper, Task
from downslope.core.exact import Pair, bits, halves, sum_by_size, two_sum
from downslope.losses.base import Loss

LOWEST = -1 + 2**-20  # the lowest score with a logarithm worth having
LOG_2 = (0.6875, 0.0056471805599453094)  # four digits, and the rest


@jax.custom_jvp
def log_ratio(score: Float[Array, " batch"], target: Float[Array, " batch"]) -> Float[Array, " batch"]:
    """log((1 + score) / (1 + target)) = n log 2 + 2 artanh(gap / sum), where 1 + target is scaled by 2ⁿ next to 1 + score.

    Below the lowest score it goes on as a straight line of slope 1. One quotient, at the very end: XLA never computes a division
    twice, so that all of this becomes one kernel with one result.
    """
    (top, top_lost), (bottom, bottom_lost) = one_more(jnp.maximum(score, LOWEST)), one_more(target)
    n, scale = nearest_power(top, bottom)
    lost, lost_too = two_sum(top_lost, -bottom_lost * scale)
    gap, gap_lost = sum_by_size(top - bottom * scale, lost)  # numbers so near have an exact difference
    gap_lost += lost_too
    half, half_lost = sum_by_size(top, -0.5 * gap)  # of the sum
    half_lost += top_lost - 0.5 * gap_lost
    share = gap * (1 / half)
    # All in shares of `half`, so that its rounding does not count twice. `coarse` has few digits: its products are exact.
    coarse, fine = n * LOG_2[0], n * LOG_2[1]
    high, low = halves(half)
    total, total_lost = sum_by_size(coarse * high, gap)
    small = gap * artanh_rest(jnp.square(share)) + (coarse * low + fine * half)
    log = (total + (small + (total_lost + (gap_lost - share * half_lost)))) / half
    return log - jnp.maximum(LOWEST - score, 0)


@log_ratio.defjvp
def log_ratio_slope(primals: Any, tangents: Any) -> tuple[Array, Array]:
    """The derivative of `log_ratio`, without a difference of logarithms."""
    score, target = primals
    return log_ratio(score, target), tangents[0] / jnp.where(score < LOWEST, 1, 1 + score) - tangents[1] / (1 + target)


def one_more(x: Float[Array, " batch"]) -> Pair:
    """1 + x and what its rounding lost; written so that XLA does not see (1 + x) − 1 and turn it into x."""
    return sum_by_size(jnp.maximum(x, 1), jnp.minimum(x, 1))


def nearest_power(a: Float[Array, " batch"], b: Float[Array, " batch"]) -> Pair:
    """The n for which b · 2ⁿ comes nearest to a by their bits, at most half off; and 2ⁿ."""
    digits = jnp.finfo(a.dtype).nmant
    n = (bits(a) - bits(b) + (1 << (digits - 1))) >> digits
    return n.astype(a.dtype), jax.lax.bitcast_convert_type((n << digits) + bits(jnp.ones_like(a)), a.dtype)


def artanh_rest(square: Float[Array, " batch"]) -> Float[Array, " batch"]:
    """artanh(x) / x − 1 by its series in (2x)² up to 0.16, until float32 or float64 ends."""
    result = jnp.zeros_like(square)
    for index in range(4 if square.dtype == jnp.float32 else 11, 0, -1):
        result = square * (1 / ((2 * index + 1) * 4**index) + result)
    return result


class SquaredLogarithmicError(Loss):
    """The squared difference of log(1 + value). A score below −1 has no logarithm; from there on a straight line
    takes its place, so that such a score finds its way back.

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
        return jnp.square(log_ratio(raw, target))

    def best_constant(self, target: np.ndarray, weight: np.ndarray | None = None, classes: int | None = None) -> np.ndarray:
        del classes
        return np.expm1(np.array([np.average(np.log1p(target), weights=weight)]))
