"""Log-cosh: half the square of small errors, the size of large ones, smooth everywhere."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from downslope.core.about import AboutLoss, Paper, Task
from downslope.core.exact import log1p
from downslope.losses.base import Loss, rising_to_zero


class LogCosh(Loss):
    """Behaves like Huber with a width of 1 but has all derivatives, which methods that use curvature like.

    Use it where Huber fits and the optimizer wants a smooth curvature, as L-BFGS does.
    Not when the target's unit is far from the size of its errors: it has no setting for the width.

    >>> LogCosh()(jnp.array([0.0, 3.0]), jnp.array([0.5, 0.0]))
    Array([0.12011451, 2.3093286 ], dtype=float32)
    """

    about = AboutLoss(
        title="Log-cosh",
        equation=r"\ell(e) = \log \cosh e",
        source=Paper(
            "Saleh and Saleh", 2022, "Statistical Properties of the log-cosh Loss Function", "https://arxiv.org/abs/2208.04564"
        ),
        task=Task.REGRESSION,
        ulp=8,
        aims_at="a value between the mean and the median",
        aliases=("logcosh",),
        differs={
            "Keras": "`LogCosh` is the same; it loses digits near 0.",
            "optax": "`log_cosh` is the same; it loses digits near 0, and shapes that differ are broadcast silently.",
        },
    )

    def __call__(self, raw: Float[Array, " batch"], target: Float[Array, " batch"]) -> Float[Array, " batch"]:
        error = raw - target
        size = jnp.where(error > 0, error, -error)
        near = size < 2
        # near 0: log(1 + 2 sinh²(e/2)) with the series of sinh, whose terms are all positive; far: the other exponential is small
        square = jnp.square(jnp.where(near, error, 0) / 2)
        series = 1.0
        for index in range(18, 0, -2):
            series = 1 + square / (index * (index + 1)) * series
        far = size - (np.log(2) - log1p(jnp.exp(-2 * size)))
        return jnp.where(near, log1p(2 * square * jnp.square(series)), far)

    def best_constant(self, target: np.ndarray, weight: np.ndarray | None = None, classes: int | None = None) -> np.ndarray:
        del classes
        return rising_to_zero(
            lambda centre: float(np.average(np.tanh(centre - target), weights=weight)),
            float(np.min(target)),
            float(np.max(target)),
        )
