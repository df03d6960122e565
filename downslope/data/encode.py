"""Typed values to the numbers a model sees, by statistics of the training rows alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from downslope.core.errors import BadData
from downslope.data.calendar import CalendarPart, fit_calendar
from downslope.data.coded import Coded
from downslope.data.describe import Dataset
from downslope.data.scale import NORMAL_IQR, TargetScale

__all__ = ["Encoder", "TargetScale"]

MOST_LEVELS = 64
RARE = 5  # a level on fewer training rows teaches nothing of its own
STRAIGHT = 8.0  # scales from the centre, beyond which a number counts by its logarithm
LARGEST = float(np.finfo(np.float32).max)
MIDDLE, POOLED = "missing", "rare"


class Part(Protocol):
    """The encoding of one column."""

    @property
    def name(self) -> str:
        """The column."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the encoded columns."""
        ...

    def fill(self, values: np.ndarray, out: np.ndarray) -> None:
        """Write the encoded columns into `out`, which holds zeros."""
        ...

    def to_json(self) -> dict[str, Any]:
        """The part as plain data."""
        ...


def with_indicator(name: str, indicator: bool) -> tuple[str, ...]:
    """The encoded columns of a number: itself, and whether it is missing.

    >>> with_indicator("age", True)
    ('age', 'age: missing')
    """
    return (name, f"{name}: {MIDDLE}") if indicator else (name,)


@dataclass(frozen=True)
class NumberPart:
    """A number, centred by its median and scaled by its quartiles, far values drawn in, then to mean 0 and variance 1.

    For well-behaved numbers this is the usual standardising; a column with a few huge values keeps its differences.
    A missing value becomes 0, the mean, and sets an indicator if any training row had one.
    """

    name: str
    centre: float
    scale: float
    mean: float
    deviation: float
    indicator: bool

    @property
    def names(self) -> tuple[str, ...]:
        """The number, and its indicator."""
        return with_indicator(self.name, self.indicator)

    def fill(self, values: np.ndarray, out: np.ndarray) -> None:
        """Write the number and the indicator."""
        gone = np.isnan(values)
        drawn = draw_in((values - self.centre) / self.scale)
        out[:, 0] = np.where(gone, 0.0, draw_in((drawn - self.mean) / self.deviation))
        if self.indicator:
            out[:, 1] = gone

    def to_json(self) -> dict[str, Any]:
        """The part as plain data."""
        return {"kind": "number", **self.__dict__}


@dataclass(frozen=True)
class PlainNumberPart:
    """A number as it is, in its own units. A missing value becomes `fill_in`, the mean, and sets an indicator."""

    name: str
    fill_in: float
    indicator: bool

    @property
    def names(self) -> tuple[str, ...]:
        """The number, and its indicator."""
        return with_indicator(self.name, self.indicator)

    def fill(self, values: np.ndarray, out: np.ndarray) -> None:
        """Write the number, cut off where float32 ends, and the indicator."""
        gone = np.isnan(values)
        out[:, 0] = np.clip(np.where(gone, self.fill_in, values), -LARGEST, LARGEST)
        if self.indicator:
            out[:, 1] = gone

    def to_json(self) -> dict[str, Any]:
        """The part as plain data."""
        return {"kind": "plain number", **self.__dict__}


@dataclass(frozen=True)
class CategoryPart:
    """A category as one column for each frequent level of the training rows, one for all rare ones, one for missing.

    A level that training never saw has a slot of its own, the one in which every column is zero: a column that is always
    zero while training would keep the random weights it started with.
    """

    name: str
    levels: tuple[str, ...]
    rare: tuple[str, ...]
    indicator: bool

    @property
    def names(self) -> tuple[str, ...]:
        """One for each slot."""
        words = (*(f"={level}" for level in self.levels), *([f": {POOLED}"] if self.rare else []))
        return tuple(f"{self.name}{word}" for word in (*words, *([f": {MIDDLE}"] if self.indicator else [])))

    def fill(self, values: np.ndarray, out: np.ndarray) -> None:
        """Write a one into each row's slot."""
        if not isinstance(values, Coded):
            raise BadData(f"column {self.name!r} holds numbers, expected categories; read it as it was read for training")
        pooled, last = len(self.levels), out.shape[1] - 1
        slots = {level: index for index, level in enumerate(self.levels)} | dict.fromkeys(self.rare, pooled)
        table = np.array([*(slots.get(level, -1) for level in values.levels), last if self.indicator else -1])
        slot = table[np.asarray(values)]  # the code -1, a missing value, takes the last entry
        known = np.flatnonzero(slot >= 0)
        out[known, slot[known]] = 1.0

    def to_json(self) -> dict[str, Any]:
        """The part as plain data."""
        return {"kind": "category", **self.__dict__, "levels": list(self.levels), "rare": list(self.rare)}


