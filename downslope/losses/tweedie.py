"""Tweedie: for amounts that are often exactly 0 and otherwise positive."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from downslope.core.about import AboutLoss, Paper, Range, Task
from downslope.core.exact import exp_product
from downslope.core.record import hyper
from downslope.core.types import Number
from downslope.losses.base import Loss


class Tweedie(Loss):
    """Lies between Poisson (power 1) and gamma (power 2): many zeros and a long tail, as in insurance claims and rainfall.

    Use it for amounts with many zeros and a long tail, such as claims and rainfall.
    Not for targets below 0, and not for plain counts, where Poisson is simpler.

    >>> Tweedie(power=1.5)(jnp.array([0.0, 1.0]), jnp.array([0.0, 3.0]))
    Array([2.       , 6.9366264], dtype=float32)
    """

    about = AboutLoss(
        title="Tweedie",
        equation=r"\ell(s, t) = \frac{t\,e^{(1-p)s}}{p - 1} + \frac{e^{(2-p)s}}{2 - p}",
        source=Paper("Jørgensen", 1987, "Exponential Dispersion Models", "https://doi.org/10.1111/j.2517-6161.1987.tb01685.x"),
        task=Task.REGRESSION,
        link="exp",
        target="0 or above",
        lowest=0.0,
        target_scale="scale",
        perfect=None,
        aims_at="the mean",
        differs={
            "Keras": "not there; `Tversky` is another loss.",
            "scikit-learn": "TweedieRegressor has the same, also for other powers.",
        },
    )

    power: Number = hyper(
        default=1.5,
        above=1.0,
        below=2.0,
        search=Range(1.1, 1.9),
        doc="How the variance grows with the mean: its exponent.",
    )

    def __call__(self, raw: Float[Array, " batch"], target: Float[Array, " batch"]) -> Float[Array, " batch"]:
        power = jnp.broadcast_to(self.power, raw.shape)
        counted = jnp.where(target > 0, raw, 0)  # 0 · ∞ is not a number
        small, large = exp_product(1 - power, counted), exp_product(2 - power, raw)
        return target * small / (power - 1) + large / (2 - power)

    def best_constant(self, target: np.ndarray, weight: np.ndarray | None = None, classes: int | None = None) -> np.ndarray:
        del classes
        return np.log(np.array([np.average(target, weights=weight) or 0.5 / len(target)]))
