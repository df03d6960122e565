"""Arithmetic that keeps its last digits: what a plain formula rounds away is carried along."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from downslope.core.types import Number

Pair = tuple[Float[Array, " *n"], Float[Array, " *n"]]

TRAILING_DIGITS = {"float32": 12, "float64": 27}  # half of them, in bits
FOLDS = 16
VECTOR = 8  # numbers that one instruction takes; of a row that is no multiple of it, the last are taken one by one


def two_sum(a: Float[Array, " *n"], b: Float[Array, " *n"]) -> Pair:
    """The rounded sum of finite numbers and exactly what the rounding lost (Knuth, 1969).

    >>> total, lost = two_sum(jnp.float32(1.0), jnp.float32(1e-9))
    >>> float(total), round(float(lost) * 1e9, 6)
    (1.0, 1.0)
    """
    total = a + b
    shadow = total - a
    lost = (a - (total - shadow)) + (b - shadow)
    return total, jax.lax.stop_gradient(lost)


def sum_by_size(large: Float[Array, " *n"], small: Float[Array, " *n"]) -> Pair:
    """As `two_sum`, in half the work, where the first is 0, the larger one or of no finer digits (Dekker, 1971)."""
    total = large + small
    return total, small - (total - large)


def inverse(total: Float[Array, " *n"], lost: Float[Array, " *n"]) -> Pair:
    """1/(total + lost) as a number and its relative correction: multiply by the first, then by 1 + the second."""
    first = 1 / total
    (total_high, total_low), (first_high, first_low) = halves(total), halves(first)
    product = (total_high * first_high - 1) + (total_high * first_low + total_low * first_high) + total_low * first_low
    return first, -(product + lost * first)


def two_product(a: Float[Array, " *n"], b: Float[Array, " *n"]) -> Pair:
    """The product and what its rounding lost, from parts whose products are exact: fusing them cannot change the result."""
    (a_high, a_low), (b_high, b_low) = halves(a), halves(b)
    return two_sum(a_high * b_high, (a_high * b_low + a_low * b_high) + a_low * b_low)


def halves(x: Float[Array, " *n"]) -> Pair:
    """The leading and the trailing digits, so few that products of them are exact: the number with half of its bits cleared."""
    cleared = bits(x) & -(1 << TRAILING_DIGITS[x.dtype.name])
    high = jax.lax.bitcast_convert_type(cleared, x.dtype)
    return high, x - high


def bits(x: Float[Array, " *n"]) -> Int[Array, " *n"]:
    """The bits of a number, as an integer of the same size."""
    return jax.lax.bitcast_convert_type(x, jnp.int32 if x.dtype == jnp.float32 else jnp.int64)


@jax.custom_jvp
def exp_product(a: Float[Array, " *n"], b: Float[Array, " *n"]) -> Float[Array, " *n"]:
    """exp(a · b), the product taken exactly."""
    product, lost = two_product(a, b)
    result = jnp.exp(product)
    return result + jnp.where(jnp.isfinite(result), result * lost, 0)


@exp_product.defjvp
def exp_product_slope(primals: Any, tangents: Any) -> tuple[Array, Array]:
    """The derivative of `exp_product`: through its parts infinity would meet minus infinity."""
    (a, b), (a_step, b_step) = primals, tangents
    result = exp_product(a, b)
    return result, result * (a * b_step + b * a_step)


def ratio(a: Pair, b: Pair) -> Pair:
    """a / b and what its rounding lost, for numbers that come with their own loss."""
    quotient = a[0] / b[0]
    product, lost = two_product(quotient, b[0])
    return quotient, jax.lax.stop_gradient((((a[0] - product) - lost) + (a[1] - quotient * b[1])) / b[0])


def expm1_near(x: Float[Array, " *n"]) -> Float[Array, " *n"]:
    """exp(x) − 1 for |x| < 1, by its series: XLA's own is off by up to six units."""
    series = jnp.ones_like(x)
    for index in range(20, 1, -1):
        series = 1 + x / index * series
    return x * series


