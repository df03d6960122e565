"""From the ledger to the ranking: what the confirmation runs say of each contender, and which are tied with the best."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from downslope.comparison import influence, score
from downslope.comparison.calibrate import fit_calibration
from downslope.comparison.contender import Contender
from downslope.comparison.ledger import Ledger, Run
from downslope.comparison.metrics import Metric
from downslope.comparison.problem import Problem
from downslope.comparison.rank import Interval, Ranking, practical_margin, tied_set
from downslope.core.about import Task
from downslope.data.describe import Dataset
from downslope.losses.base import Loss
from downslope.training.status import Status

STRETCHES = 100


@dataclass
class Judged:
    """One contender's confirmation runs on the rows that they left out: predictions, metrics and each row's contribution."""

    id: str
    predictions: list[Mapping[str, np.ndarray]] = field(default_factory=list)
    metrics: list[dict[str, float]] = field(default_factory=list)
    contributions: list[np.ndarray] = field(default_factory=list)

    def scores(self, metric: Metric) -> list[float | None]:
        """The ranking metric of each run, `None` where it has no value."""
        return [finite(run[metric.name]) for run in self.metrics]


@dataclass
class Court:
    """Judges by the task's metrics on the judged rows."""

    problem: Problem
    metric: Metric
    shown: Sequence[Metric]
    seed: int

    def contender(self, loss: Loss, id: str, runs: Sequence[Run]) -> Judged:
        """Predictions of a contender's confirmation runs, calibrated on their stopping slices."""
        judged = Judged(id)
        for run in runs:
            calibration = self.calibration(loss, run)
            raw = self.problem.outward(run.fit, loss, run.arrays["judged"])
            self.add(judged, run.fit, score.predictions(raw, loss.about.link, self.task, calibration))
        return judged

    def calibration(self, loss: Loss, run: Run) -> Any:
        """What turns a run's scores into probabilities, learned from its stopping slice."""
        if self.task is Task.REGRESSION:
            return None
        rows = self.problem.fits[run.fit].stop
        weight = None if self.problem.dataset.weight is None else self.problem.dataset.weight[rows]
        return fit_calibration(run.arrays["stop_raw"], self.problem.dataset.y[rows], weight, loss.about.link, self.task)

    @property
    def task(self) -> Task:
        """What is asked of the table."""
        return self.problem.dataset.task

    def add(self, judged: Judged, fit: int, prediction: Mapping[str, np.ndarray]) -> None:
        """Judges the predictions of one fit."""
        rows = self.problem.fits[fit].judge
        y = self.problem.dataset.y[rows]
        weight = None if self.problem.dataset.weight is None else self.problem.dataset.weight[rows]
        values = score.judge_predictions(self.shown, prediction, y, weight)
        judged.predictions.append(prediction)
        judged.metrics.append(values)
        given = prediction.get(self.metric.needs)
        known = given is not None and np.isfinite(values[self.metric.name])
        judged.contributions.append(
            influence.contributions(self.metric, y, given, weight) if known and given is not None else np.full(len(rows), np.nan)
        )

    def margin(self, judged: Sequence[Judged], constant: float, share: float) -> float:
        """The practical margin of these contenders, in the units of the metric."""
        best = [value for one in judged if np.isfinite(value := self.mean(one, self.metric))]
        top = (min(best) if self.metric.direction == "lower" else max(best)) if best else float("nan")
        return practical_margin(top, constant, share)

    def rank(self, judged: Sequence[Judged], failed: Sequence[str], margin: float) -> Ranking:
        """The order, the intervals and the tied set of contenders and of controls that are ranked with them."""
        contributions: dict[str, list[np.ndarray] | None] = {one.id: one.contributions for one in judged}
        contributions |= dict.fromkeys(failed)
        rows = [self.problem.fits[fit].judge for fit in self.problem.confirmation]
        clusters = self.clusters
        return tied_set(
            contributions, rows, self.metric.direction, margin, clusters=clusters, limits=self.metric.limits, seed=self.seed
        )

    @cached_property
    def clusters(self) -> np.ndarray | None:
        """Rows that are drawn again together: those of a group, or of a stretch of time, for neighbours in time are alike."""
        return clusters_of(self.problem.dataset)

    @staticmethod
    def mean(judged: Judged, metric: Metric) -> float:
        """Mean of a metric over the runs in which it has a value."""
        values = [run[metric.name] for run in judged.metrics if np.isfinite(run[metric.name])]
        return float(np.mean(values)) if values else float("nan")

    def entry(self, judged: Judged) -> dict[str, Any]:
        """Every shown metric: its mean over the runs, and one standard deviation of the runs around it."""
        out: dict[str, Any] = {}
        for metric in self.shown:
            values = np.array([run[metric.name] for run in judged.metrics if np.isfinite(run[metric.name])])
            if len(values):
                reach = float(values.std(ddof=1)) if len(values) > 1 else 0.0
                middle = float(values.mean())
                low, high = np.clip([middle - reach, middle + reach], *metric.limits)
                out[metric.name] = {"mean": middle, "low": float(low), "high": float(high)}
            else:
                out[metric.name] = {"mean": None, "low": None, "high": None}
        return out

    def pooled(self, judged: Judged) -> dict[str, np.ndarray]:
        """Rows, targets and predictions of all runs one after another, for pictures."""
        fits = [self.problem.fits[fit].judge for fit in self.problem.confirmation][: len(judged.predictions)]
        name = "value" if self.task is Task.REGRESSION else "probability"
        parts = [prediction.get(name, prediction.get("score")) for prediction in judged.predictions]
        rows = np.concatenate(fits)
        return {
            "rows": rows,
            "target": self.problem.dataset.y[rows],
            "prediction": np.concatenate([np.asarray(p) for p in parts]),
        }


def clusters_of(data: Dataset) -> np.ndarray | None:
    """The group or the stretch of time that each row belongs to, `None` where rows stand alone."""
    if data.time is None:
        return data.group
    return np.argsort(np.argsort(data.time, kind="stable"), kind="stable") * STRETCHES // len(data.time)


def outcome(contender: Contender, ledger: Ledger, runs: Sequence[Run], wanted: int) -> tuple[str, str]:
    """Status of a contender and the reason, in words, if it is not `ok`."""
    if contender.reason:
        return Status.INCOMPATIBLE, contender.reason
    lost = [run for run in runs if run.status != Status.OK]
    if lost:
        after = (
            min(run.diverged_after for run in lost if run.diverged_after is not None)
            if any(run.diverged_after is not None for run in lost)
            else None
        )
        where = f", the first after {after:,} updates" if after is not None else ""
        return Status.DIVERGED, f"{len(lost)} of {wanted} confirmation runs left the finite numbers{where}"
    if ledger.fact(f"diverged {contender.id}"):
        return Status.DIVERGED, "every learning rate that was tried left the finite numbers"
    if len(runs) < wanted:
        return Status.OUT_OF_BUDGET, f"stopped after {len(runs)} of {wanted} confirmation runs"
    return Status.OK, ""


def finite(value: float | None) -> float | None:
    """The number, or `None` where it is none: strict JSON has no other way to say so."""
    return None if value is None or not math.isfinite(value) else float(value)


def interval(value: Interval | None) -> dict[str, float] | None:
    """An interval as JSON."""
    return None if value is None else value.to_json()
