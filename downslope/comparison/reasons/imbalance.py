"""Imbalance: is a rare class neglected because it is rare, so that class weights would bring it back?"""

import numpy as np

from downslope.comparison.counterfactual import Change
from downslope.comparison.reasons.base import (
    CONFIRMED,
    REFUTED,
    Case,
    Cause,
    Record,
    helps,
    measure,
    measured,
    moved,
    opened,
    share_of,
    try_changes,
    untested,
)
from downslope.comparison.wording import percent
from downslope.core import examples
from downslope.core.about import Task

FAIR = 0.4  # of an equal share: a fifth of the rows where there are two classes
WORTH = 0.02  # of balanced accuracy


class Imbalance(Cause):
    """The sign is the share of the rarest class. The test weighs classes so that all count the same while learning, and reads
    the balanced accuracy, in which each class counts the same.
    """

    title = "imbalance"
    rank = 3

    def examine(self, case: Case) -> Record | None:
        if case.task is Task.REGRESSION:
            return None
        data, one = case.evidence.problem.dataset, case.chosen
        classes = data.classes or ()
        rows = case.evidence.problem.splits.development
        counts = np.bincount(data.y[rows].astype(int), minlength=len(classes))
        found, threshold = share_of(float(counts.min()), len(rows)), FAIR / len(classes)
        record = opened(self, case, [one], measured("share of the rarest class", found), threshold)
        record["class"] = str(classes[int(counts.argmin())])
        if found.mean > threshold:
            why = f"the rarest class has {percent(found.mean)} of the rows; it is tried from {percent(threshold)} down"
            return untested(record, why)
        if case.evidence.problem.labels.class_weight is not None:
            return untested(record, "class weights are in use already")
        if one.batch == 1:
            return untested(record, "in batches of one row class weights cancel")
        weighed = Change("with balanced class weights", lambda place, fold: balanced(fold.y, fold.weight, len(classes)))
        record = try_changes(case, record, one, [weighed], measure("balanced_accuracy"))
        if not record["arms"]:
            return record
        record["needed"] = WORTH
        return record | {"verdict": CONFIRMED if helps(record["arms"][0], WORTH) else REFUTED}

    def sentence(self, record: Record) -> str:
        rare = f"{record['class']!r}, {percent(record['statistic']['value'])} of the rows"
        effect = f"learning with balanced class weights brings {moved(record, record['arms'][0])}"
        if record["verdict"] == CONFIRMED:
            return f"{record['names'][0]} neglects the rare class ({rare}): {effect}."
        return f"A class is rare ({rare}), but {record['names'][0]} does not neglect it for that: {effect}."


def balanced(y: np.ndarray, weight: np.ndarray, classes: int) -> np.ndarray:
    """The weights of rows when all classes count the same.

    >>> balanced(np.array([0, 0, 0, 1]), np.ones(4), 2).round(2).tolist()
    [0.67, 0.67, 0.67, 2.0]
    """
    label = y.astype(np.int64)
    return weight * examples.balanced(np.bincount(label, weight, classes), np)[label]
