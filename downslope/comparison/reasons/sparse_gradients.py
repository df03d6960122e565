"""Sparse gradients: is an optimizer with one step size behind one that has its own for each number because columns are rare?"""

from collections.abc import Iterator
from functools import cache

import numpy as np

from downslope.comparison.contender import Contender, short
from downslope.comparison.counterfactual import Change, where
from downslope.comparison.judge import interval
from downslope.comparison.proportion import EVEN, PROPORTIONAL, unevenness
from downslope.comparison.rank import Interval
from downslope.comparison.reasons.base import (
    CONFIRMED,
    REFUTED,
    Case,
    Cause,
    Record,
    called,
    helps,
    measured,
    moved,
    opened,
    share_of,
    untested,
)
from downslope.comparison.wording import capital, percent

MISSED = 0.5  # a column is rare if so many batches have no row in which it is active
TRIGGER = 0.05  # of the rows have an active rare column
CLOSES = 0.5  # share of the gap that has to close


class SparseGradients(Cause):
    """The pair is the best contender whose steps are in proportion to the gradient, and the best one with the same loss and
    batch that has a step size of its own for each number.

    The sign is the share of rows with an active rare column: active is what differs from the column's usual value, rare is a
    column that most batches know nothing of. The test holds these columns at their usual value, for both contenders, and reads
    by how much the gap between them closes.
    """

    title = "sparse gradients"
    rank = 7

    def examine(self, case: Case) -> Record | None:
        pair = next(pairs(case), None)
        words = "rows in which a column is active that most batches know nothing of"
        if pair is None:
            nothing = {"words": words, "value": None, "low": None, "high": None}
            why = (
                "no two optimizers with one loss and batch, one with a step size for each number and one without, came to a score"
            )
            return untested(opened(self, case, [], nothing, TRIGGER), why)
        plain, adaptive = pair
        trainer, metric = case.evidence.runner.trainer(plain.loss), case.evidence.metric
        batch = case.evidence.runner.batch(plain) or trainer.rows
        seldom = cache(lambda place: rare(trainer.folds[place].x, batch))

        def read() -> Record:
            active = [touched(fold.x, *seldom(place)) for place, fold in enumerate(trainer.folds)]
            return share_of(float(np.mean(active)) * trainer.rows, trainer.rows).to_json()

        share = Interval(**case.noted("sparse_gradients", read))
        record = opened(self, case, pair, measured(words, share), TRIGGER)
        if share.mean < TRIGGER:
            return untested(record, f"{percent(share.mean)} of rows have such a column; it is tried from {percent(TRIGGER)} on")
        ahead = case.ranking.difference(plain.id, adaptive.id)
        if ahead.low <= 0 or ahead.mean < case.margin(metric, case.ranking.intervals[adaptive.id].mean):
            return untested(record, f"{called(plain)} is not behind {called(adaptive)} beyond chance and margin")

        def held(place: int, x: np.ndarray) -> np.ndarray:
            usual, columns = seldom(place)
            return np.where(columns, usual, x)

        return narrowed(case, record, plain, adaptive, Change("without rare columns", columns=held))

    def sentence(self, record: Record) -> str:
        plain, adaptive = record["names"]
        share = percent(record["statistic"]["value"])
        effect = (
            f"holding rare columns, active in {share} of rows, at their usual value brings the {moved(record, record['arms'][0])}"
        )
        if record["verdict"] == CONFIRMED:
            return f"{capital(plain)} is behind {adaptive} because gradients are sparse: {effect}."
        return f"Gradients are sparse, but that does not explain why {plain} is behind {adaptive}: {effect}."


def narrowed(case: Case, record: Record, plain: Contender, adaptive: Contender, change: Change) -> Record:
    """The record with the runs of both contenders with the change, and the gap between them before and after it."""
    trials, metric = case.trials, case.evidence.metric
    refusal = trials.refusal(trials.price(plain, change) + trials.price(adaptive, change))
    if refusal:
        return untested(record, refusal)
    before, after = (
        [(one.loss, trials.plain(one)) for one in (plain, adaptive)],
        [(one.loss, trials.run(one, change)) for one in (plain, adaptive)],
    )
    ranking = trials.gaps(metric, {"before": (before[0], before[1]), "after": (after[0], after[1])})
    if ranking is None:
        return untested(record, f"an extra run left the finite numbers, or {metric.title} has no value for it")
    gap, left, closed = (ranking.difference(*both) for both in (("before", ""), ("after", ""), ("before", "after")))
    margin = case.margin(metric, case.ranking.intervals[adaptive.id].mean)
    needed = max(CLOSES * gap.mean, margin)
    arm = {
        "name": change.name,
        "runs": where(after[0][1]),
        "rival_runs": where(after[1][1]),
        "pairs": len(after[0][1]),
        "score": left.mean,
        "effect": interval(closed),
    }
    record |= {
        "metric": {"name": metric.name, "title": f"gap in {metric.title}", "direction": "lower"},
        "plain": {"runs": where(before[0][1]), "score": gap.mean},
        "rival": {"runs": where(before[1][1]), "score": 0.0},
        "gap": interval(gap),
        "arms": [arm],
        "needed": float(needed),
    }
    good = gap.low > 0 and gap.mean >= margin and helps(arm, needed)
    return record | {"verdict": CONFIRMED if good else REFUTED}


def pairs(case: Case) -> Iterator[tuple[Contender, Contender]]:
    """A contender whose steps are in proportion to the gradient, and one of the same loss and batch whose are not, best first."""
    known: dict[str, float] = {}
    for one in case.ranked:
        name = short(one.optimizer, hide=("learning_rate",))
        if one.batch is not None and name not in known:
            known[name] = unevenness(one.optimizer, one.rates[0])
    kinds = {
        one.id: known.get(short(one.optimizer, hide=("learning_rate",)), 0.0) for one in case.ranked if one.batch is not None
    }
    for plain in (one for one in case.ranked if kinds.get(one.id, 0.0) >= PROPORTIONAL):
        for adaptive in (one for one in case.ranked if 0 < kinds.get(one.id, 0.0) <= EVEN):
            if (short(plain.loss), plain.batch) == (short(adaptive.loss), adaptive.batch):
                yield plain, adaptive


def rare(x: np.ndarray, batch: int) -> tuple[np.ndarray, np.ndarray]:
    """The usual value of each encoded column `(features,)`, and which differ from it so seldom that most batches know nothing of
    them.

    >>> x = np.zeros((100, 3)); x[:1, 0] = 1; x[:40, 1] = 1
    >>> rare(x, 32)[1].tolist()
    [True, False, False]
    """
    usual = np.median(x, axis=0)
    share = np.mean(x != usual, axis=0)
    return usual, (share > 0) & ((1 - share) ** batch >= MISSED)


def touched(x: np.ndarray, usual: np.ndarray, columns: np.ndarray) -> float:
    """The share of rows in which one of these columns has another than its usual value."""
    return float(np.any((x != usual) & columns, axis=1).mean())
