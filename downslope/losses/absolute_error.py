"""Absolute error: every unit of error costs the same."""

import numpy as np
from jaxtyping import Array, Float

from downslope.core.about import AboutLoss, Paper, Task
from downslope.core.kinks import absolute
from downslope.losses.base import Loss, middle_quantile


class AbsoluteError(Loss):
    """The size of the error. The gradient has the same size however small the error is.

    Use it when the typical error counts and wild targets should pull no more than others.
    Not when the mean or a sum is wanted: it aims at the median. Nor at a constant learning rate to the end: its gradient
    never fades, so the fit does not settle.

    >>> import jax.numpy as jnp
    >>> AbsoluteError()(jnp.array([0.0, 3.0]), jnp.array([0.5, 0.0]))
    Array([0.5, 3. ], dtype=float32)
    """

    about = AboutLoss(
        title="Absolute error",
        equation=r"\ell(e) = |e|",
        source=Paper("Koenker and Bassett", 1978, "Regression Quantiles", "https://doi.org/10.2307/1913643"),
        task=Task.REGRESSION,
        aims_at="the median",
        aliases=("mae",),
        default=True,
        differs={
            "optax": "no loss of its own: `jnp.abs` of the difference.",
            "PyTorch": "`l1_loss` is the same; shapes that differ only warn.",
            "Keras": "`MeanAbsoluteError` first averages over the last axis.",
            "scikit-learn": "SGDRegressor has it as `epsilon_insensitive` with `epsilon=0`.",
        },
    )

    def __call__(self, raw: Float[Array, " batch"], target: Float[Array, " batch"]) -> Float[Array, " batch"]:
        return absolute(raw - target)

    def best_constant(self, target: np.ndarray, weight: np.ndarray | None = None, classes: int | None = None) -> np.ndarray:
        del classes
        return middle_quantile(target, 0.5, weight)
