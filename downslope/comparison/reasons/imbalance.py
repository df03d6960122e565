"""Imbalance: is a rare class neglected because it is rare, so that class weights or a focal loss would bring it back?"""

from dataclasses import replace

import numpy as np

from downslope.comparison.contender import Contender
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
from downslope.comparison.wording import listed, percent
from downslope.core import examples
from downslope.core.about import Task
from downslope.losses import catalogue as losses

FAIR = 0.4  # of an equal share: a fifth of the rows where there are two classes
WORTH = 0.02  # of balanced accuracy
FOCAL = {Task.BINARY: "binary_focal", Task.MULTICLASS: "focal"}


class Imbalance(Cause):
    """The sign is the share of the rarest class. The test learns once with classes weighed so that all count the same, and once
    with a focal loss, which looks away from what is easy; it reads the balanced accuracy, in which each class counts the same.
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
        changes = against(case, one)
        if not changes:
            return untested(record, "in batches of one row class weights cancel, and its loss is focal already")
        record = try_changes(case, record, one, changes, measure("balanced_accuracy"))
        if not record["arms"]:
            return record
        record["needed"] = WORTH
        return record | {"verdict": CONFIRMED if any(helps(arm, WORTH) for arm in record["arms"]) else REFUTED}

    def sentence(self, record: Record) -> str:
        rare = f"{record['class']!r}, {percent(record['statistic']['value'])} of the rows"
        tried = [f"learning {arm['name']} brings {moved(record, arm)}" for arm in record["arms"]]
        if record["verdict"] == CONFIRMED:
            good = [helps(arm, record["needed"]) for arm in record["arms"]]
            effect = listed([words for words, helped in zip(tried, good, strict=True) if helped])
            idle = [arm["name"] for arm, helped in zip(record["arms"], good, strict=True) if not helped]
            beside = f"; learning {listed(idle, 'or')} does not help" if idle else ""
            return f"{record['names'][0]} neglects the rare class ({rare}): {effect}{beside}."
        return f"A class is rare ({rare}), but {record['names'][0]} does not neglect it for that: {listed(tried)}."


def against(case: Case, one: Contender) -> list[Change]:
    """Class weights and a focal loss, each where the contender can learn with it and does not do so already."""
    labels, data, out = case.evidence.problem.labels, case.evidence.problem.dataset, []
    if one.batch != 1:
        classes = len(data.classes or ())
        out.append(Change("with balanced class weights", lambda place, fold: balanced(fold.y, fold.weight, classes)))
    focal = losses[FOCAL[case.task]]()
    if type(focal) is not type(one.loss) and not labels.reason(replace(one, loss=focal), data):
        out.append(Change("with a focal loss", loss=focal))
    return out


def balanced(y: np.ndarray, weight: np.ndarray, classes: int) -> np.ndarray:
    """The weights of rows when all classes count the same.

    >>> balanced(np.array([0, 0, 0, 1]), np.ones(4), 2).round(2).tolist()
    [0.67, 0.67, 0.67, 2.0]
    """
    label = y.astype(np.int64)
    return weight * examples.balanced(np.bincount(label, weight, classes), np)[label]
