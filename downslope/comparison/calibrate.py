"""From raw scores to probabilities one can believe: one temperature for several classes, Platt's two numbers for a margin."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from downslope.core import links
from downslope.core.about import Task
from downslope.core.errors import IncompatiblePair

STEPS = 60
ROUGH_ROWS = 400
IMAGINED = 0.3  # rows, in all, that could be of any class
CLOSE = 1e-4  # relative; the step that shows it makes the error its square
FLATTEST, STEEPEST = 1e-3, 1e4


@dataclass(frozen=True)
class Temperature:
    """Divides the scores of all classes by one number before the softmax (Guo and others, 2017); the order never changes."""

    temperature: float

    def to_json(self) -> dict[str, Any]:
        """What a saved model stores."""
        return {"kind": "temperature", "temperature": self.temperature}


@dataclass(frozen=True)
class Platt:
    """Probability of class 1 as the sigmoid of `slope * score + offset` (Platt, 1999)."""

    slope: float
    offset: float

    def to_json(self) -> dict[str, Any]:
        """What a saved model stores."""
        return {"kind": "platt", "slope": self.slope, "offset": self.offset}


Calibration = Temperature | Platt


def from_json(stored: dict[str, Any] | None) -> Calibration | None:
    """The calibration that `to_json` stored.

    >>> from_json(Platt(2.0, -1.0).to_json())
    Platt(slope=2.0, offset=-1.0)
    """
    if stored is None:
        return None
    if stored["kind"] == "temperature":
        return Temperature(float(stored["temperature"]))
    return Platt(float(stored["slope"]), float(stored["offset"]))


def shares(weight: np.ndarray | None, n: int) -> np.ndarray:
    """Weights that sum to 1; equal ones when none are given or none is above 0."""
    total = 0.0 if weight is None else float(np.sum(weight, dtype=np.float64))
    return np.asarray(weight, np.float64) / total if total > 0 else np.full(n, 1 / n)


def thinned(n: int) -> slice:
    """A part of the rows, evenly spread, that gives the fit of all of them a start close to its end."""
    return slice(None, None, n // ROUGH_ROWS)


def fit_steepness(
    raw: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None, start: np.ndarray | None = None
) -> np.ndarray:
    """One over the best temperature for each epoch of `(epochs, n, k)` scores: Newton's method for all of them at once.

    A part of an imagined row that may be of any class keeps the temperature above 0 when every row is right.
    """
    epochs, n, _ = raw.shape
    y = y.astype(np.int64)
    if start is None and n >= 2 * ROUGH_ROWS:
        some = thinned(n)
        start = fit_steepness(raw[:, some], y[some], None if weight is None else weight[some])
    share = shares(weight, n).astype(raw.dtype)
    score = np.ascontiguousarray(np.moveaxis(raw, 2, 0))  # sums over classes are then sums of long rows
    score -= score.max(axis=0)
    size = -(score.min(axis=0) @ share)
    size[size == 0] = 1  # scores that are all equal: any temperature is as good
    score /= size[:, None]  # of order 1 for every epoch, so one bracket serves all
    imagined = IMAGINED / (n + IMAGINED)
    own = score[y, np.arange(epochs)[:, None], np.arange(n)]
    reached = (1 - imagined) * (own @ share) + imagined * (score.mean(axis=0) @ share)
    low, high = np.full(epochs, FLATTEST), np.full(epochs, STEEPEST)
    steep = np.clip(size if start is None else start * size, low, high)  # a temperature of 1 to begin with
    for _ in range(STEPS):
        chance = np.exp(score * steep[:, None].astype(raw.dtype))
        total = chance.sum(axis=0)
        chance *= score
        first = chance.sum(axis=0) / total
        chance *= score
        second = chance.sum(axis=0) / total - first**2
        slope = (first @ share - reached).astype(np.float64)
        curve = (second @ share).astype(np.float64)
        # The slope rises with the steepness, so its sign narrows the bracket; a step that leaves it is replaced by halving.
        low, high = np.where(slope < 0, np.maximum(low, steep), low), np.where(slope < 0, high, np.minimum(high, steep))
        step = steep - slope / np.maximum(curve, 1e-12)
        moved = np.where((step > low) & (step < high), step, np.sqrt(low * high))
        done = np.abs(moved - steep) <= CLOSE * steep
        steep = moved
        if np.all(done):
            break
    return steep / size


def fit_platt(
    raw: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None, start: tuple[np.ndarray, np.ndarray] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Slope and offset for each epoch of `(epochs, n)` margins, by Newton's method with Platt's smoothed targets."""
    epochs, n = raw.shape
    if start is None and n >= 2 * ROUGH_ROWS:
        some = thinned(n)
        start = fit_platt(raw[:, some], y[some], None if weight is None else weight[some])
    share = shares(weight, n)
    ones = float(share[y == 1].sum()) * n
    target = np.where(y == 1, (ones + 1) / (ones + 2), 1 / (n - ones + 2))
    middle = raw @ share
    size = np.sqrt(np.maximum(np.square(raw - middle[:, None]) @ share, np.finfo(float).tiny))
    x = (raw - middle[:, None]) / size[:, None]  # centred and scaled, the two numbers hardly depend on each other
    if start is None:
        wanted = float(target @ share)
        slope, offset = np.zeros(epochs), np.full(epochs, np.log(wanted / (1 - wanted)))
    else:
        slope, offset = start[0] * size, start[1] + start[0] * middle
    for _ in range(STEPS):
        chance = links.apply("sigmoid", slope[:, None] * x + offset[:, None])
        miss, bend = (chance - target) * share, chance * (1 - chance) * share
        by_slope, by_offset = np.einsum("en,en->e", miss, x), miss.sum(axis=1)
        tilted = bend * x
        a, b, c = np.einsum("en,en->e", tilted, x) + 1e-9, tilted.sum(axis=1), bend.sum(axis=1) + 1e-9
        step_slope = (c * by_slope - b * by_offset) / (a * c - b * b)
        step_offset = (a * by_offset - b * by_slope) / (a * c - b * b)
        # Steps of at most 1 in either number: far from the end the curvature is small and a whole step would overshoot.
        length = 1 / np.maximum(1, np.maximum(np.abs(step_slope), np.abs(step_offset)))
        slope, offset = slope - length * step_slope, offset - length * step_offset
        if np.all(np.maximum(np.abs(step_slope), np.abs(step_offset)) <= CLOSE):
            break
    return slope / size, offset - slope * middle / size


