"""Huber: forgiving to outliers, smooth at zero."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from downslope.core.about import AboutLoss, Paper, Range, Task
from downslope.core.record import hyper
from downslope.core.types import Number
from downslope.losses.base import Loss


class Huber(Loss):
    """Squares small errors and takes the size of large ones, so a few wild targets
    cannot steer the fit. With a large `delta` it is half the squared error; as `delta`
    shrinks it approaches `delta` times the absolute error.

    >>> Huber(delta=1.0)(jnp.array([0.0, 3.0]), jnp.array([0.5, 0.0]))
    Array([0.125, 2.5  ], dtype=float32)
    """

    about = AboutLoss(
        title="Huber",
        equation=r"""\ell(e) = \begin{cases} \tfrac12 e^2 & |e| \le \delta \\
                     \delta\,(|e| - \tfrac12\delta) & |e| > \delta \end{cases}""",
        source=Paper(
            "Huber", 1964, "Robust Estimation of a Location Parameter", "https://doi.org/10.1214/aoms/1177703732"
        ),
        task=Task.REGRESSION,
        aims_at="a value between the mean and the median",
        default=True,
    )

    delta: Number = hyper(
        default=1.0,
        above=0.0,
        search=Range(0.1, 10.0, "log"),
        in_target_units=True,
        doc="Error size, in units of the target, beyond which a point counts as an outlier.",
    )

    def __call__(self, raw: Float[Array, " batch"], target: Float[Array, " batch"]) -> Float[Array, " batch"]:
        error = jnp.abs(raw - target)
        inside = jnp.minimum(error, self.delta)  # min, not where: both branches stay finite, so does the gradient
        return 0.5 * inside**2 + self.delta * (error - inside)

    def best_constant(self, target: np.ndarray, weight: np.ndarray | None = None, classes: int | None = None) -> np.ndarray:
        del classes
        weight = np.ones_like(target) if weight is None else weight
        low, high = float(np.min(target)), float(np.max(target))
        for _ in range(200):  # the derivative rises with the constant, so halving the interval finds its zero
            middle = (low + high) / 2
            pull = np.sum(weight * np.clip(middle - target, -float(self.delta), float(self.delta)))
            low, high = (middle, high) if pull < 0 else (low, middle)
        return np.array([(low + high) / 2])
