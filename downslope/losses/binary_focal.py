"""Binary focal: cross-entropy that looks away from what is easy."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from downslope.core.about import AboutLoss, Paper, Range, Task
from downslope.core.exact import exp_product, log1p, two_sum
from downslope.core.record import hyper
from downslope.core.types import Number
from downslope.losses.base import Loss, rising_to_zero


class BinaryFocal(Loss):
    """Binary cross-entropy times a power of how wrong the probability is, so that a few hard examples are not drowned by many
    easy ones.

    Use it when one class is rare and most of the other is easy.
    Not when probabilities are wanted: it draws them towards one half.

    >>> BinaryFocal(gamma=2.0)(jnp.array([0.0, 3.0]), jnp.array([1, 1]))
    Array([1.73286796e-01, 1.09283326e-04], dtype=float32)
    """

    about = AboutLoss(
        title="Binary focal",
        equation=r"\ell(s, t) = w_t\,(1 - p)^\gamma\,(-\log p), \quad p = \frac{1}{1 + e^{-(2t - 1)s}}",
        source=Paper("Lin et al.", 2017, "Focal Loss for Dense Object Detection", "https://arxiv.org/abs/1708.02002"),
        task=Task.BINARY,
        link="sign",
        target="0 or 1",
        lowest=0.0,
        highest=1.0,
        target_scale="none",
        convex=False,
        ulp=8,
        aims_at="a probability of class 1 drawn towards one half",
        differs={
            "PyTorch": "not there; torchvision has `sigmoid_focal_loss`, with weights 0.25 and 0.75.",
            "Keras": "`BinaryFocalCrossentropy` goes through cut-off probabilities, even from logits; no slope beyond 16.",
            "optax": "`sigmoid_focal_loss` is the same with `alpha` for the weights.",
        },
    )

    gamma: Number = hyper(
        default=2.0,
        at_least=0.0,
        at_most=5.0,
        search=Range(0.5, 5.0),
        doc="How strongly easy examples are looked away from; 0 is cross-entropy.",
    )
    positive_weight: Number = hyper(
        default=1.0,
        above=0.0,
        search=Range(0.1, 10.0, "log"),
        doc="How many examples one example of class 1 counts for.",
    )

    def __call__(self, raw: Float[Array, " batch"], target: Float[Array, " batch"]) -> Float[Array, " batch"]:
        margin = (2 * target - 1) * raw
        right = margin > 0
        small = jnp.exp(jnp.where(right, -margin, margin))
        whole, lost = two_sum(jnp.ones_like(small), small)
        gamma = jnp.full(raw.shape, self.gamma, raw.dtype)
        # (1 − p)^γ as exp(−γ · margin) / (1 + small)^γ: rounding inside a power would count γ times
        wrongness = exp_product(-gamma, jnp.where(right, margin, 0)) * (jnp.power(whole, -gamma) * (1 - gamma * lost / whole))
        surprise = jnp.where(right, 0, -margin) + log1p(small)
        return jnp.where(target > 0, self.positive_weight, 1) * wrongness * surprise

    def best_constant(self, target: np.ndarray, weight: np.ndarray | None = None, classes: int | None = None) -> np.ndarray:
        del classes
        gamma, ones = float(self.gamma), np.average(target, weights=weight)
        odds = (ones or 0.5 / len(target)) * float(self.positive_weight), (1 - ones) or 0.5 / len(target)

        def slope(score: float) -> float:
            """How fast the mean loss rises with the score."""
            p, q = 1 / (1 + np.exp(-score)), 1 / (1 + np.exp(score))
            one = q**gamma * (gamma * p * np.log(p) - q)
            zero = p**gamma * (gamma * q * np.log(q) - p)
            return float(odds[0] * one - odds[1] * zero)

        return rising_to_zero(slope, -100.0, 100.0)
