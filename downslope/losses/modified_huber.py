"""Modified Huber: a squared hinge that stays calm when an example is far on the wrong side."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from downslope.core.about import AboutLoss, Paper, Task
from downslope.losses.base import Loss


class ModifiedHuber(Loss):
    """The square of the hinge up to a score of 1 on the wrong side, a straight line beyond.

    Use it when only the decision counts and some labels are wrong.
    Not when probabilities are wanted directly: its score has to be calibrated first.

    >>> ModifiedHuber()(jnp.array([0.5, 0.0, 2.0]), jnp.array([1, 1, 0]))
    Array([0.25, 1.  , 8.  ], dtype=float32)
    """

    about = AboutLoss(
        title="Modified Huber",
        equation=r"""\ell(m) = \begin{cases} \max(0, 1 - m)^2 & m \ge -1 \\ -4m & m < -1 \end{cases}
                     \quad m = (2t - 1)\,s""",
        source=Paper(
            "Zhang",
            2004,
            "Solving Large Scale Linear Prediction Problems Using Stochastic Gradient Descent Algorithms",
            "https://doi.org/10.1145/1015330.1015332",
        ),
        task=Task.BINARY,
        link="sign",
        target="0 or 1",
        lowest=0.0,
        highest=1.0,
        target_scale="none",
        aims_at="twice the probability of class 1, less 1",
        differs={
            "scikit-learn": "SGDClassifier has the same and reads probabilities off the score between -1 and 1.",
        },
    )

    def __call__(self, raw: Float[Array, " batch"], target: Float[Array, " batch"]) -> Float[Array, " batch"]:
        short = 1 - (2 * target - 1) * raw
        inside = jnp.clip(short, 0, 2)
        return inside * (2 * short - inside)

    def best_constant(self, target: np.ndarray, weight: np.ndarray | None = None, classes: int | None = None) -> np.ndarray:
        del classes
        return np.array([np.average(2 * target - 1, weights=weight)])
