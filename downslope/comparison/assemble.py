"""Puts the result together: one dict of plain data that terminal, report, JSON and Python object all read."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from downslope.comparison import optimum, own
from downslope.comparison.aims import offset
from downslope.comparison.contender import Contender, plain
from downslope.comparison.curves_file import Numbers
from downslope.comparison.judge import Court, Judged, finite, interval, outcome
from downslope.comparison.ledger import Ledger, Run
from downslope.comparison.metrics import Metric
from downslope.comparison.problem import Problem
from downslope.comparison.protocol import Protocol
from downslope.comparison.rank import Ranking
from downslope.comparison.run import Runner
from downslope.comparison.second_tier import places
from downslope.comparison.tunability import GOOD_SHARE
from downslope.core.about import Task
from downslope.core.record import Setting
from downslope.optimizers.base import gradients_per_step
from downslope.training.status import Status


@dataclass
class Evidence:
    """What all entries of the result are made from."""

    problem: Problem
    contenders: Sequence[Contender]
    runner: Runner
    ledger: Ledger
    court: Court
    protocol: Protocol

    @property
    def metric(self) -> Metric:
        """The ranking metric."""
        return self.court.metric

    @cached_property
    def best_tuned(self) -> float:
        """The lowest mean cost that any contender reached while tuning; infinite where nobody tuned."""
        costs = [
            cost for one in self.contenders if not one.reason and one.twin_of is None for cost in self.runner.tuned(one).values()
        ]
        return min(costs, default=float("inf"))

    def seconds(self, contender: Contender) -> float:
        """The median time of its confirmation runs: of what they took together, each has the same share."""
        return round(float(np.median([run.seconds for run in self.ledger.runs(contender.id, "confirmation")])), 4)


def grid(evidence: Evidence, contender: Contender) -> list[dict[str, Any]]:
    """Every learning rate tried, with its scores on the stopping slices of the tuning seeds, in the metric's own direction."""
    by_rate: dict[float, list[Run]] = {}
    for run in evidence.ledger.runs(contender.id, "tuning"):
        by_rate.setdefault(run.learning_rate, []).append(run)
    out = []
    for rate, runs in sorted(by_rate.items()):
        scores = [None if run.score is None else evidence.metric.sign * run.score for run in runs]
        known = [value for value in scores if value is not None]
        whole = len(known) == len(scores) and bool(known)
        status = Status.OK if all(run.status == Status.OK for run in runs) else Status.DIVERGED
        out.append(
            {"learning_rate": rate, "scores": scores, "score": float(np.mean(known)) if whole else None, "status": str(status)}
        )
    return out


def second(evidence: Evidence, contender: Contender) -> dict[str, Any] | None:
    """What the second tier of tuning tried, `None` where there was none: the settings that were drawn, each draw's scores on
    the stopping slices, the updates that its runs made, and which draw was chosen (0 is the first tier's choice).
    """
    runner, planned = evidence.runner, evidence.runner.planned(contender.id)
    draws = runner.draws(planned)
    if not draws:
        return None
    out = []
    for draw in draws:
        runs = runner.drawn(planned, draw)
        scores = [None if run.score is None else evidence.metric.sign * run.score for run in runs]
        status = Status.OK
        if any(run.status != Status.OK for run in runs):
            lost = any(run.status == Status.DIVERGED for run in runs)
            status = Status.DIVERGED if lost else Status.OUT_OF_BUDGET
        whole = len(scores) == len(evidence.problem.thorough) and None not in scores
        known = [score for score in scores if score is not None]
        drawn = {place.name: plain(place.value(draw)) for place in places(planned)}
        out.append(
            {
                "number": draw.number,
                "settings": drawn,
                "scores": scores,
                "score": float(np.mean(known)) if whole else None,
                "updates": max((run.updates for run in runs), default=0),
                "status": str(status),
            }
        )
    return {"chosen": runner.best_draw(planned, draws) or 0, "draws": out}


def good_rates(evidence: Evidence, points: Sequence[Mapping[str, Any]]) -> list[float]:
    """The learning rates whose score is within a twentieth of the way from the best of all contenders to the constant predictor.

    Measured from the best of all, so that a contender that is bad everywhere is not called insensitive.
    """
    best, metric = evidence.best_tuned, evidence.metric
    known = [(metric.sign * point["score"], point["learning_rate"]) for point in points if point["score"] is not None]
    reach = GOOD_SHARE * abs(evidence.runner.constant - best) if known and np.isfinite(evidence.runner.constant) else 0.0
    return [rate for cost, rate in known if cost <= best + reach]


