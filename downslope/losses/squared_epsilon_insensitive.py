"""Squared epsilon-insensitive: errors inside a tube cost nothing, the square of those beyond it counts."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from downslope.core.about import AboutLoss, Paper, Range, Task
from downslope.core.exact import beyond
from downslope.core.kinks import positive_part
from downslope.core.record import hyper
from downslope.core.types import Number
from downslope.losses.base import Loss, rising_to_zero


class SquaredEpsilonInsensitive(Loss):
    """Like the squared error, but small errors are forgiven altogether.

    Use it when small errors do not matter and large ones matter much.
    Not with outliers, whose square takes over.

    >>> SquaredEpsilonInsensitive(epsilon=1.0)(jnp.array([0.0, 3.0]), jnp.array([0.05, 0.0]))
    Array([0., 4.], dtype=float32)
    """

    about = AboutLoss(
        title="Squared epsilon-insensitive",
        equation=r"\ell(e) = \max(0,\; |e| - \varepsilon)^2",
        source=Paper(
            "Drucker et al.",
            1996,
            "Support Vector Regression Machines",
            "https://papers.nips.cc/paper/1238-support-vector-regression-machines",
        ),
        task=Task.REGRESSION,
        aims_at="a value near the mean",
        differs={
            "scikit-learn": "SGDRegressor and LinearSVR have the same.",
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
        return jnp.square(positive_part(beyond(raw, target, self.epsilon)))

    def best_constant(self, target: np.ndarray, weight: np.ndarray | None = None, classes: int | None = None) -> np.ndarray:
        del classes
        epsilon = float(self.epsilon)
        return rising_to_zero(
            lambda centre: float(np.average(centre - target - np.clip(centre - target, -epsilon, epsilon), weights=weight)),
            float(np.min(target)),
            float(np.max(target)),
        )
