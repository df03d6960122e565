"""The labels that contenders learn from: how much each class counts, how far labels are smoothed, who cannot take them.

All of it is for the rows that are learned from, and alike for every contender. What judges or chooses sees the table as it is.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from downslope.comparison.contender import Contender
from downslope.core import domain, examples
from downslope.core.about import Task
from downslope.core.errors import DownslopeError, IncompatiblePair, OutOfRange, UnknownName
from downslope.data.describe import Dataset

BALANCED = "balanced"


@dataclass(frozen=True)
class Labels:
    """`class_weight` is `"balanced"`, a weight for each class that was named, or `None`; `label_smoothing` a share or `None`."""

    class_weight: str | Mapping[str, float] | None = None
    label_smoothing: float | None = None

    def weight(self, y: np.ndarray, weight: np.ndarray, classes: Sequence[str] | None) -> np.ndarray:
        """The weights of rows to learn from: their own, times that of their class. Balance is that of these rows."""
        if self.class_weight is None or classes is None:
            return weight
        label = y.astype(np.int64)
        if isinstance(self.class_weight, str):
            table = examples.balanced(np.bincount(label, weight, len(classes)), np)
        else:
            table = np.array([self.class_weight.get(name, 1.0) for name in classes])
        return weight * table[label]

    def facts(self) -> dict[str, Any]:
        """What a run's identity remembers, and its result: only what was asked for."""
        words = {} if self.class_weight is None else {"class_weight": spelled(self.class_weight)}
        return words | ({} if self.label_smoothing is None else {"label_smoothing": self.label_smoothing})

    def words(self) -> list[str]:
        """The plan's sentences about it."""
        out = []
        if self.class_weight == BALANCED:
            out.append("rows to learn from weigh by class: all classes the same together; judging does not")
        elif self.class_weight is not None:
            out.append(f"rows to learn from weigh by class: {spelled(self.class_weight)}; judging does not")
        if self.label_smoothing is not None:
            out.append(f"labels to learn from share {self.label_smoothing:g} of themselves evenly among all classes")
        return out

    def fitted(self, field: Sequence[Contender], dataset: Dataset) -> list[Contender]:
        """The contenders, those that cannot learn from these labels with their reason. Raises where that is everyone."""
        out = [replace(one, reason=one.reason or self.reason(one, dataset)) for one in field]
        if all(one.reason for one in out):
            raise IncompatiblePair(out[0].reason)
        return out

    def reason(self, one: Contender, dataset: Dataset) -> str:
        """Why a contender cannot learn from these labels; nothing if it can."""
        about = one.loss.about
        try:
            if self.label_smoothing is not None:
                examples.check_smoothing(one.loss.name, about, self.label_smoothing)
            if about.target_scale != "shift_and_scale" and about.task is Task.REGRESSION:
                whole = np.full(int(dataset.origin.max()) + 1, domain.inside(about))
                whole[dataset.origin] = dataset.y  # rows are counted as in the table
                domain.check_target(one.loss.name, about, whole)
        except DownslopeError as problem:
            return str(problem)
        if self.class_weight is not None and one.batch == 1:
            return "in batches of one row class weights cancel, for each batch is divided by its weights"
        return ""


def labels(class_weight: Any, label_smoothing: float | None, dataset: Dataset) -> Labels:
    """What the user asked for, checked against the classes of the table."""
    if label_smoothing is not None and not 0 <= label_smoothing < 1:
        raise OutOfRange(f"label_smoothing must be at least 0 and below 1, got {label_smoothing}")
    found = named(class_weight)
    if found is not None and dataset.classes is None:
        raise IncompatiblePair(f"class weights need classes, and {dataset.target!r} is a quantity; leave class_weight out")
    for name in found if isinstance(found, Mapping) else ():
        if name not in (dataset.classes or ()):
            raise UnknownName.among(f"class of {dataset.target!r}", name, dataset.classes or ())
    return Labels(found, float(label_smoothing) if label_smoothing else None)


def named(given: Any) -> str | dict[str, float] | None:
    """Class weights from `balanced`, from a text like `no=1, yes=5`, or from a mapping.

    >>> named("no=1, yes=5"), named({True: 2}), named("Balanced")
    ({'no': 1.0, 'yes': 5.0}, {'true': 2.0}, 'balanced')
    """
    if given is None or given == "":
        return None
    wanted = "class_weight must be 'balanced' or weights like 'no=1, yes=5'"
    if isinstance(given, str):
        if given.strip().lower() == BALANCED:
            return BALANCED
        pairs = [part.rpartition("=") for part in given.split(",")]
        if not all(equals and name.strip() for name, equals, _ in pairs):
            raise UnknownName(f"{wanted}, got {given!r}")
        given = {name.strip(): weight for name, _, weight in pairs}
    if not isinstance(given, Mapping):
        raise UnknownName(f"{wanted}, got {given!r:.60}")
    out = {}
    for name, weight in given.items():
        try:
            out[str(name).lower() if isinstance(name, bool) else str(name)] = float(weight)
        except (TypeError, ValueError):
            raise OutOfRange(f"the weight of class {name!r} must be a number of at least 0, got {weight!r}") from None
    for name, weight in out.items():
        if not (math.isfinite(weight) and weight >= 0):
            raise OutOfRange(f"the weight of class {name!r} must be a number of at least 0, got {weight:g}")
    return out


def spelled(class_weight: str | Mapping[str, float]) -> str:
    """Class weights as one types them."""
    if isinstance(class_weight, str):
        return class_weight
    return ", ".join(f"{name}={weight:g}" for name, weight in class_weight.items())
