"""Binary cross-entropy: how surprised the predicted probability is by what happened."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from downslope.core.about import AboutLoss, Paper, Range, Task
from downslope.core.exact import log1p, softplus
from downslope.core.record import hyper
from downslope.core.types import Number
from downslope.losses.base import Loss


@jax.custom_jvp
def two_sided(raw: Float[Array, " batch"], one: Float[Array, " batch"], zero: Float[Array, " batch"]) -> Float[Array, " batch"]:
    """one · log(1 + exp(−raw)) + zero · log(1 + exp(raw)), as three terms of which none is negative."""
    alone = jnp.where(raw > 0, zero * raw, -one * raw)
    return alone + (one + zero) * log1p(small(raw))


def small(raw: Float[Array, " batch"]) -> Float[Array, " batch"]:
    """exp(−|raw|); `where`, not `abs`, whose second derivative at 0 is none."""
    return jnp.exp(jnp.where(raw > 0, -raw, raw))


@two_sided.defjvp
def two_sided_slope(primals: Any, tangents: Any) -> tuple[Array, Array]:
    """The derivative of `two_sided`, for the score and for both weights."""
    raw, one, zero = primals
    slope = jnp.where(raw > 0, zero - one * small(raw), zero * small(raw) - one) / (1 + small(raw))
    return two_sided(*primals), slope * tangents[0] + softplus(-raw) * tangents[1] + softplus(raw) * tangents[2]


class BinaryCrossEntropy(Loss):
    """Minus the logarithm of the probability given to the class that came true. Targets between 0 and 1 are understood as
    probabilities.

    Use it when honest probabilities of two classes are wanted; the first choice.
    Not where many labels are wrong: one confident mistake costs without limit.

    >>> BinaryCrossEntropy()(jnp.array([0.0, 3.0]), jnp.array([1, 1]))
    Array([0.6931472 , 0.04858735], dtype=float32)
    """

    about = AboutLoss(
        title="Binary cross-entropy",
        equation=r"\ell(s, t) = w\,t \log(1 + e^{-s}) + (1 - t) \log(1 + e^{s})",
        source=Paper(
            "Cox",
            1958,
            "The Regression Analysis of Binary Sequences",
            "https://doi.org/10.1111/j.2517-6161.1958.tb00292.x",
        ),
        task=Task.BINARY,
        link="sigmoid",
        target="0 or 1, or a probability between",
        lowest=0.0,
        highest=1.0,
        target_scale="none",
        probabilities=True,
        soft_labels=True,
        aims_at="the probability of class 1",
        aliases=("bce", "log_loss", "logistic"),
        default=True,
        differs={
            "PyTorch": "`binary_cross_entropy_with_logits` is the same; `binary_cross_entropy` takes probabilities and "
            "cuts their logarithm off at -100.",
            "Keras": "`BinaryCrossentropy` takes probabilities unless `from_logits=True` and then stops growing at 16.1.",
            "optax": "`sigmoid_binary_cross_entropy` is the same; shapes that differ are broadcast silently.",
            "scikit-learn": "MLPClassifier cuts probabilities off at the precision of its numbers.",
        },
    )

    positive_weight: Number = hyper(
        default=1.0,
        above=0.0,
        search=Range(0.1, 10.0, "log"),
        doc="How many examples one example of class 1 counts for; probabilities are calibrated only at 1.",
    )

    def __call__(self, raw: Float[Array, " batch"], target: Float[Array, " batch"]) -> Float[Array, " batch"]:
        return two_sided(raw, self.positive_weight * target, 1 - target)

    def best_constant(self, target: np.ndarray, weight: np.ndarray | None = None, classes: int | None = None) -> np.ndarray:
        del classes
        ones = np.average(target, weights=weight)
        zeros = np.average(1 - target, weights=weight)
        half = 0.5 / len(target)
        one, zero = (ones or half), (zeros or half)
        return np.array([np.log(one) + np.log(float(self.positive_weight)) - np.log(zero)])
