"""Focal: cross-entropy for several classes that looks away from what is easy."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from downslope.core.about import AboutLoss, Paper, Range, Task
from downslope.core.cross_entropy import cross_entropy
from downslope.core.record import hyper
from downslope.core.scores import miss
from downslope.core.types import Number
from downslope.losses.base import Loss, class_shares, rising_to_zero


class Focal(Loss):
    """Cross-entropy times a power of how wrong the probability is, so that a few hard examples are not drowned by many easy
    ones.

    Use it when some classes are rare and most rows are easy.
    Not when probabilities are wanted: it draws them towards each other.

    >>> Focal(gamma=2.0)(jnp.array([[0.0, 0.0], [3.0, 0.0]]), jnp.array([1, 0]))
    Array([1.7328680e-01, 1.0928331e-04], dtype=float32)
    """

    about = AboutLoss(
        title="Focal",
        equation=r"\ell(s, y) = (1 - p_y)^\gamma\,(-\log p_y), \quad p = \mathrm{softmax}(s)",
        source=Paper("Lin et al.", 2017, "Focal Loss for Dense Object Detection", "https://arxiv.org/abs/1708.02002"),
        task=Task.MULTICLASS,
        target="class indices from 0",
        lowest=0.0,
        target_scale="none",
        link="softmax",
        convex=False,
        ulp=8,
        aims_at="the probability of each class, drawn towards each other",
        differs={
            "optax": "not there; `sigmoid_focal_loss` asks of each class alone whether it is the one.",
            "Keras": "`CategoricalFocalCrossentropy` goes through cut-off probabilities, with a weight of 0.25.",
        },
    )

    gamma: Number = hyper(
        default=2.0,
        at_least=0.0,
        at_most=5.0,
        search=Range(0.5, 5.0),
        doc="How strongly easy examples are looked away from; 0 is cross-entropy.",
    )

    def __call__(self, raw: Float[Array, " batch classes"], target: Int[Array, " batch"]) -> Float[Array, " batch"]:
        missed, lost = miss(raw, target)
        missed = jnp.where(missed > 0, missed, 1)  # where all is right the loss is 0 already; 0 to a negative power is not
        power = missed**self.gamma
        return (power + power * jax.lax.stop_gradient(self.gamma * lost / missed)) * cross_entropy(raw, target)

    def best_constant(self, target: np.ndarray, weight: np.ndarray | None = None, classes: int | None = None) -> np.ndarray:
        share = class_shares(target, weight, classes)
        share = np.where(share > 0, share, 0.5 / len(target))
        gamma = float(self.gamma)

        def log_probability(pull: float) -> np.ndarray:
            """The log-probabilities at which every class pulls equally hard, by halving."""
            low, high = np.full(len(share), -50.0), np.full(len(share), -1e-12)
            for _ in range(80):
                middle = (low + high) / 2
                p, miss = np.exp(middle), -np.expm1(middle)
                stronger = share * miss**gamma * (1 / p - gamma * middle / miss) > pull
                low, high = np.where(stronger, middle, low), np.where(stronger, high, middle)
            return (low + high) / 2

        # the harder all may pull, the smaller the probabilities; they must add up to 1
        pull = rising_to_zero(lambda log: 1 - np.exp(log_probability(np.exp(log))).sum(), -40.0, 40.0)
        return log_probability(float(np.exp(pull[0])))
