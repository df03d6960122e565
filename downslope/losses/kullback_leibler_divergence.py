"""Kullback–Leibler divergence: how far predicted probabilities are from given ones."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Num

from downslope.core.about import AboutLoss, Paper, Task
from downslope.core.cross_entropy import cross_entropy
from downslope.core.exact import added, finite, log1p, two_product, two_sum
from downslope.core.scores import majority, soft_cross_entropy
from downslope.core.shares import shares
from downslope.losses.base import Loss, class_shares


def own_surprise(target: Float[Array, " batch classes"]) -> Float[Array, " batch classes"]:
    """t · log t of each share, 0 where there is none."""
    return jnp.where(target > 0, target * jnp.log(jnp.where(target > 0, target, 1)), 0)


def divergence(raw: Float[Array, " batch classes"], target: Float[Array, " batch classes"]) -> Float[Array, " batch"]:
    """The difference of both surprises, which may nearly cancel: what sums and products round away is added at the end."""
    best, whole = jnp.max(raw, axis=-1), added(target)[0]
    gap, gap_lost = two_sum(best[..., None], -finite(raw))
    gap, gap_lost = (jnp.where(target == 0, 0, part) for part in (gap, gap_lost))
    product, product_lost = two_product(target, gap)
    behind, behind_lost = added(product)
    known, known_lost = added(own_surprise(target))
    share = shares(raw, *majority(raw, target, whole))
    result, lost = two_sum(behind, known)
    lost += behind_lost + known_lost + jnp.sum(product_lost + target * gap_lost, axis=-1)
    return result + (whole * log1p(share.others + (share.own - 1)) + lost)


class KullbackLeiblerDivergence(Loss):
    """Cross-entropy less what no model could avoid: 0 when the probabilities are hit exactly, so the value shows how far
    there is to go. The gradient is that of cross-entropy.

    Use it when targets are themselves distributions, as in distillation.
    Not for plain labels, where it is cross-entropy under a longer name.

    >>> KullbackLeiblerDivergence()(jnp.array([[0.0, 0.0], [3.0, 0.0]]), jnp.array([[0.5, 0.5], [1.0, 0.0]]))
    Array([0.        , 0.04858735], dtype=float32)
    """

    about = AboutLoss(
        title="Kullback–Leibler divergence",
        equation=r"\ell(s, t) = \sum_j t_j \log \frac{t_j}{p_j}, \quad p = \mathrm{softmax}(s)",
        source=Paper("Kullback and Leibler", 1951, "On Information and Sufficiency", "https://doi.org/10.1214/aoms/1177729694"),
        task=Task.MULTICLASS,
        target="one share for each class, or class indices from 0",
        lowest=0.0,
        target_scale="none",
        link="softmax",
        probabilities=True,
        soft_labels=True,
        aims_at="the probability of each class",
        aliases=("kl_divergence",),
        differs={
            "PyTorch": "`kl_div` takes log-probabilities, and its plain mean divides by every element.",
            "Keras": "`KLDivergence` takes probabilities and cuts both sides off at 1e-7.",
            "optax": "`kl_divergence` takes log-probabilities; there are four forms of it.",
        },
    )

    def __call__(self, raw: Float[Array, " batch classes"], target: Num[Array, " batch *classes"]) -> Float[Array, " batch"]:
        if target.ndim < raw.ndim:
            return cross_entropy(raw, target)
        plain = jnp.sum(own_surprise(target), axis=-1) + soft_cross_entropy(raw, target)  # has the right derivatives
        value, still = divergence(*jax.lax.stop_gradient((raw, target))), jax.lax.stop_gradient(plain)
        return plain + jnp.where(jnp.isfinite(still), value - still, 0)

    def best_constant(self, target: np.ndarray, weight: np.ndarray | None = None, classes: int | None = None) -> np.ndarray:
        share = class_shares(target, weight, classes)
        return np.log(np.where(share > 0, share, 0.5 / len(target)))
