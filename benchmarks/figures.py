"""From repeated measurements to a figure: median and spread, ratios of neighbours in time, a target met or not."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

RULED_OUT = 2.0


class Spread(NamedTuple):
    """What repeated measurements came to."""

    median: float
    low: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    """Median, smallest and largest.

    >>> spread([3.0, 1.0, 2.0])
    Spread(median=2.0, low=1.0, high=3.0)
    """
    return Spread(statistics.median(values), min(values), max(values))


def surely(values: Sequence[float], sure: float = 0.95) -> tuple[float, float] | None:
    """Between which two of the values the true median lies, `sure` of the time, however they are spread; `None` for too few.

    >>> surely([float(value) for value in range(21)])
    (5.0, 15.0)
    """
    ordered, count = sorted(values), len(values)
    outside, below = (1 - sure) / 2, 0.0
    for place in range((count + 1) // 2):
        below += math.comb(count, place) / 2**count
        if below > outside:
            return (ordered[place - 1], ordered[-place]) if place else None
    return None


def ratios(peer: Sequence[float], ours: Sequence[float]) -> list[float]:
    """How many times longer the peer took, alternation by alternation, so that a slow moment of the machine hits both.

    >>> ratios(peer=[4.0, 9.0], ours=[2.0, 3.0])
    [2.0, 3.0]
    """
    return [theirs / mine for theirs, mine in zip(peer, ours, strict=True)]


def better(settings: Mapping[str, Sequence[float]]) -> str:
    """The setting of a peer with the smaller median: it is the one that we are compared with.

    >>> better({"1 thread": [2.0, 2.0], "2 threads": [3.0, 1.0, 9.0]})
    '1 thread'
    """
    return min(settings, key=lambda setting: statistics.median(settings[setting]))


def promising(seconds: Mapping[Any, float]) -> list[Any]:
    """The settings of a peer that a first look does not rule out. Too many threads may spin and take a hundred times longer.

    >>> promising({"1 thread": 1.0, "2 threads": 1.9, "4 threads": 70.0})
    ['1 thread', '2 threads']
    """
    return [setting for setting, each in seconds.items() if each <= RULED_OUT * min(seconds.values())]


@dataclass(frozen=True)
class Target:
    """A figure that was promised: at least `bound`, or at most where `least` is false. Without a bound it is only reported."""

    name: str
    bound: float | None
    unit: str = "×"
    least: bool = True

    def met(self, measured: Spread) -> bool | None:
        """Whether the median keeps the promise."""
        if self.bound is None:
            return None
        return measured.median >= self.bound if self.least else measured.median <= self.bound

    def data(self, values: Sequence[float], earnest: bool = True) -> dict[str, Any]:
        """The figure as the report stores it. What was not measured in earnest meets and misses nothing."""
        measured = spread(values)
        promise = {"bound": self.bound, "unit": self.unit, "at": "least" if self.least else "most"}
        return {
            "name": self.name,
            **measured._asdict(),
            **promise,
            "met": self.met(measured) if earnest else None,
            "surely": surely(values),
            "values": list(values),
        }


def line(figure: Mapping[str, Any]) -> str:
    """A stored figure as one line.

    >>> print(line(Target("help", 150, "ms", least=False).data([120.0, 160.0, 130.0])))
    help                                             130 ms (120 to 160)        at most 150 ms: met
    """
    unit = "×" if figure["unit"] == "×" else f" {figure['unit']}"
    measured = f"{figure['median']:.3g}{unit} ({figure['low']:.3g} to {figure['high']:.3g})"
    if figure["bound"] is None:
        return f"{figure['name']:<48} {measured}"
    verdict = {True: "met", False: "NOT MET", None: "too small a size to say"}[figure["met"]]
    sure = figure.get("surely")
    if figure["met"] is False and sure and sure[0] <= figure["bound"] <= sure[1]:
        verdict = f"not decided, {sure[0]:.3g} to {sure[1]:.3g} with 95 %"
    return f"{figure['name']:<48} {measured:<26} at {figure['at']} {figure['bound']:g}{unit}: {verdict}"
