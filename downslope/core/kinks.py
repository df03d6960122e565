"""Functions with a kink, each with its derivative written down: the mean of both sides, and one pass where `maximum`'s own
derivative, which looks for ties and divides by their number, takes three."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from downslope.core.types import Number


@jax.custom_jvp
def absolute(x: Float[Array, " *n"]) -> Float[Array, " *n"]:
    """|x|; its slope at 0 is 0."""
    return jnp.abs(x)


@absolute.defjvp
def absolute_slope(primals: Any, tangents: Any) -> tuple[Array, Array]:
    """The derivative of `absolute`."""
    return absolute(*primals), jnp.sign(primals[0]) * tangents[0]


@jax.custom_jvp
def positive_part(x: Float[Array, " *n"]) -> Float[Array, " *n"]:
    """max(0, x); its slope at 0 is one half.

    >>> jax.vmap(jax.grad(positive_part))(jnp.array([-1.0, 0.0, 1.0]))
    Array([0. , 0.5, 1. ], dtype=float32)
    """
    return jnp.where(x < 0, 0, x)  # not `maximum`, which XLA would leave to the library that adds up, and that takes longer


@positive_part.defjvp
def positive_part_slope(primals: Any, tangents: Any) -> tuple[Array, Array]:
    """The derivative of `positive_part`."""
    return positive_part(*primals), (0.5 + 0.5 * jnp.sign(primals[0])) * tangents[0]


@jax.custom_jvp
def rounded(x: Float[Array, " *n"], width: Number) -> Float[Array, " *n"]:
    """x²/2 where |x| is at most `width`, beyond it a straight line."""
    return jnp.where(jnp.abs(x) <= width, 0.5 * jnp.square(x), width * (jnp.abs(x) - 0.5 * width))


@rounded.defjvp
def rounded_slope(primals: Any, tangents: Any) -> tuple[Array, Array]:
    """The derivative of `rounded`, for x and for the width."""
    x, width = primals
    return rounded(x, width), jnp.clip(x, -width, width) * tangents[0] + positive_part(jnp.abs(x) - width) * tangents[1]
