"""Generalised cross-entropy: cross-entropy that gives up on labels it cannot believe."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from downslope.core.about import AboutLoss, Paper, Range, Task
from downslope.core.record import hyper
from downslope.core.scores import bounded_cross_entropy
from downslope.core.types import Number
from downslope.losses.base import Loss, class_shares


class GeneralisedCrossEntropy(Loss):
    """Between cross-entropy (`q` towards 0) and the mean absolute error of the probability (`q` of 1): no example costs more
    than 1/q.

    Use it when some labels are wrong.
    Not with clean labels and few rows, where it learns more slowly.

    >>> GeneralisedCrossEntropy(q=0.7)(jnp.array([[0.0, 0.0], [3.0, 0.0]]), jnp.array([1, 0]))
    Array([0.5491826 , 0.04777038], dtype=float32)
    """

    about = AboutLoss(
        title="Generalised cross-entropy",
        equation=r"\ell(s, y) = \frac{1 - p_y^q}{q}, \quad p = \mathrm{softmax}(s)",
        source=Paper(
            "Zhang and Sabuncu",
            2018,
            "Generalized Cross Entropy Loss for Training Deep Neural Networks with Noisy Labels",
            "https://arxiv.org/abs/1805.07836",
        ),
        task=Task.MULTICLASS,
        target="class indices from 0",
        lowest=0.0,
        target_scale="none",
        link="softmax",
        convex=False,
        aims_at="the probability of each class, sharpened",
        aliases=("gce", "generalized_cross_entropy"),
        differs={
            "Keras": "`CategoricalGeneralizedCrossEntropy` takes probabilities.",
        },
    )

    q: Number = hyper(
        default=0.7,
        above=0.0,
        at_most=1.0,
        search=Range(0.1, 0.9),
        doc="How soon an unlikely label is given up on; towards 0 never, as in cross-entropy.",
    )

    def __call__(self, raw: Float[Array, " batch classes"], target: Int[Array, " batch"]) -> Float[Array, " batch"]:
        return bounded_cross_entropy(raw, target, jnp.asarray(self.q, raw.dtype))

    def best_constant(self, target: np.ndarray, weight: np.ndarray | None = None, classes: int | None = None) -> np.ndarray:
        share = class_shares(target, weight, classes)
        share = np.where(share > 0, share, 0.5 / len(target))
        return np.log(share / share.max()) / max(1 - float(self.q), 0.01)  # at 1 the best scores would be infinite
