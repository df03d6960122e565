"""Epsilon-insensitive: errors inside a tube cost nothing, the size of those beyond it counts."""

import numpy as np
from jaxtyping import Array, Float

from downslope.core.about import AboutLoss, Paper, Range, Task
from downslope.core.exact import beyond
from downslope.core.kinks import positive_part
from downslope.core.record import hyper
from downslope.core.types import Number
from downslope.losses.base import Loss, rising_to_zero


class EpsilonInsensitive(Loss):
    """The loss of support vector regression.

    Use it when errors up to some size do not matter at all.
    Not when all errors matter: inside the tube nothing pulls, so predictions may sit anywhere in it.

    >>> import jax.numpy as jnp
    >>> EpsilonInsensitive(epsilon=0.1)(jnp.array([0.0, 3.0]), jnp.array([0.05, 0.0]))
    Array([0. , 2.9], dtype=float32)
    """

    about = AboutLoss(
        title="Epsilon-insensitive",
        equation=r"\ell(e) = \max(0,\; |e| - \varepsilon)",
        source=Paper(
            "Drucker et al.",
            1996,
            "Support Vector Regression Machines",
            "https://papers.nips.cc/paper/1238-support-vector-regression-machines",
        ),
        task=Task.REGRESSION,
        aims_at="a value near the median",
        differs={
            "scikit-learn": "SGDRegressor (`epsilon` 0.1 unless told) and LinearSVR (0 unless told) have the same.",
        },
    )

    epsilon: Number = hyper(
        default=0.1,
        at_least=0.0,
        search=Range(0.01, 1.0, "log"),
        in_target_units=True,
        doc="Error size, in units of the target, up to which an error costs nothing.",
    )

    def __call__(self, raw: Float[Array, " batch"], target: Float[Array, " batch"]) -> Float[Array, " batch"]:
        return positive_part(beyond(raw, target, self.epsilon))

    def best_constant(self, target: np.ndarray, weight: np.ndarray | None = None, classes: int | None = None) -> np.ndarray:
        del classes
        epsilon = float(self.epsilon)
        return rising_to_zero(
            lambda centre: float(np.average(np.sign(centre - target) * (np.abs(centre - target) > epsilon), weights=weight)),
            float(np.min(target)),
            float(np.max(target)),
        )
