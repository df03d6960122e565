"""Huber: forgiving to outliers, smooth at zero."""

import numpy as np
from jaxtyping import Array, Float

from downslope.core.about import AboutLoss, Paper, Range, Task
from downslope.core.kinks import rounded
from downslope.core.record import hyper
from downslope.core.types import Number
from downslope.losses.base import Loss, rising_to_zero


class Huber(Loss):
    """Squares small errors and takes the size of large ones, so a few wild targets cannot steer the fit. With a large `delta`
    it is half the squared error; as `delta` shrinks it approaches `delta` times the absolute error.

    Use it when some targets are wild or wrong.
    Not when the sum over many rows must come out right: where targets lean to one side it aims beside the mean.

    >>> import jax.numpy as jnp
    >>> Huber(delta=1.0)(jnp.array([0.0, 3.0]), jnp.array([0.5, 0.0]))
    Array([0.125, 2.5  ], dtype=float32)
    """

    about = AboutLoss(
        title="Huber",
        equation=r"""\ell(e) = \begin{cases} \tfrac12 e^2 & |e| \le \delta \\
                     \delta\,(|e| - \tfrac12\delta) & |e| > \delta \end{cases}""",
        source=Paper("Huber", 1964, "Robust Estimation of a Location Parameter", "https://doi.org/10.1214/aoms/1177703732"),
        task=Task.REGRESSION,
        aims_at="a value between the mean and the median",
        default=True,
        differs={
            "PyTorch": "`huber_loss` is the same; `smooth_l1_loss` is it divided by its `beta`.",
            "Keras": "`Huber` is the same, averaged over the last axis first.",
            "optax": "`huber_loss` is the same; shapes that differ are broadcast silently.",
            "scikit-learn": "SGDRegressor calls delta `epsilon`, 0.1 unless told; HuberRegressor also fits a scale.",
        },
    )

    delta: Number = hyper(
        default=1.0,
        above=0.0,
        search=Range(0.1, 10.0, "log"),
        in_target_units=True,
        doc="Error size, in units of the target, beyond which a point counts as an outlier.",
    )

    def __call__(self, raw: Float[Array, " batch"], target: Float[Array, " batch"]) -> Float[Array, " batch"]:
        return rounded(raw - target, self.delta)

    def best_constant(self, target: np.ndarray, weight: np.ndarray | None = None, classes: int | None = None) -> np.ndarray:
        del classes
        delta = float(self.delta)
        return rising_to_zero(
            lambda centre: float(np.average(np.clip(centre - target, -delta, delta), weights=weight)),
            float(np.min(target)),
            float(np.max(target)),
        )
