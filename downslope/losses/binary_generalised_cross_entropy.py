"""Binary generalised cross-entropy: cross-entropy of two classes that gives up on labels it cannot believe."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from downslope.core.about import AboutLoss, Paper, Range, Task
from downslope.core.record import hyper
from downslope.core.scores import bounded_cross_entropy
from downslope.core.types import Number
from downslope.losses.base import Loss


class BinaryGeneralisedCrossEntropy(Loss):
    """Between binary cross-entropy (`q` towards 0) and the mean absolute error of the probability (`q` of 1): no example costs
    more than 1/q.

    Use it when some labels of two classes are wrong.
    Not when probabilities are wanted: it sharpens them.

    >>> BinaryGeneralisedCrossEntropy(q=0.7)(jnp.array([0.0, 3.0]), jnp.array([1, 1]))
    Array([0.5491826 , 0.04777038], dtype=float32)
    """

    about = AboutLoss(
        title="Binary generalised cross-entropy",
        equation=r"\ell(s, t) = \frac{1 - p^q}{q}, \quad p = \frac{1}{1 + e^{-(2t - 1)s}}",
        source=Paper(
            "Zhang and Sabuncu",
            2018,
            "Generalized Cross Entropy Loss for Training Deep Neural Networks with Noisy Labels",
            "https://arxiv.org/abs/1805.07836",
        ),
        task=Task.BINARY,
        link="sign",
        target="0 or 1",
        lowest=0.0,
        highest=1.0,
        target_scale="none",
        convex=False,
        aims_at="the probability of class 1, sharpened",
        differs={
            "Keras": "only for several classes: `CategoricalGeneralizedCrossEntropy` takes probabilities.",
        },
    )

    q: Number = hyper(
        default=0.7,
        above=0.0,
        at_most=1.0,
        search=Range(0.1, 0.9),
        doc="How soon an unlikely label is given up on; towards 0 never, as in binary cross-entropy.",
    )

    def __call__(self, raw: Float[Array, " batch"], target: Float[Array, " batch"]) -> Float[Array, " batch"]:
        both = jnp.stack([jnp.zeros_like(raw), raw], axis=-1)
        return bounded_cross_entropy(both, (target > 0).astype(jnp.int32), jnp.asarray(self.q, raw.dtype))

    def best_constant(self, target: np.ndarray, weight: np.ndarray | None = None, classes: int | None = None) -> np.ndarray:
        del classes
        ones = np.average(target, weights=weight)
        odds = (ones or 0.5 / len(target)) / ((1 - ones) or 0.5 / len(target))
        return np.array([np.log(odds) / max(1 - float(self.q), 0.01)])  # at 1 the best score would be infinite
