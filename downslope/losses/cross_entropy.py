"""Cross-entropy: how surprised the predicted probabilities are by the class that came true."""

import numpy as np
from jaxtyping import Array, Float, Num

from downslope.core.about import AboutLoss, Paper, Task
from downslope.core.cross_entropy import cross_entropy
from downslope.core.scores import soft_cross_entropy
from downslope.losses.base import Loss, class_shares


class CrossEntropy(Loss):
    """Minus the logarithm of the probability given to the right class. Labels are class indices, or one share for each class
    (one-hot or soft).

    Use it when honest probabilities of several classes are wanted; the first choice.
    Not where many labels are wrong: one confident mistake costs without limit.

    >>> import jax.numpy as jnp
    >>> CrossEntropy()(jnp.array([[0.0, 0.0], [5.0, 0.0]]), jnp.array([1, 0]))
    Array([0.6931472 , 0.00671535], dtype=float32)
    """

    about = AboutLoss(
        title="Cross-entropy",
        equation=r"\ell(s, y) = \log \sum_j e^{s_j} - s_y, \qquad "
        r"\ell(s, t) = \sum_j t_j \left(\log \sum_i e^{s_i} - s_j\right)",
        source=Paper(
            "Bridle",
            1990,
            "Probabilistic Interpretation of Feedforward Classification Network Outputs, with Relationships to "
            "Statistical Pattern Recognition",
            "https://doi.org/10.1007/978-3-642-76153-9_28",
        ),
        task=Task.MULTICLASS,
        link="softmax",
        target="class indices from 0, or one share for each class",
        lowest=0.0,
        target_scale="none",
        probabilities=True,
        soft_labels=True,
        aims_at="the probability of each class",
        aliases=("ce", "categorical_cross_entropy", "softmax_cross_entropy"),
        default=True,
        differs={
            "PyTorch": "`cross_entropy` is the same; with class weights its mean divides by other sums for indices than "
            "for one-hot labels.",
            "Keras": "`CategoricalCrossentropy` takes probabilities unless `from_logits=True` and rescales its rows.",
            "optax": "`softmax_cross_entropy` is the same; with integer labels -1 quietly means the last class.",
            "scikit-learn": "MLPClassifier cuts probabilities off at the precision of its numbers.",
        },
    )

    def __call__(self, raw: Float[Array, " batch classes"], target: Num[Array, " batch *classes"]) -> Float[Array, " batch"]:
        if target.ndim == raw.ndim:
            return soft_cross_entropy(raw, target)
        return cross_entropy(raw, target)

    def best_constant(self, target: np.ndarray, weight: np.ndarray | None = None, classes: int | None = None) -> np.ndarray:
        share = class_shares(target, weight, classes)
        return np.log(np.where(share > 0, share, 0.5 / len(target)))
