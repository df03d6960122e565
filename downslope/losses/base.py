"""The contract of a loss."""

import abc
from typing import ClassVar

import numpy as np
from jaxtyping import Array, Float, Num

from downslope.core import links
from downslope.core.about import AboutLoss
from downslope.core.record import Record


class Loss(Record):
    """How wrong raw scores are: one value per example, never averaged, never weighted.

    `raw` are the model's raw scores, never probabilities: `(batch,)` where `outputs` is 1, else `(batch, outputs)`.
    `target` is `(batch,)`: numbers for regression, 0/1 for binary, class indices for multiclass; a multiclass loss may also
    take `(batch, classes)` soft labels where its file says so.
    Pure, differentiable almost everywhere (a stated subgradient at kinks), finite for targets in the declared domain.
    Weights, masks and averaging exist once, in the engine: the denominator is the sum of weights.
    """

    about: ClassVar[AboutLoss]

    @abc.abstractmethod
    def __call__(self, raw: Float[Array, "batch *outputs"], target: Num[Array, "batch *classes"]) -> Float[Array, " batch"]:
        """The loss of each example."""

    @abc.abstractmethod
    def best_constant(self, target: np.ndarray, weight: np.ndarray | None = None, classes: int | None = None) -> np.ndarray:
        """The raw scores `(outputs,)` that minimise the weighted mean loss when every example gets the same.

        Computed on the host in float64. `classes` is needed by multiclass losses when some class may be absent from `target`.
        """

    def outputs(self, classes: int | None = None) -> int:
        """How many raw scores each example needs."""
        return 1

    def predict(self, raw: Float[Array, "batch *outputs"]) -> Num[Array, "batch *outputs"]:
        """The prediction that belongs to raw scores, through the loss's link."""
        import jax.numpy as jnp

        return links.apply(self.about.link, raw, jnp)


CONTRACT = Loss
