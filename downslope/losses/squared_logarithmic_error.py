"""Squared logarithmic error: relative errors count, and large targets do not drown small ones."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_derivatives import SymbolicZero
from jaxtyping import Array, Float

from downslope.core.about import AboutLoss, Paper, Task
from downslope.core.exact import two_sum
from downslope.losses.base import Loss

LOWEST = -1 + 2**-20  # the lowest score with a logarithm worth having


def log_distance(score: Float[Array, " batch"], target: Float[Array, " batch"]) -> Float[Array, " batch"]:
    """|log((1 + score) / (1 + target))|: the logarithm of the quotient's leading digits, and what these leave out.

    Nothing here chooses between two numbers and nothing is cut off by its bits, neither of which XLA's fast sums can take in.
    """
    one = jnp.ones_like(score)
    below, below_lost = two_sum(jnp.minimum(score, target), one)
    above, above_lost = two_sum(jnp.maximum(score, target), one)
    quotient, high = leading(above / below), leading(below)
    left = ((above - quotient * high) - quotient * (below - high)) + (above_lost - quotient * below_lost)
    rest = left / (below * quotient)
    rest -= rest * (below_lost / below)
    return jnp.log(quotient) + (rest - 0.5 * rest * rest)


def leading(x: Float[Array, " batch"]) -> Float[Array, " batch"]:
    """The leading digits, so few that products of them are exact (Veltkamp, 1968); scaled, so that large numbers stay finite."""
    scaled = x * 2**-28
    shifted = scaled * (2**12 + 1 if x.dtype == jnp.float32 else 2**27 + 1)
    return (shifted - (shifted - scaled)) * 2**28


@jax.custom_jvp
def squared(raw: Float[Array, " batch"], target: Float[Array, " batch"]) -> Float[Array, " batch"]:
    """The squared distance of logarithms, and below the lowest score a straight line."""
    log = log_distance(jnp.maximum(raw, LOWEST), target)
    return log * log + (log + log) * jnp.maximum(LOWEST - raw, 0)


@partial(squared.defjvp, symbolic_zeros=True)
def squared_slope(primals: Any, tangents: Any) -> tuple[Array, Array]:
    """The derivative of `squared`, without a difference of logarithms; where both are equal, that from above.

    It has arithmetic and numbers of its own: what both share, XLA would write out.
    """
    raw, target, low, one = jax.lax.optimization_barrier((*primals, LOWEST, jnp.ones((), primals[0].dtype)))
    score = jnp.maximum(raw, low)
    log, side = distance(score, target, one), jnp.where(score < target, -1, 1)
    change = log * jnp.where(raw < low, -1, side / (one + score)) * tangents[0]
    if not isinstance(tangents[1], SymbolicZero):
        change -= (log + jnp.maximum(low - raw, 0)) * side / (one + target) * tangents[1]
    return squared(*primals), 2 * change


@jax.custom_jvp
def distance(score: Float[Array, " batch"], target: Float[Array, " batch"], one: Float[Array, ""]) -> Float[Array, " batch"]:
    """`log_distance` as exact as a derivative needs it: by what the larger is beyond the smaller, in shares of that."""
    smaller, one = jnp.minimum(score, target), jnp.full_like(score, one)
    below, below_lost = two_sum(smaller, one)
    gap, gap_lost = two_sum(jnp.maximum(score, target), -smaller)
    share = gap / below
    growth, growth_lost = two_sum(share, one)
    return jnp.log(growth) + (growth_lost + (gap_lost - share * below_lost) / below) / growth


@distance.defjvp
def distance_slope(primals: Any, tangents: Any) -> tuple[Array, Array]:
    """The derivative of `distance`."""
    score, target, one = primals
    rising = tangents[0] / (one + score) - tangents[1] / (one + target)
    return distance(*primals), jnp.where(score < target, -rising, rising)


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
        return squared(raw, target)

    def best_constant(self, target: np.ndarray, weight: np.ndarray | None = None, classes: int | None = None) -> np.ndarray:
        del classes
        return np.expm1(np.array([np.average(np.log1p(target), weights=weight)]))
