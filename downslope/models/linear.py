"""Linear model: a weighted sum of the features and a constant."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from downslope.core.about import AboutPart, Paper
from downslope.core.types import Params
from downslope.models.base import Layered


class Linear(Layered):
    """One weight for each feature and a constant; the default model below 1 000 rows. Starts at zero: with a convex loss
    every start leads to the same end.

    Use it with little data, and when the weights are to be read.
    Not where effects bend or depend on each other, which it cannot follow.

    >>> Linear().apply(Linear().init(jax.random.key(0), features=3, outputs=1), jnp.ones((5, 3))).shape
    (5, 1)
    """

    about = AboutPart(
        title="Linear model",
        equation=r"f(x) = x W + b",
        source=Paper(
            "Gauss",
            1809,
            "Theoria motus corporum coelestium in sectionibus conicis solem ambientium",
            "https://archive.org/details/theoriamotuscor00gausgoog",
        ),
        differs={
            "PyTorch": "`Linear` starts at random numbers.",
            "Keras": "`Dense` without an activation starts its weights at random numbers.",
            "scikit-learn": "SGDRegressor and SGDClassifier bring it together with a loss and an optimizer.",
        },
    )

    @property
    def hidden(self) -> int:
        return 0

    def init(self, key: jax.Array, features: int, outputs: int) -> Params:
        del key
        return {"layers": [{"weight": jnp.zeros((features, outputs)), "bias": jnp.zeros(outputs)}]}

    def apply(
        self, params: Params, x: Float[Array, "batch features"], key: jax.Array | None = None
    ) -> Float[Array, "batch outputs"]:
        del key
        (layer,) = params["layers"]
        if len(x) == 1:  # one kernel, where a matrix product of one row has three: two of them copy
            return jnp.sum(x.T * layer["weight"], axis=0)[None] + layer["bias"][None]
        return x @ layer["weight"] + layer["bias"][None]
