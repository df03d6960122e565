"""Perceptron: only mistakes count."""

import numpy as np
from jaxtyping import Array, Float

from downslope.core.about import AboutLoss, Paper, Task
from downslope.core.kinks import positive_part
from downslope.losses.base import Loss


class Perceptron(Loss):
    """Costs nothing on the right side, the distance on the wrong one: the loss behind the oldest learning rule.

    Use it to separate quickly what can be separated.
    Not for most else: it is content with a margin of 0, and a score of 0 for everything costs nothing.

    >>> import jax.numpy as jnp
    >>> Perceptron()(jnp.array([0.5, 3.0, 0.5]), jnp.array([1, 1, 0]))
    Array([0. , 0. , 0.5], dtype=float32)
    """

    about = AboutLoss(
        title="Perceptron",
        equation=r"\ell(s, t) = \max(0,\; -(2t - 1)\,s)",
        source=Paper(
            "Rosenblatt",
            1958,
            "The Perceptron: A Probabilistic Model for Information Storage and Organization in the Brain",
            "https://doi.org/10.1037/h0042519",
        ),
        task=Task.BINARY,
        link="sign",
        target="0 or 1",
        lowest=0.0,
        highest=1.0,
        target_scale="none",
        aims_at="a score of 0",
        differs={
            "optax": "`perceptron_loss` takes -1 and 1.",
            "scikit-learn": "SGDClassifier and Perceptron have the same.",
        },
    )

    def __call__(self, raw: Float[Array, " batch"], target: Float[Array, " batch"]) -> Float[Array, " batch"]:
        return positive_part((1 - 2 * target) * raw)

    def best_constant(self, target: np.ndarray, weight: np.ndarray | None = None, classes: int | None = None) -> np.ndarray:
        del target, weight, classes
        return np.zeros(1)
