"""What deserves a second look: leaks, copies, stray cells, dates that a random split would mix."""

import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from downslope.core.about import Task
from downslope.data.cells import Coded
from downslope.data.kinds import Finding
from downslope.data.table import Table
from downslope.data.target import Target

if TYPE_CHECKING:
    from downslope.data.describe import Column

SAME = 1 - 1e-9
FEWEST = 20  # rows, of which half judge
MOST = 20_000  # rows that are looked at
LEFT_OPEN = 1e-3  # share of the target's spread


def is_copy(found: Finding, column: pl.Series, target: Target, rows: np.ndarray) -> bool:
    """Whether a column repeats the target on every row that is used."""
    own, y = np.asarray(found.values)[rows], target.y[rows]
    if target.classes is None:
        return found.kind == "number" and bool((own == y).all())
    if found.kind == "category" and isinstance(found.values, Coded):
        place = {name: index for index, name in enumerate(target.classes)}
        codes = np.array([*(place.get(level, -2) for level in found.values.levels), -2])
        return bool((codes[own] == y).all())
    if found.kind == "number" and target.finding.kind == "number":
        return bool((own == target.finding.values[rows]).all())
    return found.kind == "boolean" and target.finding.kind == "boolean" and bool((own == target.finding.values[rows]).all())


def about_cells(table: Table, name: str, found: Finding) -> list[str]:
    """Warnings about cells that count as missing although something stands in them."""
    warnings = list(found.warnings)
    if found.infinite:
        what = (
            "infinite value (or beyond 1e100) counts" if len(found.infinite) == 1 else "infinite values (or beyond 1e100) count"
        )
        warnings.append(f"{name!r}: {len(found.infinite)} {what} as missing (first on {table.place(found.infinite[0])})")
    if found.unreadable:
        row = found.unreadable[0]
        what = (
            f"cell is not a {found.kind} and counts" if len(found.unreadable) == 1 else f"cells are not {found.kind}s and count"
        )
        cell = str(table.frame[name][row])[:40]
        warnings.append(f"{name!r}: {len(found.unreadable)} {what} as missing (first {cell!r}, {table.place(row)})")
    return warnings


def about_leaks(
    columns: "Sequence[Column]", features: Mapping[str, np.ndarray], y: np.ndarray, task: Task, target: str
) -> list[str]:
    """Warnings about columns from which the target can be computed."""
    said = []
    for column in columns:
        if not column.used:
            continue
        values = features[column.name]
        if follows(values, y) if task is Task.REGRESSION else renames(values, y):
            said.append(f"{column.name!r} determines the target {target!r} exactly")
        elif foretells(values, y, task):
            said.append(f"{column.name!r} alone tells the target {target!r} almost exactly, on rows held out")
    return [f"{words}; if it is not known when predicting, leave it out (drop it)" for words in said]


def follows(values: np.ndarray, y: np.ndarray) -> bool:
    """Whether numbers lie on one straight line with the target."""
    if isinstance(values, Coded):
        return False
    both = ~np.isnan(values)
    if both.sum() < max(5, len(y) // 2):
        return False
    own, target = values[both] - values[both].mean(), y[both] - y[both].mean()
    size = np.sqrt((own**2).sum() * (target**2).sum())
    return bool(size > 0 and abs((own * target).sum()) > SAME * size)


def renames(values: np.ndarray, y: np.ndarray) -> bool:
    """Whether a column only calls the classes by other names."""
    if isinstance(values, Coded):
        codes, present = np.asarray(values).astype(np.int64), np.asarray(values) >= 0
    else:
        present = ~np.isnan(values)
        codes = np.zeros(len(values), np.int64)
        codes[present] = np.unique(values[present], return_inverse=True)[1]
    if present.sum() < max(5, len(y) // 2):
        return False
    classes = int(y.max()) + 1
    own = len(np.unique(codes[present]))
    return own == len(np.unique(y[present])) == len(np.unique(codes[present] * classes + y[present]))


def foretells(values: np.ndarray, y: np.ndarray, task: Task) -> bool:
    """Whether one column, learned on every other row, leaves next to nothing of the target open on the rest.

    A number says what the nearest numbers said, a level what its rows said on average. Quantities count by their rank, so
    that any growing or falling function of the target is found; classes by the share of rows that a guess gets wrong.
    """
    present = np.flatnonzero(np.asarray(values) >= 0 if isinstance(values, Coded) else ~np.isnan(values))
    if len(present) < max(FEWEST, len(y) // 2):
        return False
    draw = np.random.default_rng(0).permutation(present)[:MOST]
    x, target = np.asarray(values, np.float64)[draw], y[draw]
    learned, asked = slice(0, len(draw) // 2), slice(len(draw) // 2, None)
    kinds = np.unique(target) if task is not Task.REGRESSION else None
    known, place = np.unique(x[learned], return_inverse=True)
    counts = np.bincount(place)

    def said(wanted: np.ndarray) -> np.ndarray:
        means = np.bincount(place, wanted[learned]) / counts
        if not isinstance(values, Coded):
            return np.interp(x[asked], known, means)
        found = np.minimum(np.searchsorted(known, x[asked]), len(known) - 1)
        return np.where(known[found] == x[asked], means[found], wanted[learned].mean())

    if kinds is None:
        rank = np.unique(target, return_inverse=True)[1].astype(np.float64)
        spread = np.square(rank[asked] - rank[learned].mean()).sum()
        return bool(np.square(rank[asked] - said(rank)).sum() < LEFT_OPEN * spread)
    shares = np.stack([said((target == kind).astype(np.float64)) for kind in kinds])
    guess = kinds[np.argmax(np.bincount(np.searchsorted(kinds, target[learned]), minlength=len(kinds)))]
    blind = int((target[asked] != guess).sum())
    return blind >= FEWEST and int((target[asked] != kinds[shares.argmax(axis=0)]).sum()) <= blind // 100


def about_dates(columns: "Sequence[Column]", scheme: str) -> list[str]:
    """A warning when there are dates and the rows are split without regard to them."""
    dates = [column.name for column in columns if column.kind == "date" and column.used]
    if not dates or scheme != "random":
        return []
    return [
        f"rows are split at random although {dates[0]!r} holds dates; if later rows are to be predicted from earlier ones, "
        f"the scores here are too good: use --split {shlex.quote('time:' + dates[0])}"
    ]


def alike(table: Table, names: Sequence[str], rows: np.ndarray) -> np.ndarray:
    """A number for each row that is used, the same for rows with the same cells."""
    frame = table.frame.select(names)
    return (frame[rows] if len(rows) < table.rows else frame).hash_rows().to_numpy()


def about_copies(alike: np.ndarray) -> tuple[list[str], list[str]]:
    """How many rows are copies of others, for a copy may be trained on and judged at once: a note, a warning if they are many."""
    copies = len(alike) - len(np.unique(alike))
    if not copies:
        return [], []
    said = f"{copies} of {len(alike)} rows {'is a copy' if copies == 1 else 'are copies'} of another row"
    if copies < max(1, len(alike) // 100):
        return [said], []
    return [], [f"{said}; a copy may be trained on and judged at once"]
