"""Cross-entropy of a linear layer over very many classes, without ever holding the scores of all examples."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from downslope.core.cross_entropy import cross_entropy, with_excess
from downslope.core.domain import refuse
from downslope.core.errors import BadShape
from downslope.core.examples import counted, without
from downslope.core.record import is_concrete

SCORES = 25_000_000  # held at once: as many as keep the processor busy
FEWEST = 128  # examples side by side: fewer would read and write the slope of all weights too often


def linear_cross_entropy(
    features: Any, weights: Any, labels: Any, *, bias: Any = None, sample_weight: Any = None, rows: int | None = None
) -> Array:
    """The weighted mean of `cross_entropy(features @ weights + bias, labels)`, in bounded memory.

    `features` are `(batch, inputs)`, `weights` `(inputs, classes)`, `bias` `(classes,)`, `labels` class indices `(batch,)`,
    `sample_weight` `(batch,)`; an example of weight 0 counts for nothing, whatever it holds. The examples go through `rows`
    at a time, some hundred unless said otherwise. Where a gradient is wanted, each part's is taken while its scores are there,
    as nothing but their mean can follow: three products of matrices, as many as the plain composition needs, and the same
    digits. In reverse mode only.

    Raises `BadShape`, and `BadData` for a label without a score where labels are known.

    >>> features, weights = jnp.ones((3, 2)), jnp.array([[0.0, 1.0, 2.0, 0.0], [0.0, 1.0, 0.0, 0.0]])
    >>> round(float(linear_cross_entropy(features, weights, jnp.array([1, 2, 2]))), 4)
    0.8201
    """
    features, weights, labels = jnp.asarray(features), jnp.asarray(weights), jnp.asarray(labels)
    if features.ndim != 2 or weights.ndim != 2 or features.shape[1] != weights.shape[0] or labels.shape != features.shape[:1]:
        raise BadShape(
            "linear_cross_entropy needs features (batch, inputs), weights (inputs, classes) and labels (batch,), "
            f"got {features.shape}, {weights.shape} and {labels.shape}"
        )
    (batch, _), classes = features.shape, weights.shape[1]
    precision = jnp.promote_types(jnp.promote_types(features.dtype, weights.dtype), jnp.float32)
    heavy, _ = counted("linear_cross_entropy", sample_weight, None, labels.shape, precision)
    keep = heavy > 0
    if is_concrete(labels):
        seen = np.asarray(without(labels, keep))
        refuse("linear_cross_entropy", "label", seen, (seen >= 0) & (seen < classes), f"a class index from 0 to {classes - 1}")
    offset = jnp.zeros(classes, precision) if bias is None else jnp.asarray(bias).astype(precision)
    if offset.shape != (classes,):
        raise BadShape(f"linear_cross_entropy needs a bias of the shape ({classes},), got {offset.shape}")
    total = jnp.sum(heavy)
    share = heavy / jnp.where(total > 0, total, 1)
    parts = max(1, math.ceil(batch / (rows or max(FEWEST, SCORES // classes))))
    missing = parts * math.ceil(batch / parts) - batch

    def cut(values: Array) -> Array:
        padded = jnp.pad(without(values, keep), [(0, missing)] + [(0, 0)] * (values.ndim - 1))
        return padded.reshape(parts, -1, *values.shape[1:])

    parted = cut(features.astype(precision)), cut(labels.astype(jnp.int32)), cut(share)
    result = mean(weights.astype(precision), offset, *parted)
    return result.astype(jnp.promote_types(features.dtype, weights.dtype))


@jax.custom_vjp
def mean(weights: Array, bias: Array, features: Array, labels: Array, share: Array) -> Array:
    """The sum of shares times cross-entropies; features, labels and shares are cut into parts."""

    def one(total: Array, part: tuple[Array, ...]) -> tuple[Array, None]:
        x, label, weight = part
        return total + jnp.vdot(weight, cross_entropy(x @ weights + bias[None], label)), None

    return jax.lax.scan(one, jnp.zeros((), weights.dtype), (features, labels, share))[0]


def mean_and_slopes(weights: Array, bias: Array, features: Array, labels: Array, share: Array) -> tuple[Array, Any]:
    """The same with its slopes in weights, bias, features and shares."""

    def one(sums: tuple[Array, ...], part: tuple[Array, ...]) -> tuple[tuple[Array, ...], tuple[Array, Array]]:
        total, by_weights, by_bias = sums
        x, label, weight = part
        scores = x @ weights + bias[None]
        each, slope = with_excess(scores, label)
        slope *= weight[:, None]
        sums = (total + jnp.vdot(weight, each), by_weights + x.T @ slope, by_bias + jnp.sum(slope, axis=0))
        return sums, (slope @ weights.T, each)

    start = jnp.zeros((), weights.dtype), jnp.zeros_like(weights), jnp.zeros_like(bias)
    (total, *slopes), (by_features, each) = jax.lax.scan(one, start, (features, labels, share))
    return total, (*slopes, by_features, None, each)


def scaled(slopes: Any, above: Array) -> Any:
    """The slopes times that of whatever follows the mean."""
    return tuple(None if slope is None else above * slope for slope in slopes)


mean.defvjp(mean_and_slopes, scaled)
