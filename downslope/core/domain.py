"""What scores and targets may be: looked at on the host, before anything is compiled, and named by row and value when wrong."""

import numpy as np

from downslope.core.about import AboutLoss, Task
from downslope.core.errors import BadData

NEARLY_ONE = 0.01  # by how much the shares of one example may miss 1: half precision rounds them
SURELY_ONE = 1e-3  # by how much probabilities miss it; scores that come so close in every row are none


def inside(about: AboutLoss) -> float:
    """A target that the loss allows: 0 where it may be, else one away from the ends."""
    low, high = about.lowest, about.highest
    if low < 0 < high or (not about.open_ends and low <= 0 <= high):
        return 0.0
    if np.isfinite(low) and np.isfinite(high):
        return (low + high) / 2
    return low + 1.0 if np.isfinite(low) else high - 1.0


def check_target(name: str, about: AboutLoss, target: np.ndarray, classes: int | None = None, soft: bool = False) -> None:
    """`BadData` with the first target that the loss cannot take. `classes` is how many scores a multiclass example has.

    `soft`: a multiclass example has one share for each class, and they sum to 1.
    """
    target = readable(target)
    if soft and about.task is Task.MULTICLASS:
        sums = target.sum(axis=-1)
        refuse(name, "share", target, (target >= 0) & np.isfinite(target), "every share at least 0")
        refuse(name, "sum of shares", sums, np.abs(sums - 1) <= NEARLY_ONE, "shares that sum to 1; weights and masks go apart")
        return
    refuse(name, "target", target, np.isfinite(target), f"{about.target}; a mask leaves out what is missing")
    if about.task is Task.MULTICLASS:
        whole = target == np.floor(target)
        last = "" if classes is None else f" to {classes - 1}, for there are {classes} scores"
        fits = whole & (target >= 0) & (target < (np.inf if classes is None else classes))
        refuse(name, "label", target, fits, f"a class index from 0{last}")
        return
    if about.task is Task.BINARY and not about.soft_labels and (about.lowest, about.highest) == (0.0, 1.0):
        fits = (target == 0) | (target == 1)
    elif about.open_ends:
        fits = (target > about.lowest) & (target < about.highest)
    else:
        fits = (target >= about.lowest) & (target <= about.highest)
    signed = about.task is Task.BINARY and bool(np.isin(target, (-1, 1)).all())
    refuse(name, "target", target, fits, about.target + ("; -1 and 1 become 0 and 1 by (target + 1) / 2" if signed else ""))


def check_scores(name: str, about: AboutLoss, raw: np.ndarray) -> None:
    """`BadData` where a score is not a number, or where all rows of a multiclass loss are probabilities.

    Rows that are not negative and sum to 1 are taken for probabilities when all of them are so and some number lies between 0
    and 1. A multiclass loss does not change when a constant is added to a row, so scores that happen to look like that can
    be moved. Binary scores are never refused: honest ones may all lie between 0 and 1.
    """
    raw = readable(raw)
    refuse(name, "score", raw, ~np.isnan(raw), "raw scores; a mask leaves out what is missing")
    if about.task is not Task.MULTICLASS or raw.size == 0:
        return
    alike = (raw >= 0).all() and (np.abs(raw.sum(axis=-1) - 1) <= SURELY_ONE).all() and ((raw > 0) & (raw < 1)).any()
    if alike:
        first = ", ".join(f"{value:g}" for value in raw.reshape(-1, raw.shape[-1])[0][:4])
        more = ", …" if raw.shape[-1] > 4 else ""
        raise BadData(f"{name}: expected raw scores, row 0 holds the probabilities {first}{more}; give what precedes the softmax")


def refuse(name: str, what: str, values: np.ndarray, fits: np.ndarray, wanted: str) -> None:
    """`BadData` with the place and value of the first that does not fit."""
    if fits.all():
        return
    place = tuple(int(axis) for axis in np.unravel_index(int(np.argmin(fits)), fits.shape))
    row = str(place[0] if len(place) == 1 else place) if place else "0"
    raise BadData(f"{name}: {what} in row {row} is {values[place]:.7g}, expected {wanted}")


def readable(values: np.ndarray) -> np.ndarray:
    """The array with numbers that NumPy compares and adds exactly enough: halves become single precision."""
    values = np.asarray(values)
    return values if values.dtype.kind in "iuf" and values.dtype.itemsize >= 4 else values.astype(np.float32)
