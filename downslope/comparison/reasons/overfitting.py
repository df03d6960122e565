"""Overfitting: does the recommended contender know its training rows by heart, and would regularisation have helped?"""

from collections.abc import Sequence

import numpy as np

from downslope.comparison import score
from downslope.comparison.contender import Contender
from downslope.comparison.counterfactual import Change
from downslope.comparison.ledger import Run
from downslope.comparison.rank import Interval
from downslope.comparison.reasons.base import (
    CONFIRMED,
    REFUTED,
    Case,
    Cause,
    Record,
    helps,
    measured,
    moved,
    opened,
    reach_of,
    try_changes,
    untested,
)
from downslope.comparison.run import COUNTERFACTUAL
from downslope.comparison.wording import listed, percent
from downslope.penalties import catalogue as penalties

TRIGGER = 0.1
WORTH = 0.05  # share of what is lost that regularisation has to bring back
STRENGTH = 0.01
DROPOUT = 0.2


class Overfitting(Cause):
    """The sign is how much of what the contender learned, from the constant predictor to its score on the rows that it learned
    from, is lost on judged rows. The runs are always made, so that every report shows what regularisation does: none (the
    confirmation runs), an L2 penalty, dropout.
    """

    title = "overfitting"
    rank = 2

    def examine(self, case: Case) -> Record | None:
        one = case.chosen
        words = "share of what was learned on the training rows that does not carry over to judged ones"
        empty = {"words": words, "value": None, "low": None, "high": None}
        found = case.noted("overfitting", lambda: optimism(case, one)) if case.learned else None
        record = opened(self, case, [one], empty if found is None else measured(words, Interval(**found[0])), TRIGGER)
        changes, record["left_out"] = regularised(case)
        if not changes:
            return untested(record, listed(record["left_out"]))
        record = try_changes(case, record, one, changes, case.evidence.metric)
        if not record["arms"]:
            return record
        record["sides"] = sides(case, one, record, changes)
        if not case.learned:
            return untested(record, "nothing here is better than the constant predictor, so there is nothing to lose")
        if found is None:
            return untested(record, "there is no constant predictor to measure the gap by")
        share, lost = found[0]["mean"], found[1]
        record["needed"] = max(record["needed"], WORTH * lost)
        if share < TRIGGER:
            words = f"{percent(max(share, 0))} of what it learned does not carry over"
            return untested(record, f"{words}; from {percent(TRIGGER)} on that is a sign, below it the runs are no test")
        good = any(helps(arm, record["needed"]) for arm in record["arms"])
        return record | {"verdict": CONFIRMED if good else REFUTED}

    def sentence(self, record: Record) -> str:
        name = f"{record['names'][0]} ({percent(record['statistic']['value'])} of what it learns does not carry over to new rows)"
        if record["verdict"] == CONFIRMED:
            best = max(record["arms"], key=lambda arm: arm["effect"]["mean"])
            return f"{name} overfits: {best['name']} brings {moved(record, best)}."
        tried = listed([f"{arm['name']} brings {moved(record, arm)}" for arm in record["arms"]])
        return f"{name} does not suffer from it, for the best epoch is kept: {tried}."


def regularised(case: Case) -> tuple[list[Change], list[str]]:
    """An L2 penalty and dropout, each where the comparison has none yet and the model has a place for it; why one is left out."""
    model, out, left_out = case.evidence.runner.model, [], []
    if case.evidence.runner.penalty is None:
        out.append(Change(f"an L2 penalty of {STRENGTH:g}", penalty=penalties["l2"](strength=STRENGTH)))
    else:
        left_out.append("no other penalty, for one is in use already")
    if "dropout" in model.settings() and not model.random and model.hidden:
        out.append(Change(f"dropout of {DROPOUT:g}", model=model.replace(dropout=DROPOUT)))
    else:
        left_out.append(f"no dropout, for {'it is in use already' if model.random else 'the model has no units to drop'}")
    return out, left_out


def sides(case: Case, one: Contender, record: Record, changes: Sequence[Change]) -> list[Record]:
    """What each of none, L2 and dropout reaches: on judged rows, with its interval, and on the rows that it learned from."""
    ledger, court, metric = case.evidence.ledger, case.evidence.court, case.evidence.metric
    runs = [case.trials.plain(one), *(ledger.runs(change.of(one).id, COUNTERFACTUAL) for change in changes)]
    known = case.noted("overfitting on training rows", lambda: [on_training_rows(case, one, some) for some in runs])
    return [
        {
            "name": name,
            "training": training,
            "judged": [values[metric.name] for values in court.contender(one.loss, name, some).metrics],
            "reach": arm["reach"],
        }
        for name, training, some, arm in zip(
            ["none", *(change.name for change in changes)], known, runs, [record["plain"], *record["arms"]], strict=True
        )
    ]


def on_training_rows(case: Case, one: Contender, runs: Sequence[Run]) -> list[float]:
    """The ranking metric of each run on the rows that it learned from."""
    problem, runner, court, metric = case.evidence.problem, case.evidence.runner, case.evidence.court, case.evidence.metric
    out = []
    for run in runs:
        rows, place = problem.fits[run.fit].train, problem.places[run.fit]
        raw = runner.predicted(runner.params(one.loss, run), problem.matrices[place][0])
        raw = problem.outward(run.fit, one.loss, raw[:, 0] if raw.shape[1] == 1 else raw)
        weight = None if problem.dataset.weight is None else problem.dataset.weight[rows]
        known = court.calibration(one.loss, run)
        found = score.judge([metric], case.task, one.loss.about.link, raw, problem.dataset.y[rows], weight, known)
        out.append(found[metric.name])
    return out


def optimism(case: Case, one: Contender) -> tuple[Record, float] | None:
    """By how much judged scores are worse than training ones: as a share of the way from the constant predictor to the latter,
    with its interval over the runs, and in the metric's units.
    """
    court, metric = case.evidence.court, case.evidence.metric
    constant, runs = case.constants.get(metric.name), case.trials.plain(one)
    if constant is None or len(runs) < 2:
        return None
    judged = np.array([values[metric.name] for values in court.contender(one.loss, one.id, runs).metrics])
    own = np.array(on_training_rows(case, one, runs))
    worse, ways = metric.sign * (judged - own), np.abs(constant - own)
    shares = np.divide(worse, ways, out=np.full(len(ways), np.nan), where=ways > 0)
    if not np.isfinite(shares).all():
        return None
    middle, reach = float(shares.mean()), reach_of(shares)
    return Interval(middle, middle - reach, middle + reach).to_json(), float(np.mean(worse))
