"""Exponential: the loss that boosting made famous."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from downslope.core.about import AboutLoss, Paper, Task
from downslope.losses.base import Loss


class Exponential(Loss):
    """Grows exponentially on the wrong side.

    Use it as a reference: it is what AdaBoost minimises.
    Not with wrong labels or wide scores: a single confident mistake outweighs everything else.

    >>> Exponential()(jnp.array([0.0, 1.0, 1.0]), jnp.array([1, 1, 0]))
    Array([1.        , 0.36787945, 2.7182817 ], dtype=float32)
    """

    about = AboutLoss(
        title="Exponential",
        equation=r"\ell(s, t) = e^{-(2t - 1)\,s}",
        source=Paper(
            "Freund and Schapire",
            1997,
            "A Decision-Theoretic Generalization of On-Line Learning and an Application to Boosting",
            "https://doi.org/10.1006/jcss.1997.1504",
        ),
        task=Task.BINARY,
        link="sign",
        target="0 or 1",
        lowest=0.0,
        highest=1.0,
        target_scale="none",
        aims_at="half the log-odds of class 1",
        differs={
            "scikit-learn": "GradientBoostingClassifier has the same as `exponential`.",
            "PyTorch": "`soft_margin_loss` is the logistic loss, not this one.",
        },
    )

    def __call__(self, raw: Float[Array, " batch"], target: Float[Array, " batch"]) -> Float[Array, " batch"]:
        return jnp.exp((1 - 2 * target) * raw)

    def best_constant(self, target: np.ndarray, weight: np.ndarray | None = None, classes: int | None = None) -> np.ndarray:
        del classes
        ones = np.average(target, weights=weight)
        half = 0.5 / len(target)
        return np.array([0.5 * (np.log(ones or half) - np.log(1 - ones or half))])
