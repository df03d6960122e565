"""Hinge: right by a margin is right enough."""

import numpy as np
from jaxtyping import Array, Float

from downslope.core.about import AboutLoss, Paper, Task
from downslope.core.kinks import positive_part
from downslope.losses.base import Loss


class Hinge(Loss):
    """Costs nothing once an example is on its side by a margin of 1, and grows in proportion before that; the loss of support
    vector machines.

    Use it when only the decision counts.
    Not when probabilities are wanted: its score is a side, not a chance.

    >>> import jax.numpy as jnp
    >>> Hinge()(jnp.array([0.5, 3.0, 0.5]), jnp.array([1, 1, 0]))
    Array([0.5, 0. , 1.5], dtype=float32)
    """

    about = AboutLoss(
        title="Hinge",
        equation=r"\ell(s, t) = \max(0,\; 1 - (2t - 1)\,s)",
        source=Paper("Cortes and Vapnik", 1995, "Support-Vector Networks", "https://doi.org/10.1007/BF00994018"),
        task=Task.BINARY,
        link="sign",
        target="0 or 1",
        lowest=0.0,
        highest=1.0,
        target_scale="none",
        aims_at="the more frequent class",
        default=True,
        differs={
            "PyTorch": "`HingeEmbeddingLoss` is another loss; labels are -1 and 1.",
            "Keras": "`Hinge` takes -1 and 1; it maps 0 and 1 only when a batch holds nothing else.",
            "optax": "`hinge_loss` takes -1 and 1; a label 0 gives a constant 1 without a gradient.",
            "scikit-learn": "SGDClassifier's `hinge` is the same; its gradient at the kink is that of the slope.",
        },
    )

    def __call__(self, raw: Float[Array, " batch"], target: Float[Array, " batch"]) -> Float[Array, " batch"]:
        return positive_part(1 - (2 * target - 1) * raw)

    def best_constant(self, target: np.ndarray, weight: np.ndarray | None = None, classes: int | None = None) -> np.ndarray:
        del classes
        return np.array([np.sign(np.average(2 * target - 1, weights=weight))])
