"""Absolute percentage error: errors count in proportion to the target."""

import numpy as np
from jaxtyping import Array, Float

from downslope.core.about import AboutLoss, Paper, Task
from downslope.core.kinks import absolute
from downslope.losses.base import Loss, middle_quantile


class AbsolutePercentageError(Loss):
    """The size of the error divided by the target: being off by 1 matters more at 2 than at 100.

    Use it when people will judge errors by per cent.
    Not when targets come near 0, whose rows then decide everything; and it prefers guesses that are too low.

    >>> import jax.numpy as jnp
    >>> AbsolutePercentageError()(jnp.array([1.0, 3.0]), jnp.array([2.0, 4.0]))
    Array([0.5 , 0.25], dtype=float32)
    """

    about = AboutLoss(
        title="Absolute percentage error",
        equation=r"\ell(s, t) = \frac{|s - t|}{t}",
        source=Paper(
            "de Myttenaere et al.",
            2016,
            "Mean Absolute Percentage Error for regression models",
            "https://arxiv.org/abs/1605.02541",
        ),
        task=Task.REGRESSION,
        target="above 0",
        lowest=0.0,
        open_ends=True,
        target_scale="scale",
        aims_at="a median in which small targets count more",
        aliases=("mape",),
        differs={
            "Keras": "`MeanAbsolutePercentageError` is 100 times it and divides by at least 1e-7.",
            "scikit-learn": "a metric only.",
        },
    )

    def __call__(self, raw: Float[Array, " batch"], target: Float[Array, " batch"]) -> Float[Array, " batch"]:
        return absolute(raw - target) / target

    def best_constant(self, target: np.ndarray, weight: np.ndarray | None = None, classes: int | None = None) -> np.ndarray:
        del classes
        weight = np.ones_like(target) if weight is None else weight
        return middle_quantile(target, 0.5, weight / target)
