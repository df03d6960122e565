"""The model catalogue: one file each, found and not listed. `downslope.models.catalogue` looks names up."""

from typing import Any

from downslope.core.catalogue import Catalogue

catalogue = Catalogue(__name__, "model")


def __getattr__(name: str) -> Any:
    return catalogue.attribute(name)


def __dir__() -> list[str]:
    return ["catalogue", *catalogue.classes()]
