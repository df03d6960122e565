"""The target: which question it asks, which rows answer it, and the values to learn."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from downslope.core.about import Task
from downslope.core.errors import BadData, IncompatiblePair, UnknownName
from downslope.data import cells
from downslope.data.kinds import Finding, find_kind, mostly_numbers
from downslope.data.table import Table

MOST_WHOLE_CLASSES = 20
MOST_CLASSES = 100
FEWEST_ROWS = 6
FEWEST_OF_A_CLASS = 3
SIGNS = ("-", "--")
"""Missing as a feature, but a usual name for the negative class."""


@dataclass(frozen=True, eq=False)
class Target:
    """The task with a value for each row of the table; `usable` tells which rows have one."""

    task: Task
    classes: tuple[str, ...] | None
    y: np.ndarray
    usable: np.ndarray
    dropped: dict[str, int]
    notes: tuple[str, ...]
    finding: Finding


def find_target(table: Table, name: str, task: str | None, positive: str | float | None) -> Target:
    """The target of a table, or the error that says why it cannot be learned."""
    column = table.frame[name]
    found = find_kind(column)
    if positive is not None:
        positive = str(positive).lower() if isinstance(positive, bool) else str(positive)
    if task is not None and task not in list(Task):
        raise UnknownName.among("task", task, list(Task))
    if found.kind == "date":
        raise BadData(f"target {name!r} holds dates, expected numbers or classes; turn it into a number, such as days")
    if found.kind == "unsupported":
        raise BadData(f"target {name!r} {found.reason}; expected numbers or classes")
    if found.kind == "number":
        refuse_odd_numbers(table, name, found)
        labels = None
        gone = np.isnan(found.values)
        distinct = np.unique(found.values[~gone])
    else:
        labels = label_codes(column, found.kind)
        gone = np.asarray(labels) < 0
        distinct = np.unique(np.asarray(labels)[~gone])
        if len(distinct) > MOST_WHOLE_CLASSES and task in (None, Task.REGRESSION):
            refuse_stray_words(table, name)
    rows = int((~gone).sum())
    if not rows:
        raise BadData(f"target {name!r} has no value on any of {table.rows} rows; choose another target")
    if len(distinct) == 1:
        only = f"{distinct[0]:g}" if labels is None else repr(labels.levels[distinct[0]])
        raise BadData(f"target {name!r} is {only} on each of {rows} rows, so there is nothing to learn; choose another target")
    notes = []
    chosen = Task(task) if task is not None else detect(distinct, rows, labels is None)
    if task is None and chosen is Task.MULTICLASS and labels is None:
        notes.append(
            f"target {name!r} has {len(distinct)} different whole values, taken as classes (as a quantity: --task regression)"
        )
    dropped = {"target missing": int(gone.sum())} if gone.any() else {}
    if chosen is Task.REGRESSION:
        if labels is not None:
            raise IncompatiblePair(f"task regression needs numbers, target {name!r} holds words such as {labels.levels[0]!r}")
        if positive is not None:
            raise IncompatiblePair(f"a positive class ({positive!r}) needs a binary target, {name!r} is a quantity; leave it out")
        refuse_few(name, rows)
        return Target(chosen, None, found.values, ~gone, dropped, tuple(notes), found)
    if labels is None:
        codes = np.where(gone, -1, np.searchsorted(distinct, np.where(gone, distinct[0], found.values))).astype(np.int64)
        names: Sequence[str] = [f"{value:.0f}" if value == int(value) else repr(float(value)) for value in distinct]
    else:
        codes, names = np.asarray(labels).astype(np.int64), labels.levels
    codes, names, rare = without_rare(codes, names)
    if rare:
        few = sum(rare.values())
        dropped[f"class with fewer than {FEWEST_OF_A_CLASS} rows"] = few
        listing = ", ".join(repr(label) for label in list(rare)[:5]) + (" …" if len(rare) > 5 else "")
        notes.append(f"classes with fewer than {FEWEST_OF_A_CLASS} rows are left out: {listing} ({few} rows)")
        if task is None and len(names) == 2:
            chosen = Task.BINARY
    refuse_classes(name, chosen, codes, names, rare)
    if positive is not None:
        codes, names = put_last(name, chosen, codes, names, positive)
    return Target(chosen, tuple(names), codes, codes >= 0, dropped, tuple(notes), found)


def refuse_odd_numbers(table: Table, name: str, found: Finding) -> None:
    """Infinities and stray words in a target of numbers are errors, for nothing should be guessed there."""
    if found.infinite:
        row = found.infinite[0]
        raise BadData(
            f"target {name!r} is infinite (or beyond 1e100) on {table.place(row)} of {table.source}; correct it or leave it empty"
        )
    if found.unreadable:
        row = found.unreadable[0]
        cell = str(table.frame[name][row])[:40]
        raise BadData(f"target {name!r} is {cell!r} on {table.place(row)} of {table.source}; expected a number, or nothing")


def refuse_stray_words(table: Table, name: str) -> None:
    """An error that names the first word, when a target of words is a target of numbers but for a few cells."""
    text = cells.present_text(table.frame[name], none_is_missing=True)
    if mostly_numbers(text.drop_nulls()):
        readable = text.cast(pl.Float64, strict=False)
        row = int(np.flatnonzero((text.is_not_null() & readable.is_null()).to_numpy())[0])
        raise BadData(f"target {name!r} is {text[row]!r} on {table.place(row)} of {table.source}; expected a number, or nothing")


def label_codes(column: pl.Series, kind: str) -> cells.Coded:
    """Codes of the class names. A sign is a class here, and None among words is one too."""
    text = cells.as_text(column).str.strip_chars()
    missing = [word for word in cells.MISSING if word not in SIGNS]
    if kind == "boolean":
        missing += [*cells.NONE, *SIGNS]
    text = text.set(text.is_in(missing).fill_null(False), None)
    if kind == "boolean" and text.drop_nulls().n_unique() > 2:
        text = text.str.to_lowercase()  # "Yes" and "yes" are one answer
    levels = text.drop_nulls().unique().sort().to_list()
    codes = text.cast(pl.Enum(levels)).to_physical().cast(pl.Int32).fill_null(-1).to_numpy()
    return cells.Coded.of(codes, tuple(levels))


def detect(distinct: np.ndarray, rows: int, is_number: bool) -> Task:
    """The question that a target asks, from its different values.

    >>> detect(np.array([3.0, 4.0, 5.0]), 60, is_number=True)
    <Task.MULTICLASS: 'multiclass'>
    """
    if len(distinct) == 2:
        return Task.BINARY
    if not is_number:
        return Task.MULTICLASS
    few = len(distinct) <= MOST_WHOLE_CLASSES and rows >= FEWEST_OF_A_CLASS * len(distinct)
    return Task.MULTICLASS if few and (distinct == np.floor(distinct)).all() else Task.REGRESSION


def without_rare(codes: np.ndarray, names: Sequence[str]) -> tuple[np.ndarray, list[str], dict[str, int]]:
    """Codes in which classes of too few rows are -1, the names that stay, and the rare ones with their rows."""
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    stays = counts >= FEWEST_OF_A_CLASS
    new = np.append(np.where(stays, np.cumsum(stays) - 1, -1), -1)
    rare = {names[i]: int(counts[i]) for i in np.flatnonzero(~stays).tolist() if counts[i]}
    return new[codes], [names[i] for i in np.flatnonzero(stays).tolist()], rare


def refuse_few(name: str, rows: int) -> None:
    """An error when there are fewer rows than can be split."""
    if rows < FEWEST_ROWS:
        raise BadData(
            f"{rows} rows have a value of target {name!r}, at least {FEWEST_ROWS} are needed to train and judge; add rows"
        )


def refuse_classes(name: str, task: Task, codes: np.ndarray, names: Sequence[str], rare: dict[str, int]) -> None:
    """An error when the classes are too many, too few or too small for the task."""
    if len(names) + len(rare) > MOST_CLASSES:
        raise BadData(
            f"target {name!r} has {len(names) + len(rare)} different words, at most {MOST_CLASSES} classes can be told apart; "
            "choose another target or join classes"
        )
    if len(names) < 2:
        found = f"only {names[0]!r} has" if names else "none has"
        raise BadData(f"target {name!r} needs two classes of at least {FEWEST_OF_A_CLASS} rows, {found} as many; add rows")
    if task is Task.BINARY and len(names) > 2:
        raise IncompatiblePair(f"task binary needs two classes, target {name!r} has {len(names)}; use task multiclass")
    refuse_few(name, int((codes >= 0).sum()))


def put_last(name: str, task: Task, codes: np.ndarray, names: list[str], positive: str) -> tuple[np.ndarray, list[str]]:
    """The classes in the order that makes the named one positive."""
    if task is not Task.BINARY:
        raise IncompatiblePair(
            f"a positive class ({positive!r}) needs a binary target, {name!r} has {len(names)} classes; leave it out"
        )
    if positive not in names:
        raise UnknownName.among(f"class of {name!r}", positive, names)
    if names[1] == positive:
        return codes, names
    return np.where(codes < 0, codes, 1 - codes), names[::-1]
