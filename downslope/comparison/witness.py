"""What the ledger keeps of the table so that every score can be derived from it alone: targets, weights, who used which row."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from downslope.comparison.judge import clusters_of
from downslope.comparison.labels import labels
from downslope.comparison.ledger import Ledger
from downslope.comparison.problem import Problem
from downslope.core.about import Task
from downslope.core.errors import BadData
from downslope.data.describe import Dataset
from downslope.data.split import Fit, Splits

ROWS = "rows"
TEST, TRAIN, STOP, JUDGE = 1, 2, 3, 4


def keep(ledger: Ledger, problem: Problem) -> None:
    """Stores targets, weights and groups of the rows, and a byte for each row of each different part; never the columns."""
    data, splits = problem.dataset, problem.splits
    parts: dict[tuple[bytes, ...], int] = {}
    fits, roles = [], []
    for fit in problem.fits:
        key = tuple(rows.tobytes() for rows in (fit.train, fit.stop, fit.judge))
        if key not in parts:
            parts[key] = len(roles)
            role = np.zeros(len(data.y), np.uint8)
            for rows, name in ((splits.test, TEST), (fit.train, TRAIN), (fit.stop, STOP), (fit.judge, JUDGE)):
                role[rows] = name
            roles.append(role)
        fits.append([parts[key], fit.seed, fit.repetition, fit.fold])
    arrays = {"roles": np.stack(roles), "fits": np.array(fits, np.int64), **of_table(data)}
    ledger.keep(ROWS, {name: np.ascontiguousarray(values) for name, values in arrays.items()})


def of_table(data: Dataset) -> dict[str, np.ndarray]:
    """What judging takes of the table: targets, and weights and groups where there are some."""
    found = {"target": data.y, "weight": data.weight, "clusters": clusters_of(data)}
    return {name: values for name, values in found.items() if values is not None}


def reopened(ledger: Ledger, facts: Mapping[str, Any], frame: Mapping[str, Any], table: Dataset | None = None) -> Problem:
    """The comparison's rows from the ledger. The columns are not there; zeros stand for them, which nothing looks at.

    With the `table` read again they are there, and who used which row is still what the ledger says.
    """
    arrays = ledger.kept(ROWS)
    if arrays is None:
        raise BadData(
            f"the ledger {ledger.path.name} was written by a version that kept no targets; the comparison must be run again"
        )
    roles, y = arrays["roles"], arrays["target"]

    def rows(part: int, role: int) -> np.ndarray:
        return np.flatnonzero(roles[part] == role)

    fits = [
        Fit(rows(part, TRAIN), rows(part, STOP), rows(part, JUDGE), seed, repetition, fold)
        for part, seed, repetition, fold in arrays["fits"].tolist()
    ]
    tuning = int(frame["budget"].get("thorough_seeds", frame["budget"]["tuning_seeds"]))
    task = Task(facts["task"])
    dataset = table or Dataset(
        name=frame["name"],
        digest=facts["data"],
        target=facts["target"],
        task=task,
        classes=tuple(facts["classes"]) if facts["classes"] else None,
        columns=(),
        features=MappingProxyType({}),
        y=y.astype(np.float64 if task is Task.REGRESSION else np.int64),
        weight=arrays.get("weight"),
        group=arrays.get("clusters"),
        time=None,
        origin=np.arange(len(y)),
        rows_read=frame["rows"]["read"],
        rows_used=frame["rows"]["used"],
        dropped=MappingProxyType(frame["rows"]["dropped"]),
        notes=(),
        warnings=(),
    )
    development, test = np.flatnonzero(roles[0] != TEST), np.flatnonzero(roles[0] == TEST)
    splits = Splits(frame["split"]["scheme"], development, test, tuple(fits[:tuning]), tuple(fits[tuning:]))
    found = Problem(dataset, splits, frame["source"], frame["command"], frame["asked"], blank=table is None)
    found.standardize = facts.get("standardize", True)
    found.labels = labels(facts.get("class_weight"), facts.get("label_smoothing"), dataset)
    if not found.blank:
        return found
    found.features = int(frame["features"])
    found.standardize = bool(facts.get("standardize", True))
    found.matrices = [
        (blank(fit.train, found.features), blank(fit.stop, found.features))
        for fit in (found.fits[first] for first in found.firsts)
    ]
    return found


def blank(rows: np.ndarray, features: int) -> np.ndarray:
    """Encoded rows that are not known, in no memory."""
    return np.broadcast_to(np.float32(0), (len(rows), features))
