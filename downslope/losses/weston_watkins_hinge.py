"""Weston–Watkins hinge: the right class must beat every other one by a margin."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from downslope.core.about import AboutLoss, Paper, Task
from downslope.core.exact import finite, two_sum
from downslope.core.kinks import positive_part
from downslope.core.shares import is_label, own_score
from downslope.losses.base import Loss, class_shares


class WestonWatkinsHinge(Loss):
    """The sum over all other classes of how much each comes too close.

    Use it when only the decision counts and all rivals matter, not the best alone.
    Not with very many classes, where many small shortfalls outweigh one large one.

    >>> WestonWatkinsHinge()(jnp.array([[3.0, 0.5, 1.0], [0.0, 0.5, 1.0]]), jnp.array([0, 1]))
    Array([0., 2.], dtype=float32)
    """

    about = AboutLoss(
        title="Weston–Watkins hinge",
        equation=r"\ell(s, y) = \sum_{j \ne y} \max(0,\; 1 + s_j - s_y)",
        source=Paper(
            "Weston and Watkins",
            1999,
            "Support Vector Machines for Multi-Class Pattern Recognition",
            "https://www.esann.org/sites/default/files/proceedings/legacy/es1999-461.pdf",
        ),
        task=Task.MULTICLASS,
        target="class indices from 0",
        lowest=0.0,
        target_scale="none",
        link="argmax",
        aims_at="the order of the classes by frequency",
        differs={
            "PyTorch": "`multi_margin_loss` is it divided by the number of classes.",
            "Keras": "not there; `CategoricalHinge` looks at the best other class.",
            "optax": "not there; `multiclass_hinge_loss` looks at the best other class.",
        },
    )

    def __call__(self, raw: Float[Array, " batch classes"], target: Int[Array, " batch"]) -> Float[Array, " batch"]:
        behind, lost = two_sum(finite(raw), -own_score(raw, target)[..., None])
        short, more_lost = two_sum(behind, jnp.ones_like(behind))
        short = positive_part(short + (lost + more_lost))
        return jnp.sum(jnp.where(is_label(raw, target), 0, short), axis=-1)

    def best_constant(self, target: np.ndarray, weight: np.ndarray | None = None, classes: int | None = None) -> np.ndarray:
        share = class_shares(target, weight, classes)
        order = np.argsort(-share, kind="stable")
        p, count = share[order], len(share)
        # Frequent classes stand on higher steps of height 1. A pair on one step costs both shares, one on steps d apart the
        # lower share 1 + d times; so the best cut of the sorted classes into steps is found step by step from the top.
        place = np.arange(count)
        cost, start = np.zeros(count + 1), np.zeros(count + 1, dtype=int)
        for end in range(1, count + 1):
            together = np.cumsum((p[:end] * (end - 1 - place[:end]))[::-1])[::-1]  # of a step that begins at each place
            total = (
                cost[:end]
                + together
                + np.where(place[:end] > 0, place[:end] * p[:count].sum() - place[:end] * np.append(0, np.cumsum(p))[:end], 0)
            )
            start[end] = int(np.argmin(total))
            cost[end] = total[start[end]]
        step, scores, end = 0, np.zeros(count), count
        while end > 0:
            scores[order[start[end] : end]] = step
            end, step = start[end], step + 1
        return scores
