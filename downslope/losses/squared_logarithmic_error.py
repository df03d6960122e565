"""Squared logarithmic error: relative errors count, and large targets do not drown small ones."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from downslope.core.about import AboutLoss, Paper, Task
from downslope.core.exact import two_product, two_sum
from downslope.losses.base import Loss

LOWEST = -1 + 2**-20  # the lowest score with a logarithm worth having


@jax.custom_jvp
def log_distance(score: Float[Array, " batch"], target: Float[Array, " batch"]) -> Float[Array, " batch"]:
    """|log((1 + score) / (1 + target))|, as the logarithm of 1 and what the larger is beyond the smaller, in shares of that."""
    below, below_lost = one_more(jnp.minimum(score, target), 1 + LOWEST)
    gap, gap_lost = two_sum(jnp.maximum(score, target), -jnp.minimum(score, target))
    share = gap / below
    product, product_lost = two_product(share, below)
    lost = jax.lax.stop_gradient(((gap - product) - product_lost) + (gap_lost - share * below_lost))
    growth, growth_lost = one_more(share, 1.0)
    return jnp.log(growth) + (growth_lost + lost / below) / growth


@log_distance.defjvp
def log_distance_slope(primals: Any, tangents: Any) -> tuple[Array, Array]:
    """The derivative of `log_distance`, without a difference of logarithms; where both are equal, that from above."""
    score, target = primals
    rising = tangents[0] / (1 + score) - tangents[1] / (1 + target)
    return log_distance(score, target), jnp.where(score < target, -rising, rising)


def one_more(x: Float[Array, " batch"], least: float) -> tuple[Array, Array]:
    """1 + x and what its rounding lost; `least` is what it never falls below, said because XLA else turns (1 + x) - 1 into x."""
    total = jnp.maximum(1 + x, least)
    return total, jax.lax.stop_gradient(jnp.where(jnp.abs(x) < 1, x - (total - 1), 1 - (total - x)))


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
        log = log_distance(score, target)
        return jnp.where(raw < LOWEST, jnp.square(log) + 2 * log * (LOWEST - raw), jnp.square(log))

    def best_constant(self, target: np.ndarray, weight: np.ndarray | None = None, classes: int | None = None) -> np.ndarray:
        del classes
        return np.expm1(np.array([np.average(np.log1p(target), weights=weight)]))
