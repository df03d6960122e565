"""Frozen dataclasses that JAX can see through: numbers are leaves, choices are structure."""

import abc
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, Self, dataclass_transform

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from downslope.core.about import Range
from downslope.core.errors import BadShape, OutOfRange, UnknownName

LISTED = 4  # options that are counted through; of more, the first and the last are named


@dataclasses.dataclass(frozen=True)
class Setting:
    """What a field declares about itself: its bounds, the range a search looks in, its meaning.

    A `steady` number must stay the same during a run: what was computed with it is undone with it later.
    """

    kind: str
    doc: str
    above: float | None = None
    below: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    search: Range | None = None
    options: tuple[Any, ...] | None = None
    in_target_units: bool = False
    steady: bool = False
    or_function: bool = False

    def bounds(self) -> str:
        """The allowed values in words.

        >>> Setting("hyper", "", above=0.0, at_most=1.0).bounds()
        'above 0 and at most 1'
        """
        if self.options is not None:
            if len(self.options) > LISTED and self.options == tuple(range(self.options[0], self.options[-1] + 1)):
                return f"a whole number from {self.options[0]} to {self.options[-1]}"
            return "one of " + ", ".join(map(str, self.options)) + (", or a function" if self.or_function else "")
        words = (("above", self.above), ("at least", self.at_least), ("below", self.below), ("at most", self.at_most))
        return " and ".join(f"{word} {bound:g}" for word, bound in words if bound is not None) or "any number"

    def allows(self, value: Any) -> bool:
        """Whether every number in `value` is finite and inside the bounds (any value among the options of a choice)."""
        if self.kind == "choice":
            return self.options is None or value in self.options or (self.or_function and callable(value))
        numbers = np.asarray(value, dtype=float)
        inside = np.isfinite(numbers)
        for bound, keeps in (
            (self.above, np.greater),
            (self.at_least, np.greater_equal),
            (self.below, np.less),
            (self.at_most, np.less_equal),
        ):
            if bound is not None:
                inside &= keeps(numbers, bound)
        return bool(inside.all())


def hyper(
    *,
    default: float,
    doc: str,
    above: float | None = None,
    below: float | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
    search: Range | None = None,
    in_target_units: bool = False,
    steady: bool = False,
) -> Any:
    """A number that may change without recompiling: a leaf of the record."""
    setting = Setting("hyper", doc, above, below, at_least, at_most, search, in_target_units=in_target_units, steady=steady)
    return dataclasses.field(default=default, metadata={"setting": setting})


def choice(*, default: Any, doc: str, options: Sequence[Any] | None = None, or_function: bool = False) -> Any:
    """A setting that changes the program: part of the record's structure. Its value must be hashable.

    With `or_function` a function may stand in the place of an option. Keep it under one name: another function, even one with
    the same text, is another program.
    """
    setting = Setting("choice", doc, options=None if options is None else tuple(options), or_function=or_function)
    return dataclasses.field(default=default, metadata={"setting": setting, "static": True})


def part(*, doc: str, default_factory: Callable[[], Any]) -> Any:
    """A record inside a record: its numbers stay leaves, its choices stay structure."""
    return dataclasses.field(default_factory=default_factory, metadata={"setting": Setting("part", doc)})


