"""Scores of several classes: softmax and cross-entropy with every digit, also where one class is all but certain.

The trick: the best class is left out of the sum of exponentials. What the others add to its 1 is tiny for a confident
model and would vanish in the sum; `log1p` takes it whole. Score differences carry their rounding error into `exp`.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.custom_derivatives import SymbolicZero
from jaxtyping import Array, Float, Int

from downslope.core.exact import log1p, two_sum

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


def shares(raw: Scores) -> tuple[PerExample, Scores, PerExample]:
    """The best score, exp(score − best) for each class, and the sum of those without one best class."""
    best = jnp.max(raw, axis=-1)
    share = share_of(raw, best[..., None])
    is_best = raw == best[..., None]
    ties = jnp.sum(is_best, axis=-1, dtype=raw.dtype) - 1
    return best, share, jnp.sum(jnp.where(is_best, 0, share), axis=-1) + ties


def share_of(score: Array, best: Array) -> Array:
    """exp(score − best), the difference taken exactly."""
    gap, lost = two_sum(score, jnp.broadcast_to(-best, score.shape))
    share = jnp.exp(gap)
    return share + share * lost


@jax.custom_jvp
def softmax(raw: Scores) -> Scores:
    """The probability of each class."""
    _, share, rest = shares(raw)
    return share / (1 + rest)[..., None]


@softmax.defjvp
def softmax_slope(primals: Any, tangents: Any) -> tuple[Scores, Scores]:
    """The derivative of `softmax`."""
    (raw,), (step,) = primals, tangents
    p = softmax(raw)
    return p, p * (step - jnp.sum(p * step, axis=-1, keepdims=True))


@jax.custom_jvp
def cross_entropy(raw: Scores, label: Labels) -> PerExample:
    """−log of the probability of the example's own class."""
    best, _, rest = shares(raw)
    return (best - own_score(raw, label)) + log1p(rest)


@jax.custom_jvp
def excess(raw: Scores, label: Labels) -> Scores:
    """Softmax minus 1 at the own class: the gradient of `cross_entropy`. 1 − p is summed up, never subtracted."""
    best, share, rest = shares(raw)
    own = own_score(raw, label)
    others = jnp.where(own == best, rest, (1 + rest) - share_of(own, best))
    return jnp.where(is_label(raw, label), -others[..., None], share) / (1 + rest)[..., None]


@cross_entropy.defjvp
def cross_entropy_slope(primals: Any, tangents: Any) -> tuple[PerExample, PerExample]:
    """The derivative of `cross_entropy`; a label has none."""
    raw, label = primals
    return cross_entropy(raw, label), jnp.sum(excess(raw, label) * tangents[0], axis=-1)


@excess.defjvp
def excess_slope(primals: Any, tangents: Any) -> tuple[Scores, Scores]:
    """The derivative of `excess`, which is that of softmax."""
    raw, label = primals
    return excess(raw, label), jax.jvp(softmax, (raw,), (tangents[0],))[1]


@jax.custom_jvp
def soft_cross_entropy(raw: Scores, target: Scores) -> PerExample:
    """−Σ target · log softmax. A class with target 0 counts for nothing, even where its score is −inf."""
    best, _, rest = shares(raw)
    behind = jnp.where(target == 0, 0, best[..., None] - raw)
    return jnp.sum(target * behind, axis=-1) + jnp.sum(target, axis=-1) * log1p(rest)


@jax.custom_jvp
def soft_excess(raw: Scores, target: Scores) -> Scores:
    """Softmax times the targets' sum, minus the targets: the gradient of `soft_cross_entropy`."""
    best, share, rest = shares(raw)
    mass = jnp.sum(target, axis=-1, keepdims=True)
    part = mass * jnp.where(raw == best[..., None], rest[..., None], share) / (1 + rest)[..., None]
    return jnp.where(raw == best[..., None], (mass - target) - part, part - target)


@partial(soft_cross_entropy.defjvp, symbolic_zeros=True)
def soft_cross_entropy_slope(primals: Any, tangents: Any) -> tuple[PerExample, PerExample]:
    """The derivative of `soft_cross_entropy`, for scores and for targets: only for those that vary."""
    (raw, target), (raw_step, target_step) = primals, tangents
    step = jnp.zeros(raw.shape[:-1], raw.dtype)
    if not isinstance(raw_step, SymbolicZero):
        step += jnp.sum(soft_excess(raw, target) * raw_step, axis=-1)
    if not isinstance(target_step, SymbolicZero):
        best, _, rest = shares(raw)
        step += jnp.sum(((best[..., None] - raw) + log1p(rest)[..., None]) * target_step, axis=-1)
    return soft_cross_entropy(raw, target), step


@soft_excess.defjvp
def soft_excess_slope(primals: Any, tangents: Any) -> tuple[Scores, Scores]:
    """The derivative of `soft_excess`."""
    (raw, target), (raw_step, target_step) = primals, tangents
    p, p_step = jax.jvp(softmax, (raw,), (raw_step,))
    mass, mass_step = (jnp.sum(t, axis=-1, keepdims=True) for t in (target, target_step))
    return soft_excess(raw, target), mass * p_step + mass_step * p - target_step


def best_other(raw: Scores, label: Labels) -> PerExample:
    """The highest score among the classes that are not the example's own."""
    return jnp.max(jnp.where(is_label(raw, label), -jnp.inf, raw), axis=-1)
