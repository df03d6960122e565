"""The schedule catalogue: one file each, found and not listed. `downslope.schedules.catalogue` looks names up."""

from typing import Any

from downslope.core.catalogue import Catalogue

catalogue = Catalogue(__name__, "schedule")


def __getattr__(name: str) -> Any:
    return catalogue.attribute(name)


def __dir__() -> list[str]:
    return ["catalogue", *catalogue.classes()]