@dataclass_transform(frozen_default=True, field_specifiers=(hyper, choice, part))
class Record(abc.ABC):
    """Base of everything that has settings. A subclass becomes a frozen dataclass and a JAX pytree.

    An array in place of a number makes one object a whole sweep, which `jax.vmap` runs.
    A value outside its bounds raises `OutOfRange` when the object is made.
    """

    name: ClassVar[str]
    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]  # made below; said here for type checkers

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        # Ours are called as their files are; the module of somebody else's class says little (`__main__`, a notebook).
        cls.name = cls.__module__.rpartition(".")[2] if cls.__module__.startswith("downslope.") else cls.__name__
        dataclasses.dataclass(frozen=True)(cls)
        register(cls)

    def __post_init__(self) -> None:
        for name, setting in self.settings().items():
            value = getattr(self, name)
            if isinstance(value, str) and setting.kind == "hyper":
                raise OutOfRange(f"{self.name}: {name} must be a number, got {value!r}")
            if isinstance(value, str | float | int) and setting.kind == "part":
                raise OutOfRange(f"{self.name}: {name} must be an object with settings of its own, got {value!r}")
            if (setting.kind == "choice" or is_concrete(value)) and not setting.allows(value):
                raise OutOfRange(f"{self.name}: {name} must be {setting.bounds()}, got {value}")

    @classmethod
    def settings(cls) -> dict[str, Setting]:
        """The declared settings by name, in the order of the constructor's arguments."""
        return {f.name: f.metadata["setting"] for f in dataclasses.fields(cls)}

    def values(self) -> dict[str, Any]:
        """The settings' present values by name."""
        return {name: getattr(self, name) for name in self.settings()}

    def replace(self, **changes: Any) -> Self:
        """A copy with some settings changed."""
        return dataclasses.replace(self, **changes)

    def chain(self) -> "Iterator[Record]":
        """The record and those inside it, one in another, from the outermost inwards."""
        yield self
        for name, setting in self.settings().items():
            if setting.kind == "part":
                yield from getattr(self, name).chain()

    def scaled(self, **factors: Any) -> Self:
        """A copy whose named numbers are multiplied: how a schedule reaches a setting, here or in the compiled engine.

        A name is looked for in the innermost record first, so `sam(adam).scaled(learning_rate=0.5)` halves the rate of Adam.
        Raises `UnknownName` for a setting that is not there and `OutOfRange` for one that no schedule may change.

        >>> from downslope.optimizers import Adam
        >>> from downslope.schedules import Linear
        >>> Adam(learning_rate=0.5).scaled(learning_rate=Linear()(step=50, steps=100)).learning_rate
        Array(0.25, dtype=float32, weak_type=True)
        """
        mine = dict(factors)
        changes: dict[str, Any] = {}
        for name, setting in self.settings().items():
            inner = getattr(self, name)
            if setting.kind == "part":
                inside = {key: mine.pop(key) for key in list(mine) if any(key in each.settings() for each in inner.chain())}
                changes[name] = inner.scaled(**inside)
        for name, factor in mine.items():
            setting = self.settings().get(name)
            if setting is None:
                raise UnknownName.among(f"setting of {self.name}", name, self.settings())
            if setting.kind != "hyper" or setting.steady:
                raise OutOfRange(f"{self.name}: {name} must stay the same during a run, so no schedule can change it")
            changes[name] = getattr(self, name) * factor
        return self.replace(**changes)

    def lanes(self) -> Self:
        """The same sweep with every number as an array of one value for each lane: what `jax.vmap` takes.

        Some numbers are arrays of equal length, all others are repeated; `BadShape` where there is no such length.

        >>> from downslope.optimizers import Adam
        >>> Adam(learning_rate=jnp.array([0.1, 0.01]), epsilon=1e-6).lanes().b1.shape
        (2,)
        """
        numbers = jax.tree.leaves(self)
        sizes = {np.shape(number) for number in numbers} - {()}
        if len(sizes) != 1 or any(len(size) != 1 for size in sizes):
            found = ", ".join(map(str, sorted(sizes))) or "single numbers alone"
            raise BadShape(f"{self.name}: a sweep needs arrays (lanes,) of one length among the settings, got {found}")
        (size,) = sizes
        return jax.tree.map(lambda number: jnp.broadcast_to(jnp.asarray(number), size), self)


def register(cls: type[Any]) -> None:
    """Tells JAX which fields of a record are numbers and which are structure. The class itself is part of the structure.

    Not `register_dataclass`: with JAX 0.10.2 the structures of two dataclasses compare equal when their fields do,
    whatever their types, so that a compiled function would now and then run the program of another loss.
    """
    names = {
        static: [f.name for f in dataclasses.fields(cls) if bool(f.metadata.get("static")) is static] for static in (False, True)
    }

    def structure(record: Any) -> tuple[Any, ...]:
        return (cls, *(getattr(record, name) for name in names[True]))

    def with_keys(record: Any) -> tuple[list[Any], tuple[Any, ...]]:
        return [(jax.tree_util.GetAttrKey(name), getattr(record, name)) for name in names[False]], structure(record)

    def numbers(record: Any) -> tuple[list[Any], tuple[Any, ...]]:
        return [getattr(record, name) for name in names[False]], structure(record)

    def again(structure: tuple[Any, ...], numbers: Any) -> Any:
        return cls(**dict(zip(names[True], structure[1:], strict=True)), **dict(zip(names[False], numbers, strict=True)))

    jax.tree_util.register_pytree_with_keys(cls, with_keys, again, numbers)


def is_concrete(value: Any) -> bool:
    """Whether a value's numbers are known now; JAX also passes tracers and placeholders through a record."""
    if isinstance(value, Tracer):
        return False
    return isinstance(value, int | float | np.ndarray | np.number | jax.Array)
