"""Arithmetic that keeps its last digits: what a plain formula rounds away is carried along."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

# Exponent and half of the mantissa's bits, of which products are exact.
HALF_THE_DIGITS = {"float32": (8, 11), "float64": (11, 25)}


def two_sum(a: Float[Array, " *n"], b: Float[Array, " *n"]) -> tuple[Float[Array, " *n"], Float[Array, " *n"]]:
    """The rounded sum of finite numbers and exactly what the rounding lost (Knuth, 1969).

    >>> total, lost = two_sum(jnp.float32(1.0), jnp.float32(1e-9))
    >>> float(total), round(float(lost) * 1e9, 6)
    (1.0, 1.0)
    """
    total = a + b
    shadow = total - a
    lost = (a - (total - shadow)) + (b - shadow)
    return total, jax.lax.stop_gradient(lost)


def inverse(total: Float[Array, " *n"], lost: Float[Array, " *n"]) -> tuple[Float[Array, " *n"], Float[Array, " *n"]]:
    """1/(total + lost) as a number and its relative correction: multiply by the first, then by 1 + the second."""
    first = 1 / total
    total_high, first_high = (jax.lax.reduce_precision(x, *HALF_THE_DIGITS[x.dtype.name]) for x in (total, first))
    total_low, first_low = total - total_high, first - first_high
    product = (total_high * first_high - 1) + (total_high * first_low + total_low * first_high) + total_low * first_low
    return first, -(product + lost * first)


def added(x: Float[Array, "*n k"]) -> tuple[Float[Array, " *n"], Float[Array, " *n"]]:
    """The sum over the last axis of shares of a whole, and what its rounding lost: coarse and fine digits go apart."""
    coarse = jnp.round(x * 2**12) * 2**-12
    fine = x - coarse
    if x.shape[-1] > 32:  # plain sums add up in blocks, as long ones need; short ones are faster in one pass
        return two_sum(jnp.sum(coarse, axis=-1), jnp.sum(fine, axis=-1))
    zero = jnp.zeros((), x.dtype)
    pair = jax.lax.reduce((coarse, fine), (zero, zero), lambda a, b: (a[0] + b[0], a[1] + b[1]), (x.ndim - 1,))
    return two_sum(*pair)


def finite(x: Float[Array, " *n"]) -> Float[Array, " *n"]:
    """x, with −inf as a number so low that differences to it stay finite and its exponential is 0."""
    return jnp.maximum(x, jnp.finfo(x.dtype).min / 8)


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
