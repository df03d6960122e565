"""Softmax of scores with every digit, also where one class is all but certain.

The trick: the right class is left out of the sum of exponentials. What the others add to its 1 is tiny for a confident
model and would vanish in the sum; `log1p` takes it whole. Score differences carry their rounding error into `exp`.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from downslope.core.exact import added, finite, inverse, two_sum

Scores = Float[Array, " *batch classes"]
Labels = Int[Array, " *batch"]
PerExample = Float[Array, " *batch"]


def is_label(raw: Scores, label: Labels) -> Array:
    """Whether each score belongs to the example's own class."""
    return jax.lax.broadcasted_iota(label.dtype, raw.shape, raw.ndim - 1) == label[..., None]


def own_score(raw: Scores, label: Labels) -> PerExample:
    """The score of each example's own class; not a number when there is no such class."""
    label = jnp.where(label < 0, raw.shape[-1], label)  # or −1 would quietly mean the last class
    return jnp.take_along_axis(raw, label[..., None], axis=-1, mode="fill", fill_value=jnp.nan)[..., 0]


def best_other(raw: Scores, label: Labels) -> PerExample:
    """The highest score among the classes that are not the example's own."""
    return finite(jnp.max(jnp.where(is_label(raw, label), -jnp.inf, raw), axis=-1))


class Shares(NamedTuple):
    """exp(score − best) of all classes, seen from the own one."""

    best: PerExample
    own: PerExample
    others: PerExample
    others_lost: PerExample
    part: Scores  # of the whole: the softmax, 0 for the own class
    others_part: PerExample


def shares(raw: Scores, own: PerExample, is_own: Array) -> Shares:
    """The exponentials without the best score's, which cancels; `own` may be −inf where there is no own class."""
    best = jnp.max(raw, axis=-1)
    own_share, own_lost = share_of(own, best)
    own_share += own_share * own_lost
    share, lost = share_of(raw, best[..., None])
    share = jnp.where(is_own, 0, share + share * lost)
    others, others_lost = added(share)
    whole, whole_lost = two_sum(others, own_share)
    scale, correction = inverse(whole, whole_lost + others_lost)
    part = share * scale[..., None]
    part += part * correction[..., None]
    others_part = others * scale
    others_part += others_part * correction + others_lost * scale
    return Shares(best, own_share, others, others_lost, part, others_part)


def share_of(score: Array, best: Array) -> tuple[Array, Array]:
    """exp(score − best), and the rounding error of the difference, by whose share it is too small."""
    gap, lost = two_sum(finite(score), -best)
    return jnp.exp(gap), lost


@jax.custom_jvp
def softmax(raw: Scores) -> Scores:
    """The probability of each class."""
    nobody = jnp.full(raw.shape[:-1], -jnp.inf, raw.dtype)
    return shares(raw, nobody, jnp.zeros(raw.shape, bool)).part


@softmax.defjvp
def softmax_slope(primals: Any, tangents: Any) -> tuple[Scores, Scores]:
    """The derivative of `softmax`."""
    (raw,), (step,) = primals, tangents
    p = softmax(raw)
    return p, p * (step - jnp.sum(p * step, axis=-1, keepdims=True))
