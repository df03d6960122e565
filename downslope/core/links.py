"""The ways from a raw score to a prediction: a closed set, each for NumPy and for JAX.

A loss names its link and a saved model stores the name, so prediction needs neither the loss nor JAX.
"""

from types import ModuleType
from typing import Any

import numpy as np

from downslope.core.errors import UnknownName

NAMES = ("identity", "exp", "expm1", "sigmoid", "softmax", "sign", "argmax", "first")


def apply(name: str, raw: Any, numpy: ModuleType = np) -> Any:
    """The prediction that belongs to raw scores, in NumPy, or in JAX with `numpy=jax.numpy`.

    `sigmoid` gives the probability of class 1, `softmax` one probability for each class, `sign` and `argmax` a class index,
    `first` the first of several scores: the value where the others describe its spread.

    >>> apply("sign", np.array([-2.0, 0.5]))
    array([0, 1])
    """
    if name == "identity":
        return raw
    if name == "exp":
        return numpy.exp(raw)
    if name == "expm1":
        return numpy.expm1(raw)
    if name == "sigmoid":
        small = numpy.exp(-numpy.abs(raw))
        return numpy.where(raw >= 0, 1 / (1 + small), small / (1 + small))
    if name == "softmax":
        weights = numpy.exp(raw - numpy.max(raw, axis=-1, keepdims=True))
        return weights / numpy.sum(weights, axis=-1, keepdims=True)
    if name == "sign":
        return (raw > 0).astype(int)
    if name == "argmax":
        return numpy.argmax(raw, axis=-1)
    if name == "first":
        return raw[..., 0]
    raise UnknownName.among("link", name, NAMES)
