"""Crammer–Singer hinge: the right class must beat the best other one by a margin."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from downslope.core.about import AboutLoss, Paper, Task
from downslope.core.exact import two_sum
from downslope.core.kinks import positive_part
from downslope.core.shares import best_other, own_score
from downslope.losses.base import Loss, class_shares


class CrammerSingerHinge(Loss):
    """Costs nothing once the right class leads the best other class by 1.

    Use it when only the decision among several classes counts.
    Not when probabilities are wanted, and not when no class has a majority and the features say little: then its best answer
    is the same score for all classes.

    >>> CrammerSingerHinge()(jnp.array([[3.0, 0.5, 1.0], [0.0, 0.5, 1.0]]), jnp.array([0, 1]))
    Array([0. , 1.5], dtype=float32)
    """

    about = AboutLoss(
        title="Crammer–Singer hinge",
        equation=r"\ell(s, y) = \max\left(0,\; 1 + \max_{j \ne y} s_j - s_y\right)",
        source=Paper(
            "Crammer and Singer",
            2001,
            "On the Algorithmic Implementation of Multiclass Kernel-based Vector Machines",
            "https://www.jmlr.org/papers/v2/crammer01a.html",
        ),
        task=Task.MULTICLASS,
        link="argmax",
        target="class indices from 0",
        lowest=0.0,
        target_scale="none",
        aims_at="the majority class",
        aliases=("multiclass_hinge",),
        default=True,
        differs={
            "PyTorch": "`multi_margin_loss` is the Weston–Watkins form, divided by the number of classes.",
            "Keras": "`CategoricalHinge` lets the right class's own slot, at 0, take part in the maximum.",
            "optax": "`multiclass_hinge_loss` is the same.",
            "scikit-learn": "LinearSVC has it as `multi_class='crammer_singer'`; SGDClassifier fits one class against the rest.",
        },
    )

    def __call__(self, raw: Float[Array, " batch classes"], target: Int[Array, " batch"]) -> Float[Array, " batch"]:
        own = own_score(raw, target)
        behind, lost = two_sum(best_other(raw, target), -own)
        margin, more_lost = two_sum(behind, jnp.ones_like(behind))
        return positive_part(margin + (lost + more_lost))

    def best_constant(self, target: np.ndarray, weight: np.ndarray | None = None, classes: int | None = None) -> np.ndarray:
        return (class_shares(target, weight, classes) > 0.5).astype(float)
