"""The contract of a cause: its sign in the data, the runs that put it to the test, and the sentence about what came of it."""

import abc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import stdtrit  # the whole of scipy.stats takes long to import

from downslope.comparison import metrics
from downslope.comparison.assemble import Evidence
from downslope.comparison.contender import Contender
from downslope.comparison.counterfactual import Change, Trials, where
from downslope.comparison.judge import finite, interval
from downslope.comparison.ledger import Run
from downslope.comparison.metrics import Metric
from downslope.comparison.rank import MARGIN_SHARE, Interval, Ranking, practical_margin
from downslope.comparison.wording import listed, number, title
from downslope.core.about import Task
from downslope.core.errors import BadData
from downslope.losses.base import Loss

Record = dict[str, Any]
CONFIRMED, REFUTED, NOT_TESTED = "confirmed", "refuted", "not tested"
WIDTH = 1.96  # of a 95 % interval, in standard errors


@dataclass
class Case:
    """A finished ranking in which reasons are looked for. `chosen` is the recommended contender, or the best there is.

    `constants` holds what the constant predictor reaches by each metric.
    """

    evidence: Evidence
    ranking: Ranking
    chosen: Contender
    constants: Mapping[str, float | None]
    trials: Trials

    @property
    def task(self) -> Task:
        """What is asked of the table."""
        return self.evidence.problem.dataset.task

    @property
    def learned(self) -> bool:
        """Whether the chosen contender's score is better than the constant predictor's, be it by chance."""
        metric = self.evidence.metric
        constant, score = self.constants.get(metric.name), self.ranking.intervals[self.chosen.id].mean
        return constant is None or metric.sign * (constant - score) > 0

    @cached_property
    def ranked(self) -> list[Contender]:
        """The contenders with a score, best first."""
        known = {one.id: one for one in self.evidence.contenders}
        return [known[name] for name in self.ranking.order]

    def runs(self, one: Contender) -> list[Run]:
        """All confirmation runs of a contender."""
        return self.evidence.ledger.runs(one.id, "confirmation")

    def noted(self, name: str, read: Callable[[], Any]) -> Any:
        """What `read` finds in the columns of the table, as plain data; the ledger notes it under the cause's `name`.

        An audit has the ledger and no columns: it takes the note, and computes everything else of a record again. So a cause
        reads columns (`matrices`, `judged`, folds) inside of `read` and inside of its changes, and nowhere else.
        """
        ledger, key = self.evidence.ledger, f"reason {name}"
        if not self.evidence.problem.blank:
            ledger.store(key, [read()])
        noted = ledger.fact(key)
        if noted is None:
            raise BadData(f"{name}: the ledger has no note of what was read from the columns")
        return noted[0]

    def margin(self, measure: Metric, score: float) -> float:
        """The difference by a metric that nobody would act on: the ranking's own share of the way to the constant predictor."""
        constant = self.constants.get(measure.name)
        return 0.0 if constant is None else practical_margin(score, constant, MARGIN_SHARE)


class Cause(abc.ABC):
    """One possible reason for what a comparison found. Objects, never names, decide what a cause makes of a contender.

    An audit examines again: with the runs of the ledger in place of new ones, and with what `Case.noted` kept of the columns.
    Causes are examined by `rank`, the most important first, for the runs that they may make are limited.
    """

    title: ClassVar[str]
    rank: ClassVar[int] = 5

    @abc.abstractmethod
    def examine(self, case: Case) -> Record | None:
        """The record of what was measured and tried; `None` where the question makes no sense for the task."""

    @abc.abstractmethod
    def sentence(self, record: Record) -> str:
        """What a confirmed or refuted record says, from the record alone."""


def opened(cause: Cause, case: Case, about: Sequence[Contender], statistic: Record, threshold: float) -> Record:
    """A record before anything is tried: `statistic` has `words`, `value`, `low` and `high`."""
    return {
        "cause": type(cause).__module__.rpartition(".")[2],
        "title": cause.title,
        "contenders": [one.id for one in about],
        "names": [called(one) for one in about],
        "statistic": statistic,
        "threshold": threshold,
        "metric": None,
        "gap": None,
        "needed": None,
        "arms": [],
        "verdict": NOT_TESTED,
        "why_not": "",
    }


def untested(record: Record, why: str) -> Record:
    """The record of a cause that was not put to the test."""
    return record | {"verdict": NOT_TESTED, "why_not": why}


