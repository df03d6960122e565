"""Arithmetic that keeps its last digits: what a plain formula rounds away is carried along."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def two_sum(a: Float[Array, " *n"], b: Float[Array, " *n"]) -> tuple[Float[Array, " *n"], Float[Array, " *n"]]:
    """The rounded sum and exactly what the rounding lost (Knuth, 1969); nothing is lost where the sum is infinite.

    >>> total, lost = two_sum(jnp.float32(1.0), jnp.float32(1e-9))
    >>> float(total), round(float(lost) * 1e9, 6)
    (1.0, 1.0)
    """
    total = a + b
    shadow = total - a
    lost = (a - (total - shadow)) + (b - shadow)
    return total, jax.lax.stop_gradient(jnp.where(jnp.isfinite(total), lost, 0))


def log1p(x: Float[Array, " *n"]) -> Float[Array, " *n"]:
    """log(1 + x) with every digit, also for tiny x in float64, where XLA's own loses all of them on a CPU."""
    if x.dtype != jnp.float64:
        return jnp.log1p(x)
    tiny = jnp.abs(x) < 1e-17
    return jnp.where(tiny, x, jnp.log1p(jnp.where(tiny, 0, x)))


def softplus(x: Float[Array, " *n"]) -> Float[Array, " *n"]:
    """log(1 + exp(x)), right in value and in every derivative: `where` and not `abs`, whose slope at 0 is 0."""
    high = x > 0
    return jnp.where(high, x, 0) + log1p(jnp.exp(jnp.where(high, -x, x)))
