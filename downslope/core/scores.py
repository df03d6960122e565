"""What losses make of the scores of several classes beside cross-entropy, with every digit."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.custom_derivatives import SymbolicZero
from jaxtyping import Array

from downslope.core.cross_entropy import cross_entropy, with_excess
from downslope.core.exact import added, exp, expm1_near, finite, log1p, ratio, two_product, two_sum
from downslope.core.shares import Labels, PerExample, Scores, is_label, own_score, shares, softmax


def excess(raw: Scores, label: Labels) -> Scores:
    """Softmax minus 1 at the own class: the gradient of `cross_entropy`."""
    return with_excess(raw, label)[1]


@jax.custom_jvp
def own_part(raw: Scores, label: Labels) -> PerExample:
    """The probability of the example's own class."""
    share = shares(raw, own_score(raw, label), is_label(raw, label))
    return share.own / (share.own + share.others)


@own_part.defjvp
def own_part_slope(primals: Any, tangents: Any) -> tuple[PerExample, PerExample]:
    """The derivative of `own_part`."""
    raw, label = primals
    p = own_part(raw, label)
    return p, -p * jnp.sum(excess(raw, label) * tangents[0], axis=-1)


@jax.custom_jvp
def miss(raw: Scores, label: Labels) -> tuple[PerExample, PerExample]:
    """The probability of all other classes together, summed up and not subtracted from 1, and what its rounding lost."""
    best = jnp.max(raw, axis=-1)
    others, lost = added(jnp.where(is_label(raw, label), 0, exp(*two_sum(finite(raw), -best[..., None]))))
    whole, whole_lost = two_sum(others, exp(*two_sum(finite(own_score(raw, label)), -best)))
    return ratio((others, lost), (whole, whole_lost + lost))


@miss.defjvp
def miss_slope(primals: Any, tangents: Any) -> tuple[Any, Any]:
    """The derivative of `miss`; what is lost has none."""
    raw, label = primals
    missed, lost = miss(raw, label)
    slope = own_part(raw, label) * jnp.sum(excess(raw, label) * tangents[0], axis=-1)
    return (missed, lost), (slope, jnp.zeros_like(lost))


@jax.custom_jvp
def own_power(raw: Scores, label: Labels, q: Array) -> PerExample:
    """The probability of the own class to the power of q, also where the probability itself is too small for a number."""
    best = jnp.max(raw, axis=-1)
    own = own_score(raw, label)
    gap, lost = two_sum(finite(own), -best)
    power, power_lost = two_product(jnp.broadcast_to(q, gap.shape), gap)
    share = shares(raw, own, is_label(raw, label))
    whole, whole_lost = two_sum(share.others, share.own)
    result = jnp.exp(power) * jnp.power(whole, -q)
    return result + result * (power_lost + q * (lost - (whole_lost + share.others_lost) / whole))


@own_power.defjvp
def own_power_slope(primals: Any, tangents: Any) -> tuple[PerExample, PerExample]:
    """The derivative of `own_power`, for scores and for q."""
    raw, label, q = primals
    power = own_power(raw, label, q)
    surprise = cross_entropy(raw, label)
    return power, -power * (q * jnp.sum(excess(raw, label) * tangents[0], axis=-1) + surprise * tangents[2])


@jax.custom_jvp
def bounded_cross_entropy(raw: Scores, label: Labels, q: Array) -> PerExample:
    """(1 − p^q) / q of the probability of the own class."""
    power = own_power(raw, label, q)
    near = power >= 0.5
    exponent = jnp.where(near, -q * cross_entropy(raw, label), 0)
    return jnp.where(near, -expm1_near(exponent), 1 - power) / q


@bounded_cross_entropy.defjvp
def bounded_cross_entropy_slope(primals: Any, tangents: Any) -> tuple[PerExample, PerExample]:
    """The derivative of `bounded_cross_entropy`, for scores and for q."""
    raw, label, q = primals
    value, power = bounded_cross_entropy(raw, label, q), own_power(raw, label, q)
    by_raw = power * jnp.sum(excess(raw, label) * tangents[0], axis=-1)
    return value, by_raw + (power * cross_entropy(raw, label) - value) / q * tangents[2]


def majority(raw: Scores, target: Scores, total: PerExample) -> tuple[PerExample, Array]:
    """The score of the class that holds more than half of a soft target, −inf where none does, and which class it is."""
    is_own = 2 * target > total[..., None]
    return jnp.max(jnp.where(is_own, raw, -jnp.inf), axis=-1), is_own


@jax.custom_jvp
def soft_cross_entropy(raw: Scores, target: Scores) -> PerExample:
    """−Σ target · log softmax. A class with target 0 counts for nothing, even where its score is −inf."""
    total = added(target)[0]
    share = shares(raw, *majority(raw, target, total))
    behind, lost = added(jnp.where(target == 0, 0, target * (share.best[..., None] - finite(raw))))
    return behind + (lost + total * log1p(share.others + (share.own - 1)))


@jax.custom_jvp
def soft_excess(raw: Scores, target: Scores) -> Scores:
    """Softmax times the targets' sum, minus the targets: the gradient of `soft_cross_entropy`."""
    total = added(target)[0]
    own, is_own = majority(raw, target, total)
    share = shares(raw, own, is_own)
    # where p − t would cancel: (1 − t) − (1 − p)
    part = total[..., None] * jnp.where(is_own, share.others_part[..., None], share.part)
    return jnp.where(is_own, (total[..., None] - target) - part, part - target)


@partial(soft_cross_entropy.defjvp, symbolic_zeros=True)
def soft_cross_entropy_slope(primals: Any, tangents: Any) -> tuple[PerExample, PerExample]:
    """The derivative of `soft_cross_entropy`, for scores and for targets: only for those that vary."""
    (raw, target), (raw_step, target_step) = primals, tangents
    step = jnp.zeros(raw.shape[:-1], raw.dtype)
    if not isinstance(raw_step, SymbolicZero):
        step += jnp.sum(soft_excess(raw, target) * raw_step, axis=-1)
    if not isinstance(target_step, SymbolicZero):
        step += jnp.sum(-jax.nn.log_softmax(raw, axis=-1) * target_step, axis=-1)
    return soft_cross_entropy(raw, target), step


@soft_excess.defjvp
def soft_excess_slope(primals: Any, tangents: Any) -> tuple[Scores, Scores]:
    """The derivative of `soft_excess`."""
    (raw, target), (raw_step, target_step) = primals, tangents
    p, p_step = jax.jvp(softmax, (raw,), (raw_step,))
    total, total_step = (jnp.sum(t, axis=-1, keepdims=True) for t in (target, target_step))
    return soft_excess(raw, target), total * p_step + total_step * p - target_step
