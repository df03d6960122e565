"""Smooth L1: the Huber loss with slopes of at most 1."""

import numpy as np
from jaxtyping import Array, Float

from downslope.core.about import AboutLoss, Paper, Range, Task
from downslope.core.kinks import rounded
from downslope.core.record import hyper
from downslope.core.types import Number
from downslope.losses.base import Loss, rising_to_zero


class SmoothL1(Loss):
    """The Huber loss divided by its width: the size of large errors, rounded off below `beta`.

    Use it in place of Huber when its width is tuned and the learning rate should not follow.
    Not when the mean is wanted: like Huber it aims between the mean and the median.

    >>> import jax.numpy as jnp
    >>> SmoothL1(beta=1.0)(jnp.array([0.0, 3.0]), jnp.array([0.5, 0.0]))
    Array([0.125, 2.5  ], dtype=float32)
    """

    about = AboutLoss(
        title="Smooth L1",
        equation=r"""\ell(e) = \begin{cases} e^2 / (2\beta) & |e| \le \beta \\ |e| - \tfrac12\beta & |e| > \beta \end{cases}""",
        source=Paper("Girshick", 2015, "Fast R-CNN", "https://arxiv.org/abs/1504.08083"),
        task=Task.REGRESSION,
        aims_at="a value between the mean and the median",
        differs={
            "PyTorch": "`smooth_l1_loss` is the same; `huber_loss` is `beta` times it.",
            "Keras": "not there; `Huber` is `beta` times it.",
            "optax": "not there; `huber_loss` is `beta` times it.",
        },
    )

    beta: Number = hyper(
        default=1.0,
        above=0.0,
        search=Range(0.1, 10.0, "log"),
        in_target_units=True,
        doc="Error size, in units of the target, below which the corner is rounded off.",
    )

    def __call__(self, raw: Float[Array, " batch"], target: Float[Array, " batch"]) -> Float[Array, " batch"]:
        return rounded(raw - target, self.beta) / self.beta

    def best_constant(self, target: np.ndarray, weight: np.ndarray | None = None, classes: int | None = None) -> np.ndarray:
        del classes
        beta = float(self.beta)
        return rising_to_zero(
            lambda centre: float(np.average(np.clip(centre - target, -beta, beta), weights=weight)),
            float(np.min(target)),
            float(np.max(target)),
        )
