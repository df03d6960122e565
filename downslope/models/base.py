"""The contract of a model."""

import abc
from typing import ClassVar

import jax
from jaxtyping import Array, Float

from downslope.core.about import AboutPart
from downslope.core.record import Record
from downslope.core.types import Params


class Model(Record):
    """From features to raw scores. `apply` is pure; `key` is given while training and drives dropout."""

    about: ClassVar[AboutPart]

    @abc.abstractmethod
    def init(self, key: jax.Array, features: int, outputs: int) -> Params:
        """Fresh parameters, float32, as `{"layers": [{"weight": (in, out), "bias": (out,)}, …]}`."""

    @abc.abstractmethod
    def apply(
        self, params: Params, x: Float[Array, "batch features"], key: jax.Array | None = None
    ) -> Float[Array, "batch outputs"]:
        """Raw scores of each row."""


CONTRACT = Model
