"""The optimizer catalogue: one file each, found and not listed. `downslope.optimizers.catalogue` looks names up."""

from importlib import import_module
from typing import Any

from downslope.core.catalogue import Catalogue

catalogue = Catalogue(__name__, "optimizer")

WHERE = {"packed": "downslope.core.packed"}


def __getattr__(name: str) -> Any:
    if name in WHERE:
        return getattr(import_module(WHERE[name]), name)
    return catalogue.attribute(name)


def __dir__() -> list[str]:
    return ["catalogue", *WHERE, *catalogue.classes()]
