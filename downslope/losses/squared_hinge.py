"""Squared hinge: right by a margin is right enough, and being wrong costs ever more."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from downslope.core.about import AboutLoss, Paper, Task
from downslope.core.kinks import positive_part
from downslope.losses.base import Loss


class SquaredHinge(Loss):
    """The square of the hinge, smooth where the hinge has its corner.

    Use it when only the decision counts and the optimizer likes smooth slopes.
    Not when labels are often wrong: one of them, far on the wrong side, outweighs many.

    >>> SquaredHinge()(jnp.array([0.5, 3.0, 0.5]), jnp.array([1, 1, 0]))
    Array([0.25, 0.  , 2.25], dtype=float32)
    """

    about = AboutLoss(
        title="Squared hinge",
        equation=r"\ell(s, t) = \max(0,\; 1 - (2t - 1)\,s)^2",
        source=Paper(
            "Lee and Mangasarian",
            2001,
            "SSVM: A Smooth Support Vector Machine for Classification",
            "https://doi.org/10.1023/A:1011215321374",
        ),
        task=Task.BINARY,
        link="sign",
        target="0 or 1",
        lowest=0.0,
        highest=1.0,
        target_scale="none",
        aims_at="twice the probability of class 1, less 1",
        differs={
            "Keras": "`SquaredHinge` takes -1 and 1; it maps 0 and 1 only when a batch holds nothing else.",
            "scikit-learn": "SGDClassifier and LinearSVC have the same.",
        },
    )

    def __call__(self, raw: Float[Array, " batch"], target: Float[Array, " batch"]) -> Float[Array, " batch"]:
        return jnp.square(positive_part(1 - (2 * target - 1) * raw))

    def best_constant(self, target: np.ndarray, weight: np.ndarray | None = None, classes: int | None = None) -> np.ndarray:
        del classes
        return np.array([np.average(2 * target - 1, weights=weight)])