def in_units(evidence: Evidence, contender: Contender) -> dict[str, float]:
    """Settings of the loss that are sizes of the target, in the target's own units (inside, targets are scaled)."""
    if evidence.problem.dataset.task is not Task.REGRESSION:
        return {}
    scale = evidence.problem.scale(evidence.problem.confirmation[0], contender.loss)
    declared: Mapping[str, Setting] = type(contender.loss).settings()
    return {
        contender.loss_setting(name): float(contender.loss.values()[name]) * float(scale.scale)
        for name, setting in declared.items()
        if setting.in_target_units and scale is not None
    }


def aims_at(evidence: Evidence, contender: Contender) -> float | None:
    """The one number this loss would predict for every row, in the target's units: it shows what the loss aims at."""
    if evidence.problem.dataset.task is not Task.REGRESSION or contender.reason:
        return None
    fit = evidence.problem.confirmation[0]
    rows = evidence.problem.fits[fit].train
    target = evidence.problem.target(fit, contender.loss, rows).astype(np.float64)
    constant = contender.loss.best_constant(target, evidence.problem.weight(rows))
    return finite(float(evidence.problem.outward(fit, contender.loss, np.asarray(constant, np.float64)[:1])[0]))


def too_high(evidence: Evidence, judged: Judged) -> dict[str, float] | None:
    """By how much predictions lie above what the metric asks for, and the score without that."""
    data, fits = evidence.problem.dataset, [evidence.problem.fits[fit].judge for fit in evidence.problem.confirmation]
    if data.task is not Task.REGRESSION:
        return None
    weights = [None if data.weight is None else data.weight[rows] for rows in fits]
    return offset(evidence.metric, [data.y[rows] for rows in fits], [each["value"] for each in judged.predictions], weights)


def entry(
    evidence: Evidence, contender: Contender, judged: Judged | None, ranking: Ranking | None, best: str | None
) -> dict[str, Any]:
    """One contender's entry of the result."""
    problem, ledger = evidence.problem, evidence.ledger
    runs = ledger.runs(contender.id, "confirmation")
    wanted = len(problem.confirmation)
    status, reason = outcome(contender, ledger, runs, wanted)
    points = grid(evidence, contender)
    rate = runs[0].learning_rate if runs else (contender.rates[0] if len(contender.rates) == 1 else None)
    good = good_rates(evidence, points)
    settings = contender.settings(rate)
    in_ranking = ranking is not None and judged is not None and contender.id in ranking.order
    updates = 0 if contender.reason else evidence.runner.updates(contender)
    if runs and gradients_per_step(contender.optimizer) is None:
        updates = round(float(np.median([run.updates for run in runs])))
    rounds = [run.best + 1 for run in runs if run.best >= 0]
    rows = max(len(fit.train) for fit in problem.fits)
    return {
        "id": contender.id,
        "loss": contender.loss.name,
        "optimizer": contender.optimizer.name,
        "loss_title": contender.loss.about.title,
        "optimizer_title": contender.optimizer.about.title,
        "aims_at": contender.loss.about.aims_at,
        "settings": settings,
        "settings_in_units": {} if contender.reason else in_units(evidence, contender),
        "batch": "full" if contender.batch is None else min(contender.batch, rows),
        "status": str(status),
        "reason": reason,
        "score": interval(ranking.intervals[contender.id]) if in_ranking and ranking is not None else None,
        "scores": judged.scores(evidence.metric) if judged is not None else [],
        "metrics": evidence.court.entry(judged) if judged is not None else {},
        "examples_seen": 0
        if contender.reason
        else rows * (evidence.protocol.epochs // gradients(contender)) * gradients(contender),
        "updates": updates,
        "tied_with_best": bool(in_ranking and ranking is not None and ranking.tied[contender.id]),
        "rank": ranking.order.index(contender.id) + 1 if in_ranking and ranking is not None else None,
        "difference": interval(ranking.difference(contender.id, best)) if in_ranking and ranking is not None and best else None,
        "grid": points,
        "second_tier": None if contender.reason else second(evidence, contender),
        "at_border": at_border(points, rate, contender),
        "good_rates": len(good),
        "good_range": [min(good), max(good)] if good else None,
        "bytes_per_parameter": None if contender.reason else round(state_bytes(evidence, contender), 2),
        "gradients_per_step": gradients_per_step(contender.optimizer),
        "epoch_best": round(float(np.median(rounds)), 1) if rounds else None,
        "best_constant": aims_at(evidence, contender),
        "offset": too_high(evidence, judged) if judged is not None else None,
        "closed_form": optimum.closed_form(problem, evidence.runner, contender),
        "twin_of": contender.twin_of,
        "own": own.codes(loss=(contender.loss, None), optimizer=(contender.optimizer, rate)),
    }


def papers(contenders: Sequence[Contender]) -> list[dict[str, str]]:
    """Where the losses and optimizers of those who took part were published, losses first."""
    there = [one for one in contenders if not one.reason]
    kinds = [
        {one.loss.name: one.loss.about.source for one in there},
        {one.optimizer.name: one.optimizer.about.source for one in there},
    ]
    return [
        {"name": name, "text": f"{paper.authors} ({paper.year}). {paper.title}.", "url": paper.url}
        for kind in kinds
        for name, paper in sorted(kind.items())
        if paper is not None
    ]


def gradients(contender: Contender) -> int:
    """Gradient evaluations that one update is charged for."""
    return gradients_per_step(contender.optimizer) or 1


def at_border(points: Sequence[Mapping[str, Any]], rate: float | None, contender: Contender) -> bool:
    """Whether the chosen learning rate is the smallest or largest that was tried, although the grid was extended."""
    rates = [point["learning_rate"] for point in points]
    return rate is not None and contender.ratio > 1 and len(rates) > 1 and (rate in (rates[0], rates[-1]))


def state_bytes(evidence: Evidence, contender: Contender) -> float:
    """Bytes that the optimizer remembers for each parameter of the model."""
    import jax

    outputs = contender.loss.outputs(evidence.runner.classes)
    trainer = evidence.runner.trainer(contender.loss)
    params = jax.eval_shape(lambda: evidence.protocol.model.init(jax.random.key(0), trainer.features, outputs))
    state = jax.eval_shape(contender.optimizer.init, params)

    def size(tree: Any) -> int:
        return sum(int(np.prod(leaf.shape)) * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree))

    return size(state) / max(1, sum(int(np.prod(leaf.shape)) for leaf in jax.tree.leaves(params)))


