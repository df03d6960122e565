"""The comparison as a command to type: what the report says under "repeat"."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from downslope.comparison.contender import short
from downslope.core.errors import DownslopeError
from downslope.core.own import is_own


def command(source: Any, options: Mapping[str, Any]) -> str | None:
    """`downslope compare …` with every option that was given, `None` where a source or an object has no name to type.

    >>> command("sales.csv", {"target": "net price", "epochs": None, "drop": ("id",), "single": True, "margin": 0.02})
    "downslope compare sales.csv --target 'net price' --drop id --single --margin 0.02"
    """
    if not isinstance(source, str | Path):
        return None
    words = ["downslope", "compare", str(source)]
    try:
        for name, value in options.items():
            words += option(name, value)
    except DownslopeError:
        return None
    return shlex.join(words)


def option(name: str, value: Any) -> list[str]:
    """One option as the words of a command line; nothing for one that was not given."""
    if value is None or value is False or value == ():
        return []
    flag = f"--{name.replace('_', '-')}"
    if value is True:
        return [flag]
    if name in ("drop", "keep"):
        return [word for column in value for word in (flag, column)]
    if isinstance(value, Mapping):
        return [flag, ", ".join(f"{setting}={typed(each)}" for setting, each in value.items())]
    values = value if isinstance(value, list | tuple) else [value]
    return [flag, ", ".join(typed(each) for each in values)]


def typed(value: Any) -> str:
    """One value as one types it."""
    if isinstance(value, str | int | float | Path):
        return str(value)
    if isinstance(value, type):
        value = value()
    if hasattr(value, "settings") and not is_own(value):
        return short(value)
    raise DownslopeError(f"{value!r} has no name to type")
