"""Say what a table holds: the task, the type of each column, what is left out and why."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import polars as pl

from downslope.core.about import Task
from downslope.core.errors import BadData, UnknownName
from downslope.data import warn
from downslope.data.kinds import USABLE, Finding, find_kind, row_number
from downslope.data.table import Table
from downslope.data.target import find_target


@dataclass(frozen=True)
class Column:
    """One column of the table: its kind, whether the model sees it, and if not, why. `details` is what reading it again needs."""

    name: str
    kind: str
    used: bool
    reason: str
    missing: int
    distinct: int
    details: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """What prediction has to know of the column."""
        return {"name": self.name, "kind": self.kind, "details": dict(self.details)}


@dataclass(frozen=True, eq=False)
class Dataset:
    """Typed values of the rows that can be learned from. `origin` is each row's number in the table that was read.

    `features` has one array for each used column: float64 numbers, 0/1 booleans, seconds since 1970 for dates (each NaN where
    missing), and `Coded` categories. `alike` has the same number for rows that are copies of each other, `None` without copies.
    """

    name: str
    digest: str
    target: str
    task: Task
    classes: tuple[str, ...] | None
    columns: tuple[Column, ...]
    features: Mapping[str, np.ndarray]
    y: np.ndarray
    weight: np.ndarray | None
    group: np.ndarray | None
    time: np.ndarray | None
    origin: np.ndarray
    rows_read: int
    rows_used: int
    dropped: Mapping[str, int]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    alike: np.ndarray | None = None

    @property
    def used(self) -> tuple[Column, ...]:
        """The columns the model sees."""
        return tuple(column for column in self.columns if column.used)


def describe(
    table: Table,
    target: str | None = None,
    *,
    task: str | None = None,
    positive: str | float | None = None,
    drop: Sequence[str] | str = (),
    weight: str | None = None,
    split: str | None = None,
    keep: Sequence[str] | str = (),
) -> Dataset:
    """The typed rows of a table, with everything that was decided about it in words.

    Columns that only name their rows are left out, but for those that `keep` names.

    >>> from downslope.data.read import read
    >>> dataset = describe(read("demo:wine"))
    >>> dataset.task, dataset.classes
    (<Task.MULTICLASS: 'multiclass'>, ('class_0', 'class_1', 'class_2'))
    """
    scheme, split_column = parse_split(split)
    target = table.target if target is None else str(target)
    drop, keep = ((names,) if isinstance(names, str) else names for names in (drop, keep))
    if target is None:
        raise BadData(f"no target named for {table.source}; choose one of its columns: {', '.join(table.columns[:30])}")
    named = [("target", target), *(("column to drop", name) for name in drop), *(("column to keep", name) for name in keep)]
    named += [(what, name) for what, name in (("weight column", weight), (f"{scheme} column", split_column)) if name is not None]
    for what, name in named:
        if name not in table.columns:
            raise UnknownName.among(what, name, table.columns, f" in {table.source}")
        if name == target and what != "target":
            raise BadData(f"column {name!r} cannot be the target and the {what} at once; choose another one")
    if both := [name for name in keep if name in drop]:
        raise BadData(f"column {both[0]!r} is to be kept and dropped at once; choose one")
    answer = find_target(table, target, task, positive)
    whole, dropped = answer.usable.copy(), dict(answer.dropped)
    roles = {target: "target"} | dict.fromkeys(drop, "dropped on request")
    findings = {name: find_kind(table.frame[name]) for name in table.columns if name not in roles}
    weights = times = groups = None
    if weight is not None:
        weights = read_weight(table, weight, findings[weight])
        roles[weight] = "weight of the rows"
        leave_out(whole, np.isnan(weights), "weight missing", dropped)
    if split_column is not None and scheme == "time":
        times = read_time(split_column, findings[split_column])
        leave_out(whole, np.isnan(times), "time missing", dropped)
        if findings[split_column].kind != "date":
            roles[split_column] = "orders the rows in time"
    if split_column is not None and scheme == "group":
        groups = group_codes(table.frame[split_column])
        leave_out(whole, groups < 0, "group missing", dropped)
        roles[split_column] = "names the groups"
    rows = np.flatnonzero(whole)
    refuse_emptied(table, answer.y[rows], answer.classes, target)
    notes, warnings = [*table.notes, *answer.notes], []
    columns, features = [], {}
    for name in table.columns:
        found = answer.finding if name == target else findings.get(name) or find_kind(table.frame[name])
        reason = roles.get(name) or unusable(name, found, rows, table.above, name in keep)
        if reason and name in keep:
            raise BadData(f"column {name!r} cannot be kept: {reason}")
        if not reason and warn.is_copy(found, table.frame[name], answer, rows):
            reason = "the same as the target"
            warnings.append(f"{name!r} is a copy of the target and is left out")
        details = dict(found.details)
        if name == split_column and not reason:
            details["elapsed"] = False  # its later values were never seen while training, so only the season and the hour count
        kind = "identifier" if reason.startswith(("row numbers", "an identifier")) else found.kind
        columns.append(Column(name, kind, not reason, reason, found.missing, found.distinct, details))
        if not reason:
            features[name] = found.values[rows]
        if name not in roles:
            notes += found.notes
            warnings += warn.about_cells(table, name, found)
    columns, features = rescue_row_numbers(columns, features, findings, rows)
    notes += [
        f"{column.name!r} is left out: {column.reason}{way_back(column, findings)}"
        for column in columns
        if not column.used and column.name not in roles
    ]
    if not features:
        why = "; ".join(notes[-5:]) or "there is no other"
        raise BadData(
            f"no column of {table.source} is left to predict {target!r} from: {why}; add a column that tells rows apart"
        )
    warnings += warn.about_leaks(columns, features, answer.y[rows], answer.task, target)
    warnings += warn.about_dates(columns, scheme)
    alike = warn.alike(table, [*features, target], rows)
    copied_notes, copied_warnings = warn.about_copies(alike)
    notes, warnings = [*notes, *copied_notes], [*warnings, *copied_warnings]
    return Dataset(
        name=table.name,
        digest=table.digest,
        target=target,
        task=answer.task,
        classes=answer.classes,
        columns=tuple(columns),
        features=MappingProxyType(features),
        y=answer.y[rows].astype(np.float64 if answer.task is Task.REGRESSION else np.int64),
        weight=None if weights is None else weights[rows],
        group=None if groups is None else groups[rows],
        time=None if times is None else times[rows],
        origin=rows,
        rows_read=table.rows,
        rows_used=len(rows),
        dropped=MappingProxyType(dropped),
        notes=tuple(notes),
        warnings=tuple(warnings),
        alike=alike if copied_notes or copied_warnings else None,
    )


def parse_split(split: str | None) -> tuple[str, str | None]:
    """The scheme and the column of `time:COL` or `group:COL`."""
    if split is None:
        return "random", None
    scheme, colon, column = split.partition(":")
    if scheme not in ("time", "group") or not colon or not column:
        raise BadData(f"split {split!r} is not of the form time:COLUMN or group:COLUMN")
    return scheme, column


def leave_out(keep: np.ndarray, gone: np.ndarray, reason: str, dropped: dict[str, int]) -> None:
    """Take rows out of `keep`, each counted under the first reason that met it."""
    newly = keep & gone
    if newly.any():
        dropped[reason] = int(newly.sum())
        keep &= ~gone


def read_weight(table: Table, name: str, found: Finding) -> np.ndarray:
    """Non-negative weights, not all zero."""
    if found.kind not in ("number", "boolean"):
        raise BadData(f"weight column {name!r} holds {found.kind} values, expected numbers of zero or more")
    wrong = np.flatnonzero(found.values < 0)
    odd = [*wrong.tolist(), *found.infinite, *found.unreadable]
    if odd:
        cell = table.frame[name][odd[0]]
        raise BadData(
            f"weight column {name!r} is {cell} on {table.place(odd[0])} of {table.source}, expected a number of zero or more"
        )
    if not np.nansum(found.values) > 0:
        raise BadData(f"weight column {name!r} is zero on every row; expected some positive weights")
    return found.values


def read_time(name: str, found: Finding) -> np.ndarray:
    """A number that grows with time."""
    if found.kind not in ("date", "number"):
        raise BadData(f"split time:{name} needs dates or numbers, {name!r} holds {found.kind} values; try split group:{name}")
    return found.values


def group_codes(column: pl.Series) -> np.ndarray:
    """A number for each group, -1 where it is missing."""
    found = find_kind(column)
    if found.kind in ("number", "boolean", "date"):
        values, codes = np.unique(found.values, return_inverse=True)
        return np.where(np.isnan(values)[codes], -1, codes)
    if found.kind in ("category", "identifier", "text"):
        return np.asarray(found.values).astype(np.int64)
    raise BadData(f"split group:{column.name} has no usable group on any row; choose another column")


def refuse_emptied(table: Table, y: np.ndarray, classes: tuple[str, ...] | None, target: str) -> None:
    """An error when weights, times or groups took away what the target needs."""
    enough = len(y) >= 6 and (classes is None or np.bincount(y.astype(int), minlength=len(classes)).min() > 0)
    if not enough or len(np.unique(y)) < 2:
        raise BadData(
            f"after leaving out incomplete rows {len(y)} of {table.rows} remain, too few to learn {target!r}; complete the rows"
        )


def unusable(name: str, found: Finding, rows: np.ndarray, above: int | None, keep: bool = False) -> str:
    """Why a column cannot help a model, or nothing."""
    if found.kind not in USABLE:
        return found.reason
    values = np.asarray(found.values)[rows]
    gone = values < 0 if found.kind == "category" else np.isnan(values)
    if gone.all():
        return "every value is missing"
    seen = values[~gone]
    if not gone.any() and (seen == seen[0]).all():
        return "the same value on every row"
    # A second table that was put below this one has row numbers of its own.
    return row_number(name, found.values[:above]) if found.kind == "number" and not keep else ""


def way_back(column: Column, findings: Mapping[str, Finding]) -> str:
    """How a column of numbers that looks like row numbers gets in all the same."""
    found = findings.get(column.name)
    number = found is not None and found.kind == "number" and column.kind == "identifier"
    return f" (--keep {shlex.quote(column.name)} takes it in)" if number else ""


def rescue_row_numbers(
    columns: list[Column], features: dict[str, np.ndarray], findings: Mapping[str, Finding], rows: np.ndarray
) -> tuple[list[Column], dict[str, np.ndarray]]:
    """When nothing else is left, a column that only looked like row numbers is the one that is meant."""
    spare = [column.name for column in columns if column.reason.startswith(("row numbers", "an identifier by"))]
    if features or not spare:
        return columns, features
    rescued = [Column(c.name, "number", True, "", c.missing, c.distinct, c.details) if c.name in spare else c for c in columns]
    return rescued, {name: findings[name].values[rows] for name in spare}