def epochs(
    evidence: Evidence, judged: Mapping[str, Judged], phase: str | None = None
) -> Iterator[tuple[dict[str, Any], Numbers]]:
    """For each epoch of each run, of one phase or of both, whose it is and how it was made, and its numbers by split and metric.

    A confirmation run has its metrics on the judged rows at the epoch that was kept.
    """
    for contender in evidence.contenders:
        if contender.reason:
            continue
        verdicts = (
            dict(zip(evidence.problem.confirmation, judged[contender.id].metrics, strict=True)) if contender.id in judged else {}
        )
        for run in evidence.ledger.runs(contender.id, phase):
            fit = evidence.problem.fits[run.fit]
            start = {
                "contender": contender.id,
                "loss": contender.loss.name,
                "optimizer": contender.optimizer.name,
                "phase": run.phase,
                "seed": run.seed,
                "repetition": fit.repetition,
                "fold": fit.fold,
                "learning_rate": run.learning_rate,
            }
            examples = len(fit.train) * gradients(contender)
            series = {
                ("train", "loss"): run.arrays["train_loss"],
                ("stop", "loss"): run.arrays["stop_loss"],
                ("stop", evidence.metric.name): evidence.metric.sign * run.arrays["stop_score"],
            }
            kept = verdicts.get(run.fit, {}) if run.phase == "confirmation" else {}
            for epoch, values in enumerate(zip(*(each.tolist() for each in series.values()), strict=True), start=1):
                found: Numbers = dict(zip(series, map(finite, values), strict=True))
                if epoch == run.best + 1:
                    found |= {("judge", metric): finite(value) for metric, value in kept.items()}
                yield {**start, "epoch": float(epoch), "examples_seen": epoch * examples}, found


def curves(evidence: Evidence, judged: Mapping[str, Judged], phase: str | None = None) -> Iterator[dict[str, Any]]:
    """The same, one row for each number."""
    for start, found in epochs(evidence, judged, phase):
        for (split, metric), value in found.items():
            yield {**start, "split": split, "metric": metric, "value": value}