def exp(x: Float[Array, " *n"], lost: Float[Array, " *n"]) -> Float[Array, " *n"]:
    """exp(x + lost) of a number not above 0, off by little more than its rounding: XLA's own by up to twice that.

    Slower, for formulas that raise the result to a power. Written for values only; its derivative is itself.
    """
    high, low = (0.693359375, -2.12194440054690583e-4) if x.dtype == jnp.float32 else (0.693145751953125, 1.42860682030941723e-6)
    x = jnp.maximum(x, -2 * jnp.log(jnp.finfo(x.dtype).max))  # the result is 0 long before
    times = jnp.round(x * 1.4426950408889634)
    rest, rest_lost = two_sum(x - times * high, -times * low)  # the first product is exact
    change = expm1_near(rest)
    return jnp.ldexp(1 + (change + (rest_lost + lost) * (1 + change)), times.astype(jnp.int32))


def added(x: Float[Array, "*n k"]) -> Pair:
    """The sum over the last axis of shares of a whole, and what its rounding lost: coarse and fine digits go apart."""
    if (
        x.shape[-1] > 2 * FOLDS
    ):  # plain sums add up in blocks, as long ones need; the barrier stops the compiler from keeping parts
        coarse, fine = folded(x, coarse_digits), folded(jax.lax.optimization_barrier(x), fine_digits)
        return two_sum(jnp.sum(coarse, axis=-1), jnp.sum(fine, axis=-1))
    zero = jnp.zeros((), x.dtype)  # short ones are faster in one pass
    both = coarse_digits(x), fine_digits(x)
    return two_sum(*jax.lax.reduce(both, (zero, zero), lambda a, b: (a[0] + b[0], a[1] + b[1]), (x.ndim - 1,)))


def coarse_digits(share: Float[Array, " *n"]) -> Float[Array, " *n"]:
    """So few digits that thousands of them add up without error."""
    return jnp.round(share * 2**12) * 2**-12


def fine_digits(share: Float[Array, " *n"]) -> Float[Array, " *n"]:
    """The digits after the coarse ones."""
    return share - coarse_digits(share)


def folded(x: Float[Array, "*n k"], digits: Callable[[Array], Array]) -> Float[Array, "*n some"]:
    """Sums of sixteen or more along the last axis, in rows of whole vectors, then the rest."""
    width = max(VECTOR, x.shape[-1] // FOLDS // VECTOR * VECTOR)
    end = x.shape[-1] // width * width
    parts = [digits(x[..., start : start + width]) for start in range(0, end, width)]
    while len(parts) > 1:
        parts = [a + b for a, b in zip(parts[::2], parts[1::2], strict=False)] + parts[len(parts) // 2 * 2 :]
    # Nothing is lost by one digit less; it keeps XLA from handing the tree to a library that first copies every slice.
    whole = jnp.concatenate([parts[0], digits(x[..., end:])], axis=-1)
    kind = jnp.finfo(x.dtype)
    return jax.lax.reduce_precision(whole, kind.nexp, kind.nmant - 1)


def beyond(a: Float[Array, " *n"], b: Float[Array, " *n"], width: Number) -> Float[Array, " *n"]:
    """|a − b| − width, right to the last digit also where little is left."""
    error, lost = two_sum(a, -b)
    size, lost = jnp.maximum(error, -error), jnp.where(error > 0, lost, -lost)
    over, more_lost = two_sum(size, -jnp.broadcast_to(jnp.asarray(width, size.dtype), size.shape))
    return over + (lost + more_lost)


def finite(x: Float[Array, " *n"]) -> Float[Array, " *n"]:
    """x, with −inf as a number so low that differences to it stay finite and its exponential is 0."""
    return jnp.maximum(x, jnp.finfo(x.dtype).min / 2**15)


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
