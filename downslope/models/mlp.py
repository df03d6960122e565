"""Multilayer perceptron: layers of weighted sums, each but the last followed by a rectifier."""

from itertools import pairwise

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from downslope.core.about import AboutPart, Paper
from downslope.core.layer import layer
from downslope.core.record import choice, hyper
from downslope.core.types import Number, Params
from downslope.models.base import Layered


class Mlp(Layered):
    """Hidden layers let it bend; the default model above 1 000 rows. Weights start as normal numbers with variance 2 /
    inputs, biases at zero.

    Use it where effects bend or depend on each other.
    Not with few rows, which it learns by heart, nor when the weights are to be read.

    >>> mlp = Mlp(widths=(8,))
    >>> params = mlp.init(jax.random.key(0), features=3, outputs=1)
    >>> mlp.apply(params, jnp.ones((5, 3))).shape
    (5, 1)
    """

    about = AboutPart(
        title="Multilayer perceptron",
        equation=r"h_0 = x,\quad h_i = \max(0, h_{i-1} W_i + b_i),\quad f(x) = h_k W + b",
        source=Paper("He, Zhang, Ren and Sun", 2015, "Delving Deep into Rectifiers", "https://arxiv.org/abs/1502.01852"),
        differs={
            "PyTorch": "layers of `Linear` and `ReLU`; their weights start smaller, with variance 1 / (3 inputs).",
            "Keras": "layers of `Dense`; their weights start by the rule of Glorot and Bengio (2010).",
            "scikit-learn": "MLPClassifier and MLPRegressor: one hidden layer of 100 unless told; Glorot and Bengio's start.",
        },
    )

    widths: tuple[int, ...] = choice(default=(64, 64), doc="Units of each hidden layer.")
    dropout: Number = hyper(default=0.0, at_least=0.0, below=1.0, doc="Share of hidden units silenced while training.")

    @property
    def random(self) -> bool:
        return float(self.dropout) > 0

    @property
    def hidden(self) -> int:
        return len(self.widths)

    def init(self, key: jax.Array, features: int, outputs: int) -> Params:
        sizes = list(pairwise((features, *self.widths, outputs)))
        layers = []
        for each, (rows, columns) in zip(jax.random.split(key, len(sizes)), sizes, strict=True):
            gain = 2.0 if columns != outputs or len(layers) < len(self.widths) else 1.0
            weight = jax.random.normal(each, (rows, columns)) * jnp.sqrt(gain / rows)
            layers.append({"weight": weight, "bias": jnp.zeros(columns)})
        return {"layers": layers}

    def apply(
        self, params: Params, x: Float[Array, "batch features"], key: jax.Array | None = None
    ) -> Float[Array, "batch outputs"]:
        *hidden, last = params["layers"]
        for index, each in enumerate(hidden):
            x = layer(x, each["weight"], each["bias"])
            if key is not None:
                keep = jax.random.bernoulli(jax.random.fold_in(key, index), 1 - self.dropout, x.shape)
                x = jnp.where(keep, x / (1 - self.dropout), 0)
        return x @ last["weight"] + last["bias"][None]