def fit_calibration(raw: np.ndarray, y: np.ndarray, weight: np.ndarray | None, link: str, task: Task) -> Calibration | None:
    """What turns these scores into probabilities, learned from rows that did not train the model; `None` where none is needed."""
    task = Task(task)
    if task is Task.MULTICLASS:
        return Temperature(float(1 / fit_steepness(np.asarray(raw, np.float64)[None], y, weight)[0]))
    if task is Task.BINARY and link != "sigmoid":
        slope, offset = fit_platt(np.asarray(raw, np.float64)[None], y, weight)
        return Platt(float(slope[0]), float(offset[0]))
    return None


def probabilities(raw: np.ndarray, link: str, task: Task, calibration: Calibration | None = None) -> np.ndarray:
    """Probability of class 1 `(n,)` for binary tasks, of each class `(n, k)` otherwise."""
    raw = np.asarray(raw, np.float64)
    if isinstance(calibration, Temperature):
        return links.apply("softmax", raw / calibration.temperature)
    if isinstance(calibration, Platt):
        return links.apply("sigmoid", calibration.slope * raw + calibration.offset)
    if link not in ("sigmoid", "softmax"):
        raise IncompatiblePair(
            f"scores with link {link!r} on a {Task(task).value} target give no probabilities before calibration"
        )
    return links.apply(link, raw)
