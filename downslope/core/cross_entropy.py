"""Cross-entropy of class labels and its gradient: in float32 on a CPU by a kernel of our own, otherwise by XLA."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.interpreters import batching

from downslope.core.exact import log1p
from downslope.core.primitive import primitive, registered
from downslope.core.shares import Labels, PerExample, Scores, is_label, own_score, shares, softmax

KERNEL = "downslope_cross_entropy"
FEWEST = 16  # classes: the kernel takes as many at once


@jax.custom_jvp
def cross_entropy(raw: Scores, label: Labels) -> PerExample:
    """−log of the probability of the example's own class.

    >>> cross_entropy(jnp.zeros((1, 4)), jnp.array([3]))
    Array([1.3862944], dtype=float32)
    """
    return surprise_p.bind(raw, label, slope=False)[0]


@cross_entropy.defjvp
def cross_entropy_slope(primals: Any, tangents: Any) -> tuple[PerExample, PerExample]:
    """The derivative of `cross_entropy`; a label has none."""
    value, slope = with_excess(*primals)
    return value, jnp.sum(slope * tangents[0], axis=-1)


@jax.custom_jvp
def with_excess(raw: Scores, label: Labels) -> tuple[PerExample, Scores]:
    """Cross-entropy and its gradient: softmax minus 1 at the own class. 1 − p is summed up, never subtracted."""
    value, slope = surprise_p.bind(raw, label, slope=True)
    return value, slope


@with_excess.defjvp
def with_excess_slope(primals: Any, tangents: Any) -> tuple[tuple[PerExample, Scores], tuple[PerExample, Scores]]:
    """The derivative of `with_excess`: its second is that of softmax."""
    (raw, label), (step, _) = primals, tangents
    value, slope = with_excess(raw, label)
    return (value, slope), (jnp.sum(slope * step, axis=-1), jax.jvp(softmax, (raw,), (step,))[1])


def surprise(raw: Scores, label: Labels, *, slope: bool) -> list[Array]:
    """Cross-entropy, and its gradient where it is asked for, by XLA."""
    own, is_own = own_score(raw, label), is_label(raw, label)
    share = shares(raw, own, is_own)
    value = (share.best - own) + log1p(share.others + (share.own - 1))
    return [value, jnp.where(is_own, -share.others_part[..., None], share.part)] if slope else [value]


def on_cpu(raw: Scores, label: Labels, *, slope: bool) -> list[Array]:
    """The same on a CPU. The kernel leaves the last step of the gradient to XLA, which goes over all of it in any case: a product
    with each row's scale, a number and what its rounding lost."""
    if raw.dtype != jnp.float32 or not raw.size or raw.shape[-1] < FEWEST or not registered(KERNEL):
        return surprise(raw, label, slope=slope)
    rows, scores = label.shape, raw.reshape(-1, raw.shape[-1])
    each = scores.shape[:1]
    shapes = [each, scores.shape, each, each] if slope else [each]
    wanted = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes]
    value, *more = jax.ffi.ffi_call(KERNEL, wanted)(scores, label.reshape(-1).astype(jnp.int32))
    if not slope:
        return [value.reshape(rows)]
    part, scale, lost = more
    return [value.reshape(rows), (part * scale[:, None] + part * lost[:, None]).reshape(raw.shape)]


def batched(values: tuple[Array, Array], axes: tuple[int | None, int | None], *, slope: bool) -> tuple[list[Array], list[int]]:
    """Many at once are more rows."""
    size = next(value.shape[axis] for value, axis in zip(values, axes, strict=True) if axis is not None)
    raw, label = (
        jnp.broadcast_to(value, (size, *value.shape)) if axis is None else jnp.moveaxis(value, axis, 0)
        for value, axis in zip(values, axes, strict=True)
    )
    found = surprise_p.bind(raw, label, slope=slope)
    return found, [0] * len(found)


surprise_p = primitive(surprise, on_cpu)
batching.primitive_batchers[surprise_p] = batched