def try_changes(
    case: Case,
    record: Record,
    contender: Contender,
    changes: Sequence[Change],
    measure: Metric,
    rival: Contender | None = None,
    start: Change | None = None,
    rates: Mapping[str, Sequence[float]] = MappingProxyType({}),
) -> Record:
    """Adds an arm for each change: its runs, its score and the interval of that alone (`reach`), and by how much it is better
    than the contender as it was.

    With a `rival` the record also gets the `gap`, by how much the contender was worse than it. All intervals hold at once.
    With a `start` the contender as it was is run anew, under that name. `rates` holds by a change's name the learning rates that
    it may choose from.
    """
    every = [change for change in (start, *changes) if change is not None]
    refusal = case.trials.refusal(sum(case.trials.price(contender, each, rates.get(each.name, ())) for each in every))
    if refusal:
        return untested(record, refusal)
    runs = {each.name: case.trials.run(contender, each, rates.get(each.name, ())) for each in every}
    lost = [name for name, made in runs.items() if not made]
    if lost:
        return untested(record, f"{listed(lost)} it left the finite numbers at every learning rate")
    arms = {"": case.trials.plain(contender) if start is None else runs.pop(start.name), **runs}
    losses = {change.name: change.loss or contender.loss for change in changes}
    judged: dict[str, tuple[Loss, Any]] = {name: (losses.get(name, contender.loss), found) for name, found in arms.items()}
    if rival is not None:
        judged["rival"] = (rival.loss, case.trials.plain(rival))
    ranking = case.trials.compared(measure, judged)
    if ranking is None:
        return untested(record, f"an extra run left the finite numbers, or {measure.title} has no value for it")
    out = [
        {
            "name": change.name,
            "runs": where(runs[change.name]),
            "pairs": len(runs[change.name]),
            "score": ranking.intervals[change.name].mean,
            "reach": interval(ranking.intervals[change.name]),
            "effect": interval(ranking.difference("", change.name)),
        }
        for change in changes
    ]
    score = ranking.intervals[""].mean
    return record | {
        "metric": {name: getattr(measure, name) for name in ("name", "title", "direction")},
        "plain": {"runs": where(arms[""]), "score": score, "reach": interval(ranking.intervals[""])},
        "rival": None if rival is None else {"runs": where(judged["rival"][1]), "score": ranking.intervals["rival"].mean},
        "gap": None if rival is None else interval(ranking.difference("", "rival")),
        "arms": out,
        "needed": finite(case.margin(measure, score)),
    }


def helps(arm: Mapping[str, Any], needed: float) -> bool:
    """Whether a change made things better beyond chance, and by as much as was asked for."""
    return arm["effect"]["low"] > 0 and arm["effect"]["mean"] >= needed


@jax.jit
def pulls(loss: Loss, raw: Any, target: Any) -> jax.Array:
    """The gradient of each row's loss by its scores, as one program and not as one for each operation."""
    return jax.grad(lambda scores: jnp.sum(loss(scores, target)))(raw)


def share_of(hits: float, rows: int) -> Interval:
    """A share with its 95 % interval (Wilson, 1927).

    >>> share_of(0, 100).low, round(share_of(0, 100).high, 3)
    (0.0, 0.037)
    """
    share, square = hits / rows, WIDTH**2
    middle = (share + square / (2 * rows)) / (1 + square / rows)
    half = WIDTH * np.sqrt(share * (1 - share) / rows + square / (4 * rows**2)) / (1 + square / rows)
    return Interval(share, max(0.0, float(middle - half)), min(1.0, float(middle + half)))


def reach_of(values: np.ndarray) -> float:
    """How far the 95 % interval of the mean of some normal numbers reaches to either side (Student, 1908).

    >>> round(reach_of(np.array([1.0, 2.0, 3.0])), 3)
    2.484
    """
    return float(stdtrit(len(values) - 1, 0.975) * values.std(ddof=1) / np.sqrt(len(values)))


def measured(words: str, value: Interval) -> Record:
    """A statistic as a record keeps it."""
    return {"words": words, "value": value.mean, "low": value.low, "high": value.high}


def called(contender: Contender) -> str:
    """A contender in running text, its settings left out."""
    parts = {"loss": contender.loss.name, "loss_title": contender.loss.about.title}
    parts |= {"optimizer": contender.optimizer.name, "optimizer_title": contender.optimizer.about.title}
    return f"{title(parts, 'optimizer')} with {title(parts, 'loss')}"


def moved(record: Record, arm: Mapping[str, Any]) -> str:
    """An arm's effect in words: from where to where, and by how much with its interval.

    >>> record = {"metric": {"title": "MAE"}, "plain": {"score": 5.0}}
    >>> moved(record, {"score": 3.0, "effect": {"mean": 2.0, "low": 1.5, "high": 2.5}})
    'MAE from 5 to 3 (2 better, 95 % interval 1.5 to 2.5)'
    """
    effect = arm["effect"]
    scores = [number(score) for score in (record["plain"]["score"], arm["score"])]
    way = "better" if effect["mean"] >= 0 else "worse"
    ends = sorted((1 if effect["mean"] >= 0 else -1) * effect[end] for end in ("low", "high"))
    reach = f"{number(abs(effect['mean']))} {way}, 95 % interval {number(ends[0])} to {number(ends[1])}"
    return f"{record['metric']['title']} from {scores[0]} to {scores[1]} ({reach})"


def measure(name: str) -> Metric:
    """A metric by its name."""
    return metrics.METRICS[name]


CONTRACT = Cause
