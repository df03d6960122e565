"""Label noise: do confident mistakes come from wrong labels that the contender learns by heart?"""

from dataclasses import replace

import numpy as np

from downslope.comparison.contender import Contender
from downslope.comparison.counterfactual import Change
from downslope.comparison.ledger import Run
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
    pulls,
    share_of,
    try_changes,
    untested,
)
from downslope.comparison.wording import percent
from downslope.core.about import Task
from downslope.losses import catalogue as losses
from downslope.losses.base import Loss

SUREST = 0.1  # of the judged rows
TRIGGER = 0.05  # of those
WORTH = 0.02  # of either metric
GIVES_UP = 0.2  # of its pull on an undecided row
UNBELIEVABLE = 10.0  # a score by which a label is contradicted
READ_BY = {Task.BINARY: "roc_auc", Task.MULTICLASS: "balanced_accuracy"}
ROBUST = {Task.BINARY: "binary_generalised_cross_entropy", Task.MULTICLASS: "generalised_cross_entropy"}


class LabelNoise(Cause):
    """The sign is the share of confident mistakes: of the tenth of the judged rows, which the model never saw, that it is surest
    of, those whose label it contradicts. The test learns with a loss that gives up on labels it cannot believe. It reads the ROC
    AUC, of several classes the balanced accuracy: neither minds how scores are calibrated, and wrong labels among the judged rows
    weigh alike for both sides.
    """

    title = "label noise"
    rank = 4

    def examine(self, case: Case) -> Record | None:
        if case.task is Task.REGRESSION:
            return None
        one, data = case.chosen, case.evidence.problem.dataset
        found = [mistakes(*confidence(case, one, run)) for run in case.trials.plain(one)]
        share = share_of(float(np.mean([wrong for wrong, _ in found])), round(np.mean([rows for _, rows in found])))
        words = f"labels that are contradicted among the {percent(SUREST)} of judged rows that it is surest of"
        record = opened(self, case, [one], measured(words, share), TRIGGER)
        if share.mean < TRIGGER:
            where = f"{percent(share.mean)} of the labels of the rows that it is surest of"
            return untested(record, f"{where} are contradicted; it is tried from {percent(TRIGGER)} on")
        if gives_up(one.loss):
            return untested(record, "its loss gives up on labels that it cannot believe already")
        robust = losses[ROBUST[case.task]]()
        unfit = case.evidence.problem.labels.reason(replace(one, loss=robust), data)
        if unfit:
            return untested(record, unfit)
        change = Change("with a loss that gives up on labels it cannot believe", loss=robust)
        record = try_changes(case, record, one, [change], measure(READ_BY[case.task]))
        if not record["arms"]:
            return record
        record["needed"] = WORTH
        return record | {"verdict": CONFIRMED if helps(record["arms"][0], WORTH) else REFUTED}

    def sentence(self, record: Record) -> str:
        name, arm = record["names"][0], record["arms"][0]
        share = percent(record["statistic"]["value"])
        sign = f"{share} of the labels are contradicted where it is surest, on rows that it never saw"
        effect = f"learning {arm['name']} brings {moved(record, arm)}"
        if record["verdict"] == CONFIRMED:
            return f"Wrong labels mislead {name} ({sign}): {effect}."
        return f"Labels may be wrong, but they do not mislead {name} ({sign}): {effect}."


def confidence(case: Case, one: Contender, run: Run) -> tuple[np.ndarray, np.ndarray]:
    """The probability of each class for a run's judged rows, `(rows, classes)`, and their labels."""
    judged = case.evidence.court.contender(one.loss, one.id, [run])
    chance = judged.predictions[0]["probability"]
    both = np.stack([1 - chance, chance], axis=1) if case.task is Task.BINARY else chance
    return both, case.evidence.problem.dataset.y[case.evidence.problem.fits[run.fit].judge].astype(np.int64)


def mistakes(chance: np.ndarray, label: np.ndarray) -> tuple[float, int]:
    """How many labels are contradicted among the rows with the highest probabilities, and how many rows these are.

    Rows that tie with the last of them share its place, so that the order of rows decides nothing.

    >>> chance = np.full((40, 2), 0.5)
    >>> chance[:4] = [[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.3, 0.7]]
    >>> mistakes(chance, np.array([1, 0, 1, 1] + [0] * 36))
    (1.0, 4)
    """
    top, wrong = chance.max(axis=1), chance.argmax(axis=1) != label
    rows = max(1, round(SUREST * len(top)))
    last = np.sort(top)[-rows]
    surer, level = top > last, top == last
    return float(wrong[surer].sum() + wrong[level].mean() * (rows - surer.sum())), rows


def gives_up(loss: Loss) -> bool:
    """Whether a label pulls less the less it can be believed: the pull of a contradicted row beside that of an undecided one."""
    if loss.about.task is Task.BINARY:
        scores, labels = np.array([0, -UNBELIEVABLE], np.float32), np.ones(2, np.float32)
    else:
        scores, labels = np.array([[0, 0], [-UNBELIEVABLE, 0]], np.float32), np.zeros(2, np.int32)
    slopes = np.abs(np.asarray(pulls(loss, scores, labels))).reshape(2, -1).max(axis=1)
    return bool(slopes[1] < GIVES_UP * slopes[0])
