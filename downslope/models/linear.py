"""Linear model: a weighted sum of the features and a constant."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from downslope.core.about import AboutPart
from downslope.core.types import Params
from downslope.models.base import Model


class Linear(Model):
    """The default model below 1 000 rows, and the one whose weights can be read. Starts at zero: the problem is convex,
    so every start leads to the same end.

    >>> Linear().apply(Linear().init(jax.random.key(0), features=3, outputs=1), jnp.ones((5, 3))).shape
    (5, 1)
    """

    about = AboutPart(title="Linear model", equation=r"f(x) = x W + b")

    def init(self, key: jax.Array, features: int, outputs: int) -> Params:
        del key
        return {"layers": [{"weight": jnp.zeros((features, outputs)), "bias": jnp.zeros(outputs)}]}

    def apply(
        self, params: Params, x: Float[Array, "batch features"], key: jax.Array | None = None
    ) -> Float[Array, "batch outputs"]:
        del key
        (layer,) = params["layers"]
        return x @ layer["weight"] + layer["bias"][None]
