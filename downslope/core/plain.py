"""A record's class made from plain functions: their arguments with a default become its settings."""

import inspect
import types
from collections.abc import Callable, Mapping
from typing import Any

from downslope.core import own
from downslope.core.record import choice

PLAIN = (bool, int, float, str, type(None))
OTHER = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def settings(function: Callable[..., Any], taken: int, reserved: tuple[str, ...] = ()) -> dict[str, Any]:
    """Arguments after the first `taken` ones, with their defaults; `OwnFileError` where one has none.

    A default that cannot be typed, such as a function, is left where it is.

    >>> settings(lambda raw, target, delta=1.0: raw, taken=2)
    {'delta': 1.0}
    """
    found: dict[str, Any] = {}
    known = list(inspect.signature(function).parameters.values())
    for place, parameter in enumerate(known):
        if place < taken or parameter.name in reserved or parameter.kind in OTHER:
            continue
        if parameter.default is inspect.Parameter.empty:
            raise own.OwnFileError(f"{own.at(function)}: the setting {parameter.name} of {called(function)} needs a default")
        value = tuple(parameter.default) if isinstance(parameter.default, list) else parameter.default
        if all(isinstance(each, PLAIN) for each in (value if isinstance(value, tuple) else (value,))):
            found[parameter.name] = value
    return found


def check_arguments(function: Callable[..., Any], wanted: tuple[str, ...]) -> None:
    """Refuses a function that cannot be called with as many arguments as it will get."""
    try:
        inspect.signature(function).bind(*wanted)
    except TypeError as problem:
        form = f"{called(function)}({', '.join(wanted)})"
        raise own.OwnFileError(f"{own.at(function)}: it will be called as {form}: {problem}") from None


def called(function: Any) -> str:
    """What a function is called."""
    return str(getattr(function, "__name__", function))


def record_class(
    base: type[Any],
    name: str,
    about: Any,
    constants: Mapping[str, Any],
    leaves: Mapping[str, Any],
    functions: Mapping[str, Callable[..., Any]],
    origin: Any,
) -> type[Any]:
    """A finished class of `base`.

    `leaves` are fields that stay numbers of the record; `constants` become part of its structure, because a plain function
    may do with them what a traced number forbids, such as an `if`. `origin` is the function that says in its docstring what
    the class is, and in which module.
    """
    doc = f"An argument of {called(origin)}."
    fields = {**leaves, **{key: choice(default=value, doc=doc) for key, value in constants.items()}}
    space: dict[str, Any] = {
        "__module__": origin.__module__,
        "__annotations__": dict.fromkeys(fields, Any),
        "about": about,
        **fields,
        **{key: staticmethod(function) for key, function in functions.items()},
    }
    made: Any = types.new_class(called(origin), (base,), exec_body=lambda body: body.update(space))
    made.name, made.__doc__ = name, inspect.getdoc(origin) or ""  # afterwards: a dataclass without words would get some
    return made
