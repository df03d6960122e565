"""Log-cosh: half the square of small errors, the size of large ones, smooth everywhere."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from downslope.core.about import AboutLoss, Paper, Task
from downslope.core.exact import log1p
from downslope.losses.base import Loss, rising_to_zero


@jax.custom_jvp
def log_cosh(x: Float[Array, " batch"]) -> Float[Array, " batch"]:
    """log cosh x. Near 0 it is log(1 + 2 sinh²(x/2)) with the series of sinh, whose terms are all positive."""
    # Beyond 2 with what is missing there; without `where`, which XLA's fast sums cannot take in.
    size = jnp.abs(x)
    near = jnp.minimum(size, 2)
    square = jnp.square(near / 2)
    series = 1.0
    for index in range(18 if x.dtype == jnp.float64 else 10, 0, -2):
        series = 1 + square * (1 / (index * (index + 1))) * series
    share = jnp.exp(-2 * near)
    missing = jnp.log1p((jnp.exp(-2 * size) - share) / (1 + share))
    return (size - near) + (log1p(2 * square * jnp.square(series)) + missing)


@log_cosh.defjvp
def log_cosh_slope(primals: Any, tangents: Any) -> tuple[Array, Array]:
    """The derivative of `log_cosh`."""
    return log_cosh(*primals), jnp.tanh(primals[0]) * tangents[0]


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
        return log_cosh(raw - target)

    def best_constant(self, target: np.ndarray, weight: np.ndarray | None = None, classes: int | None = None) -> np.ndarray:
        del classes
        return rising_to_zero(
            lambda centre: float(np.average(np.tanh(centre - target), weights=weight)),
            float(np.min(target)),
            float(np.max(target)),
        )
