"""Kullback–Leibler divergence: how far predicted probabilities are from given ones."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Num

from downslope.core.about import AboutLoss, Paper, Task
from downslope.core.exact import added
from downslope.core.scores import cross_entropy, soft_cross_entropy
from downslope.losses.base import Loss, class_shares


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
        ulp=5,
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
        own_surprise = jnp.where(target > 0, target * jnp.log(jnp.where(target > 0, target, 1)), 0)
        known, lost = added(own_surprise)
        return (known + soft_cross_entropy(raw, target)) + lost

    def best_constant(self, target: np.ndarray, weight: np.ndarray | None = None, classes: int | None = None) -> np.ndarray:
        share = class_shares(target, weight, classes)
        return np.log(np.where(share > 0, share, 0.5 / len(target)))