@dataclass(frozen=True)
class Encoder:
    """Turns typed columns into one float32 matrix. What it knows, it learned from the rows it was fitted on."""

    parts: tuple[Part, ...]

    @classmethod
    def fit(cls, dataset: Dataset, rows: np.ndarray, standardize: bool = True) -> "Encoder":
        """The encoder of these rows; without `standardize` numbers stay in their own units.

        >>> from downslope.data.describe import describe
        >>> from downslope.data.read import read
        >>> iris = describe(read("demo:iris"))
        >>> Encoder.fit(iris, np.arange(100)).transform(iris.features).shape
        (150, 4)
        """
        fitted = []
        for column in dataset.used:
            values = dataset.features[column.name][rows]
            if isinstance(values, Coded):
                fitted.append(fit_category(column.name, values))
            elif column.kind == "date":
                fitted.append(fit_calendar(column.name, values, elapsed=column.details.get("elapsed", True)))
            else:
                fitted.append((fit_number if standardize else fit_plain_number)(column.name, values))
        return cls(tuple(fitted))

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each encoded column."""
        return tuple(name for part in self.parts for name in part.names)

    @property
    def width(self) -> int:
        """How many encoded columns there are."""
        return sum(len(part.names) for part in self.parts)

    def transform(self, features: Mapping[str, np.ndarray], rows: np.ndarray | None = None) -> np.ndarray:
        """The encoded rows, float32, each row contiguous."""
        chosen = {part.name: features[part.name] if rows is None else features[part.name][rows] for part in self.parts}
        count = len(next(iter(chosen.values()))) if chosen else 0
        encoded = np.zeros((count, self.width), np.float32)
        start = 0
        for part in self.parts:
            stop = start + len(part.names)
            part.fill(chosen[part.name], encoded[:, start:stop])
            start = stop
        return encoded

    def to_json(self) -> dict[str, Any]:
        """The encoder as plain data."""
        return {"parts": [part.to_json() for part in self.parts]}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> "Encoder":
        """The encoder that plain data describes."""
        return cls(tuple(part_from_json(part) for part in plain["parts"]))


def part_from_json(plain: Mapping[str, Any]) -> Part:
    """One column's encoding from plain data; an unknown or damaged one raises `KeyError`, `TypeError` or `ValueError`."""
    kind, name = plain["kind"], str(plain["name"])
    if kind == "number":
        numbers = {key: finite(plain[key]) for key in ("centre", "scale", "mean", "deviation")}
        return NumberPart(name, **numbers, indicator=bool(plain["indicator"]))
    if kind == "plain number":
        return PlainNumberPart(name, finite(plain["fill_in"]), bool(plain["indicator"]))
    if kind == "category":
        return CategoryPart(name, texts(plain["levels"]), texts(plain["rare"]), bool(plain["indicator"]))
    if kind == "date":
        numbers = tuple((finite(mean), finite(deviation)) for mean, deviation in plain["numbers"])
        return CalendarPart(name, texts(plain["used"]), numbers, bool(plain["indicator"]))
    raise ValueError(f"unknown encoding {kind!r}")


def finite(value: Any) -> float:
    """A plain finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        raise ValueError(f"{value!r} is not a finite number")
    return float(value)


def texts(values: Any) -> tuple[str, ...]:
    """A tuple of texts."""
    if not isinstance(values, Sequence) or isinstance(values, str) or not all(isinstance(value, str) for value in values):
        raise ValueError("not a list of texts")
    return tuple(values)


def draw_in(values: np.ndarray) -> np.ndarray:
    """Values as they are up to 8, and growing by their logarithm beyond; continuous with its slope.

    >>> draw_in(np.array([-2.0, 8.0, 1e6])).round(1)
    array([-2. ,  8. , 21.8])
    """
    size = np.abs(values)
    return np.where(size <= STRAIGHT, values, np.sign(values) * (STRAIGHT + np.log1p(np.maximum(size - STRAIGHT, 0.0))))


def fit_number(name: str, values: np.ndarray) -> NumberPart:
    """The encoding of a number or a boolean."""
    gone = np.isnan(values)
    present = values[~gone]
    if not len(present):
        return NumberPart(name, 0.0, 1.0, 0.0, 1.0, True)
    low, centre, high = (float(q) for q in np.quantile(present, (0.25, 0.5, 0.75)))
    scale = (high - low) / NORMAL_IQR or float(present.std())
    if not (np.isfinite(scale) and scale > 1e-12 * abs(centre)):
        scale = 1.0
    drawn = draw_in((present - centre) / scale)
    deviation = float(drawn.std())
    return NumberPart(name, centre, scale, float(drawn.mean()), deviation if deviation > 1e-12 else 1.0, bool(gone.any()))


def fit_plain_number(name: str, values: np.ndarray) -> PlainNumberPart:
    """The encoding of a number or a boolean that is to stay as it is."""
    gone = np.isnan(values)
    mean = float(np.clip(values[~gone], -LARGEST, LARGEST).mean()) if not gone.all() else 0.0
    return PlainNumberPart(name, mean, bool(gone.any()))


def fit_category(name: str, values: Coded) -> CategoryPart:
    """The encoding of a category: levels in the order of their names, which does not depend on the order of rows."""
    codes = np.asarray(values)
    counts = np.bincount(codes[codes >= 0], minlength=len(values.levels))
    seen = np.flatnonzero(counts)
    few = RARE if len(codes) >= 40 * RARE else 2
    frequent = seen[counts[seen] >= few]
    if len(frequent) > MOST_LEVELS:
        frequent = np.sort(frequent[np.argsort(-counts[frequent], kind="stable")][:MOST_LEVELS])
    rare = np.setdiff1d(seen, frequent)
    if len(rare) == 1:  # a pool of one is that level
        frequent, rare = np.sort(np.append(frequent, rare)), rare[:0]
    levels, pooled = (tuple(values.levels[i] for i in chosen) for chosen in (frequent, rare))
    return CategoryPart(name, levels, pooled, bool((codes < 0).any()))
