"""Which loss, which optimizer, which learning rate: measured on your own data."""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

WHERE = {
    "compare": "downslope.comparison.compare",
    "train": "downslope.comparison.train",
    "load": "downslope.prediction.predictor",
    "Record": "downslope.core.record",
    "hyper": "downslope.core.record",
    "choice": "downslope.core.record",
    "DownslopeError": "downslope.core.errors",
}
PACKAGES = ("losses", "optimizers", "schedules", "penalties", "models")

__all__ = ["__version__", "compare", "train", "load", "Record", "hyper", "choice", "DownslopeError", *PACKAGES]


def __getattr__(name: str) -> Any:
    # Names are fetched when asked for: JAX costs 0.4 s, and help and prediction do without it.
    if name in PACKAGES:
        return import_module(f"downslope.{name}")
    if name in WHERE:
        return getattr(import_module(WHERE[name]), name)
    raise AttributeError(f"module 'downslope' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
