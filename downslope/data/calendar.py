"""Dates as numbers a model can use: time passed, season, weekday, hour."""

from dataclasses import dataclass
from typing import Any

import numpy as np

DAY = 86_400.0
NUMBERS = ("elapsed", "year", "month")
WAVES = ("day of year sine", "day of year cosine", "hour sine", "hour cosine")
WEEKDAYS = tuple(f"weekday {day}" for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"))


@dataclass(frozen=True)
class CalendarPart:
    """A date as those of its parts that varied while training. `numbers` has mean and deviation of each part that is a number."""

    name: str
    used: tuple[str, ...]
    numbers: tuple[tuple[float, float], ...]
    indicator: bool

    def __post_init__(self) -> None:
        known = {*NUMBERS, *WAVES, *WEEKDAYS}
        if not set(self.used) <= known or len(self.numbers) != sum(part in NUMBERS for part in self.used):
            raise ValueError("date parts and their numbers do not fit")

    @property
    def names(self) -> tuple[str, ...]:
        """One for each part, and the indicator."""
        return tuple(f"{self.name}: {part}" for part in (*self.used, *(["missing"] if self.indicator else [])))

    def fill(self, values: np.ndarray, out: np.ndarray) -> None:
        """Write the parts; those of a missing date are zero."""
        gone = np.isnan(values)
        parts = date_parts(np.where(gone, 0.0, values))
        numbers = iter(self.numbers)
        for index, part in enumerate(self.used):
            found = parts[part]
            if part in NUMBERS:
                mean, deviation = next(numbers)
                found = (found - mean) / deviation
            out[:, index] = np.where(gone, 0.0, found)
        if self.indicator:
            out[:, -1] = gone

    def to_json(self) -> dict[str, Any]:
        """The part as plain data."""
        pairs = [list(pair) for pair in self.numbers]
        return {"kind": "date", "name": self.name, "used": list(self.used), "numbers": pairs, "indicator": self.indicator}


def date_parts(seconds: np.ndarray) -> dict[str, np.ndarray]:
    """Every part of moments given as seconds since 1970.

    >>> parts = date_parts(np.array([0.0]))
    >>> parts["year"], parts["weekday Thursday"]
    (array([1970.]), array([1.]))
    """
    days = np.floor(seconds / DAY)
    date = days.astype("datetime64[D]")
    year, month = date.astype("datetime64[Y]"), date.astype("datetime64[M]")
    in_year = (date - year.astype("datetime64[D]")).astype(float) / 365.25
    in_day = (seconds - days * DAY) / DAY
    weekday = (days.astype(int) + 3) % 7  # 1970 began on a Thursday
    found = {
        "elapsed": seconds / DAY,
        "year": year.astype(float) + 1970,
        "month": (month.astype(int) % 12 + 1).astype(float),
    }
    for name, share in (("day of year", in_year), ("hour", in_day)):
        found[f"{name} sine"], found[f"{name} cosine"] = np.sin(2 * np.pi * share), np.cos(2 * np.pi * share)
    return found | {name: (weekday == index).astype(float) for index, name in enumerate(WEEKDAYS)}


def fit_calendar(name: str, values: np.ndarray, elapsed: bool = True) -> CalendarPart:
    """The parts that vary over these rows. Without `elapsed`, only those that come round again."""
    gone = np.isnan(values)
    present = values[~gone]
    parts = date_parts(present)
    left_out = () if elapsed else ("elapsed", "year")
    varied = [part for part, found in parts.items() if len(found) and part not in left_out and np.ptp(found) > 1e-9]
    numbers = tuple((float(parts[part].mean()), float(parts[part].std())) for part in varied if part in NUMBERS)
    return CalendarPart(name, tuple(varied), numbers, bool(gone.any()))
