"""The contract of a model."""

import abc
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from downslope.core.about import AboutPart
from downslope.core.record import Record
from downslope.core.types import Params


class Model(Record):
    """From features to raw scores. `apply` is pure; `key` is given while training and drives dropout."""

    about: ClassVar[AboutPart]

    @abc.abstractmethod
    def init(self, key: jax.Array, features: int, outputs: int) -> Params:
        """Fresh parameters: float32 arrays, nested in any way."""

    @abc.abstractmethod
    def apply(
        self, params: Params, x: Float[Array, "batch features"], key: jax.Array | None = None
    ) -> Float[Array, "batch outputs"]:
        """Raw scores of each row, which depend on no other row."""

    def apply_numpy(self, params: Params, x: np.ndarray) -> Any:
        """The same from NumPy arrays alone, as prediction asks for it; an author who knows better replaces it."""
        return self.apply(params, jnp.asarray(x))

    @property
    def random(self) -> bool:
        """Whether `apply` wants a key while training."""
        return False

    @property
    def hidden(self) -> int:
        """Layers before the last one: with none, a step costs more than its arithmetic."""
        return 1

    def starting_at(self, params: Params, constant: np.ndarray) -> Params:
        """The parameters of a model that first gives every row the scores `constant`; unchanged where nobody knows how."""
        del constant
        return params


class Layered(Model):
    """A model whose parameters are `{"layers": [{"weight": (in, out), "bias": (out,)}, …]}` with rectifiers between them:
    the shape that prediction knows without any code.
    """

    def starting_at(self, params: Params, constant: np.ndarray) -> Params:
        *hidden, last = params["layers"]
        return {"layers": [*hidden, {**last, "bias": constant}]}


CONTRACT = Model
