"""Outliers: is a loss whose pull grows with the error behind a robust one because of a few rows far out?"""

from collections.abc import Iterator
from functools import cache

import numpy as np

from downslope.comparison.contender import Contender, short
from downslope.comparison.counterfactual import Change
from downslope.comparison.rank import Interval
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
from downslope.comparison.wording import capital, number, percent
from downslope.core.about import Task
from downslope.losses.base import Loss

FAR_RESIDUAL = 5.0  # robust standard deviations
FAR_COLUMN = 8.0  # up to there the encoder is straight
QUARTILES = 1.349  # between the quartiles of a normal distribution, in standard deviations
TRIGGER = 0.01
CATCHES_UP = 0.5  # share of the gap that has to close
PLACES = (30.0, 3000.0)  # errors at which the pull of a loss is felt, in units of the target's scale
STILL, GROWING = 1.05, 50.0


class Outliers(Cause):
    """The pair is the best contender whose pull grows with the error, and the best robust one with the same optimizer.

    The sign is the share of rows far out: by their residual from the robust fit, or in a column. The test leaves those rows out
    of what the first one learns from. It is read by the absolute error, which the few rows themselves hardly move.
    """

    title = "outliers"
    rank = 1

    def examine(self, case: Case) -> Record | None:
        if case.task is not Task.REGRESSION:
            return None
        pair = next(pairs(case), None)
        nothing = {"words": "training rows far out", "value": None, "low": None, "high": None}
        if pair is None:
            why = "no squared and robust loss with the same optimizer both came to a score"
            return untested(opened(self, case, [], nothing, TRIGGER), why)
        fits = self.fits(case)
        far = cache(lambda place: far_out(case, pair[1], place, fits[place]))

        def share() -> Record:
            rows = [far(place) for place in fits]
            return share_of(sum(mask.sum() for mask in rows) / len(rows), round(np.mean([len(m) for m in rows]))).to_json()

        found = Interval(**case.noted("outliers", share))
        words = f"training rows beyond {FAR_RESIDUAL:g} robust standard deviations of a robust fit, or {FAR_COLUMN:g} in a column"
        record = opened(self, case, pair, measured(words, found), TRIGGER)
        if found.mean < TRIGGER:
            return untested(record, f"{percent(found.mean)} of rows lie far out; it is tried from {percent(TRIGGER)} on")
        without = "without rows far out"
        left_out = Change(without, lambda place, fold: np.where(far(place) if place in fits else False, 0, fold.weight))
        record = try_changes(case, record, pair[0], [left_out], measure("mae"), pair[1])
        if not record["arms"]:
            return record
        margin = record["needed"]
        record["needed"] = max(CATCHES_UP * record["gap"]["mean"], margin)
        behind = record["gap"]["low"] > 0 and record["gap"]["mean"] >= margin
        good = behind and helps(record["arms"][0], record["needed"])
        return record | {"verdict": CONFIRMED if good else REFUTED}

    def fits(self, case: Case) -> dict[int, int]:
        """For each set of arrays that pairs are made on, a confirmation fit that learned from it."""
        places = case.evidence.problem.places
        return {places[fit]: fit for fit in reversed(case.trials.fits)}

    def sentence(self, record: Record) -> str:
        share = percent(record["statistic"]["value"])
        squared, robust = record["names"]
        effect = moved(record, record["arms"][0])
        if record["verdict"] == CONFIRMED:
            gap = number(record["gap"]["mean"])
            return (
                f"{capital(squared)} is behind {robust} by {gap} {record['metric']['title']} because of outliers: "
                f"learning without the {share} of rows far out brings {effect}."
            )
        return f"Outliers are there ({share} of rows) but do not explain {squared}: learning without them brings {effect}."


def pairs(case: Case) -> Iterator[tuple[Contender, Contender]]:
    """A contender whose loss pulls harder the larger the error, and a robust one with the same optimizer, best first."""
    kinds = {one.id: pull(one.loss) for one in case.ranked}
    for squared in (one for one in case.ranked if kinds[one.id] >= GROWING):
        for robust in (one for one in case.ranked if kinds[one.id] <= STILL):
            if method(squared) == method(robust):
                yield squared, robust


def method(contender: Contender) -> tuple[str, int | None]:
    """The optimizer without its learning rate, and the batch."""
    return short(contender.optimizer, hide=("learning_rate",)), contender.batch


def pull(loss: Loss) -> float:
    """By how much the pull of a row grows between two errors of which one is a hundred times the other: 100 for squares, 1 for a
    robust loss. 0 where nothing can be said, because the loss is for other targets.
    """
    if loss.outputs(None) != 1 or loss.about.target_scale != "shift_and_scale":
        return 0.0
    errors = np.array([*PLACES, *(-place for place in PLACES)], np.float32)
    slopes = np.abs(np.asarray(pulls(loss, errors, np.zeros_like(errors))))
    return float(slopes[[1, 3]].max() / slopes[[0, 2]].max()) if slopes.all() else 0.0


def far_out(case: Case, robust: Contender, place: int, fit: int) -> np.ndarray:
    """Which training rows lie far out: by the residual from the robust fit that learned from them, or in an encoded column."""
    problem, runner = case.evidence.problem, case.evidence.runner
    x, _ = problem.matrices[place]
    run = next(run for run in case.trials.plain(robust) if run.fit == fit)
    raw = runner.predicted(runner.params(robust.loss, run), x)[:, 0]
    residual = problem.dataset.y[problem.fits[fit].train] - problem.outward(fit, robust.loss, raw)
    return beyond(residual[:, None], FAR_RESIDUAL) | beyond(np.asarray(x, np.float64), FAR_COLUMN)


def beyond(columns: np.ndarray, reach: float) -> np.ndarray:
    """The rows in which a column is farther from its median than `reach` robust standard deviations.

    >>> beyond(np.array([[0.0], [1.0], [2.0], [3.0], [99.0]]), 5.0).tolist()
    [False, False, False, False, True]
    """
    low, middle, high = np.quantile(columns, [0.25, 0.5, 0.75], axis=0)
    scale = (high - low) / QUARTILES
    return np.any((np.abs(columns - middle) > reach * scale) & (scale > 0), axis=1)
