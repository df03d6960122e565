"""A layer of a network with rectifiers: small ones on a CPU by a kernel of our own, all others by XLA."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.custom_derivatives import SymbolicZero
from jax.interpreters import ad
from jaxtyping import Array, Float

from downslope.core.primitive import primitive, registered

UNIT = 16  # columns that the kernels take at once
MOST = 1024  # inputs or outputs; XLA's kernels are as fast for larger products
FORWARD, BACKWARD = "downslope_layer", "downslope_layer_backward"


@jax.custom_jvp
def layer(
    x: Float[Array, "batch inputs"], weight: Float[Array, "inputs outputs"], bias: Float[Array, " outputs"]
) -> Float[Array, "batch outputs"]:
    """`relu(x @ weight + bias)`; where that is 0 its gradient is 0. It has derivatives of any order, forward and backward.

    >>> layer(jnp.ones((3, 2)), jnp.ones((2, 16)), jnp.full(16, -1.5))[0, 0]
    Array(0.5, dtype=float32)
    """
    return forward_p.bind(x, weight, bias)[0]


@partial(layer.defjvp, symbolic_zeros=True)
def layer_jvp(values: tuple[Array, Array, Array], changes: tuple[Any, Any, Any]) -> tuple[Array, Array]:
    """Where `x` is data it has no change, and nobody will ask for the gradient by it."""
    result = layer(*values)
    moved = [jnp.zeros_like(v) if isinstance(c, SymbolicZero) else c for v, c in zip(values, changes, strict=True)]
    if isinstance(changes[0], SymbolicZero):
        moved = moved[1:]
    return result, change_p.bind(*values[:2], result, *moved)[0]


def forward(x: Array, weight: Array, bias: Array) -> list[Array]:
    """The layer by XLA."""
    return [jnp.maximum(x @ weight + bias[None], 0)]


def change(x: Array, weight: Array, result: Array, *moved: Array) -> list[Array]:
    """How the result changes with weight and bias, or with `x`, weight and bias: linear in these."""
    *by_x, by_weight, by_bias = moved
    total = x @ by_weight + by_bias[None] + sum(each @ weight for each in by_x)
    return [jnp.where(result > 0, total, 0)]


def backward(x: Array, weight: Array, result: Array, slope: Array, *, by_x: bool) -> list[Array]:
    """The gradients by weight and bias, and by `x` where that is asked for, from the one by the result.

    XLA's fast products take the numbers that they add up from rows. So `x` is turned first; a barrier keeps XLA from undoing it.
    """
    slope = jnp.where(result > 0, slope, 0)
    turned = jax.lax.optimization_barrier(x.T)
    return [turned @ slope, jnp.sum(slope, 0), *([slope @ weight.T] if by_x else [])]


def transposed(slopes: list[Any], x: Array, weight: Array, result: Array, *moved: Any) -> list[Any]:
    """What reverse mode makes of `change`."""
    if isinstance(slopes[0], ad.Zero):
        return [None] * (3 + len(moved))
    by_weight, by_bias, *by_x = backward_p.bind(x, weight, result, slopes[0], by_x=len(moved) > 2)
    found = (*by_x, by_weight, by_bias)
    return [None] * 3 + [f if ad.is_undefined_primal(m) else None for f, m in zip(found, moved, strict=True)]


def able() -> bool:
    """Whether there are kernels for a processor and a JAX like these."""
    return registered(FORWARD, BACKWARD)


def fits(x: Array, weight: Array, *others: Array, by_x: bool = False) -> bool:
    """Whether our kernels can and are faster: a choice by shape and type alone."""
    (inputs, outputs), single = weight.shape, all(each.dtype == jnp.float32 for each in (x, weight, *others))
    whole = outputs % UNIT == 0 and not (by_x and inputs % UNIT)
    return single and whole and len(x) > 0 and 0 < inputs <= MOST and 0 < outputs <= MOST and able()


def forward_on_cpu(*values: Array) -> list[Array]:
    """The layer on a CPU."""
    if not fits(*values):
        return forward(*values)
    wanted = [jax.ShapeDtypeStruct((len(values[0]), len(values[2])), jnp.float32)]
    return list(jax.ffi.ffi_call(FORWARD, wanted)(*values))


def backward_on_cpu(*values: Array, by_x: bool) -> list[Array]:
    """The gradients on a CPU."""
    if not fits(*values, by_x=by_x):
        return backward(*values, by_x=by_x)
    x, weight, *_ = values
    shapes = [weight.shape, weight.shape[1:], *([x.shape] if by_x else [])]
    return list(jax.ffi.ffi_call(BACKWARD, [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes])(*values))


forward_p, change_p, backward_p = (
    primitive(forward, forward_on_cpu),
    primitive(change, change),
    primitive(backward, backward_on_cpu),
)
ad.primitive_transposes[change_p] = transposed
