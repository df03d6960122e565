"""What would have happened: a few more runs of a contender with one thing changed, and how far that moved its score."""

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from downslope.comparison import influence
from downslope.comparison.contender import BESIDE, Contender
from downslope.comparison.judge import Court
from downslope.comparison.ledger import Run
from downslope.comparison.metrics import Metric
from downslope.comparison.rank import Ranking, tied_set
from downslope.comparison.rates import steady
from downslope.comparison.run import COUNTERFACTUAL, TRIED, Runner
from downslope.losses.base import Loss
from downslope.models.base import Model
from downslope.penalties.base import Penalty
from downslope.training.status import Status
from downslope.training.stream import Fold
from downslope.training.trainer import Trainer

PAIRS = 6
MOST_RUNS = 45  # a tenth of the runs of a comparison that leaves everything as it is
Arm = tuple[Loss, Sequence[Run]]


@dataclass(frozen=True)
class Change:
    """What differs from the comparison; what is `None` stays as it was.

    `weight` gives the weights of the rows that a fold learns from, from the fold's number and the fold. A row that is left out
    weighs 0: it stays in its batch, so that no program is compiled anew and every other row meets the same neighbours.

    `columns` gives encoded rows as the run sees them, from the fold's number and the rows `(rows, features)`; rows that stop
    and rows that judge go through it too. With another `loss` everything that reads scores follows its link. With another
    `batch` the run makes as many updates as before, and so sees more examples or fewer.
    """

    name: str
    weight: Callable[[int, Fold], np.ndarray] | None = None
    columns: Callable[[int, np.ndarray], np.ndarray] | None = None
    model: Model | None = None
    penalty: Penalty | None = None
    loss: Loss | None = None
    batch: int | None = None

    def of(self, contender: Contender) -> Contender:
        """A contender with the change, under a name of its own."""
        name = f"{contender.id}{BESIDE}{self.name}"
        return replace(contender, id=name, loss=self.loss or contender.loss, batch=self.batch or contender.batch)


class Changed(Runner):
    """A runner of the same comparison with one thing changed. It writes to the same ledger and shares its programs."""

    def __init__(self, base: Runner, change: Change, contender: Contender) -> None:
        rules = replace(
            base.rules,
            model=change.model or base.model,
            penalty=change.penalty or base.penalty,
            epochs=base.epochs if change.batch is None else as_many_updates(base, contender, change.batch),
            thorough=False,
        )
        super().__init__(base.problem, base.contenders, base.ledger, rules, base.metric, base.margin)
        self.base, self.change, self.compiler = base, change, base.compiler

    def new_trainer(self, loss: Loss) -> Trainer:
        """The trainer of the comparison with other weights, other columns or another model."""
        known, weight, columns = self.base.trainer(loss), self.change.weight, self.change.columns
        folds = known.folds
        if weight is not None and not self.problem.blank:
            folds = [replace(fold, weight=weight(place, fold).astype(np.float32)) for place, fold in enumerate(folds)]
        if columns is not None and not self.problem.blank:
            folds = [
                replace(fold, x=seen(columns(place, fold.x)), stop_x=seen(columns(place, fold.stop_x)))
                for place, fold in enumerate(folds)
            ]
        mine = Trainer(folds, self.model, self.epochs, known.labels, self.compiler, known.pieces)
        mine.programs = known.programs
        return mine

    def marks(self, loss: Loss, fit: int) -> dict[str, np.ndarray]:
        """What the weights of the rows that a fit learns from are recognised by."""
        weight = self.trainer(loss).folds[self.problem.places[fit]].weight
        return {"weighed": np.frombuffer(hashlib.sha256(weight.tobytes()).digest(), np.uint8)}

    def judged(self, fit: int) -> np.ndarray:
        """The judged rows, their columns changed as those that the run learned from."""
        rows, columns = super().judged(fit), self.change.columns
        return rows if columns is None else seen(columns(self.problem.places[fit], rows))


def seen(rows: np.ndarray) -> np.ndarray:
    """Encoded rows in the form that the engine reads."""
    return np.ascontiguousarray(rows, np.float32)


def as_many_updates(base: Runner, contender: Contender, batch: int) -> int:
    """The epochs that make as many updates in batches of another size as the contender makes, to the nearest epoch."""
    rows, before = base.trainer(contender.loss).rows, base.batch(contender)
    ratio = math.ceil(rows / (before or rows)) / math.ceil(rows / min(batch, rows))
    return max(1, round(base.epochs * ratio))


@dataclass
class Trials:
    """Runs with a change, each paired with the confirmation run of the same fit and seed that had none."""

    runner: Runner
    court: Court
    say: Callable[[str], None]
    used: int = 0

    @property
    def fits(self) -> range:
        """The confirmation fits that pairs are made on."""
        return self.runner.problem.confirmation[:PAIRS]

    def plain(self, contender: Contender) -> list[Run]:
        """The confirmation runs of the fits that pairs are made on."""
        return [run for run in self.runner.ledger.runs(contender.id, "confirmation") if run.fit in self.fits]

    def price(self, contender: Contender, change: Change, rates: Sequence[float] = ()) -> int:
        """What a change costs, counted in runs of as many examples as the comparison's own; `rates` have to be tried first."""
        before = self.runner.batch(contender)
        tried = len(rates) * len(self.runner.problem.tuning) if len(rates) > 1 else 0
        return (PAIRS + tried) * max(1, math.ceil(change.batch / before) if change.batch and before else 1)

    def refusal(self, cost: int) -> str:
        """Why changes of this price cannot be tried; nothing if they can."""
        if len(self.fits) < PAIRS:
            return f"a test needs {PAIRS} pairs of runs, and only {len(self.fits)} runs judged"
        if self.used + cost > MOST_RUNS:
            return f"it costs as much as {cost} runs, and other reasons left {MOST_RUNS - self.used} of {MOST_RUNS} extra ones"
        return ""

    def run(self, contender: Contender, change: Change, rates: Sequence[float] = ()) -> list[Run]:
        """The runs of a contender with the change, at the learning rate that was confirmed without it.

        Of several `rates` it is the one that the tuning fits choose, by the rule for everyone; no runs where all of them diverge.
        """
        changed, runner = change.of(contender), Changed(self.runner, change, contender)
        self.used += self.price(contender, change, rates)
        if len(rates) > 1:
            self.made(runner, changed, [(rate, fit) for rate in rates for fit in runner.problem.tuning], TRIED)
            rate = steady(runner.tuned(changed, TRIED), runner.margin, runner.constant)
        else:
            rate = rates[0] if rates else self.plain(contender)[0].learning_rate
        if rate is None:
            return []
        self.made(runner, changed, [(rate, fit) for fit in self.fits])
        return self.runner.ledger.runs(changed.id, COUNTERFACTUAL)

    def made(self, changed: Changed, one: Contender, wanted: Sequence[tuple[float, int]], phase: str = COUNTERFACTUAL) -> None:
        """Sees to it that the ledger has the runs of these learning rates and fits."""
        self.say(f"looking for reasons: {one.id}, {len(wanted)} runs")
        changed.bundle(one, phase, wanted)

    def compared(self, measure: Metric, arms: Mapping[str, Arm]) -> Ranking | None:
        """The arms by a metric with the simultaneous intervals of all their differences, rows and seeds drawn again.

        `None` where a run left the finite numbers or the metric has no value.
        """
        if any(run.status != Status.OK for _, runs in arms.values() for run in runs):
            return None
        parts = {name: self.contributions(measure, loss, name, runs) for name, (loss, runs) in arms.items()}
        return self.ranked(measure, parts, measure.limits)

    def gaps(self, measure: Metric, pairs: Mapping[str, tuple[Arm, Arm]]) -> Ranking | None:
        """By how much the first arm of each pair is worse than the second, ranked beside "", which stands for no gap.

        `None` where a run left the finite numbers or the metric has no value.
        """
        if any(run.status != Status.OK for pair in pairs.values() for _, runs in pair for run in runs):
            return None
        parts: dict[str, list[np.ndarray]] = {}
        for name, pair in pairs.items():
            one, other = (self.contributions(measure, loss, name, runs) for loss, runs in pair)
            parts[name] = [mine - yours for mine, yours in zip(one, other, strict=True)]
        parts[""] = [np.zeros_like(each) for each in next(iter(parts.values()))]
        return self.ranked(measure, parts, (-np.inf, np.inf))

    def ranked(self, measure: Metric, parts: Mapping[str, list[np.ndarray]], limits: tuple[float, float]) -> Ranking | None:
        """What is known of some arms from what each judged row adds to them; `None` where one of them has no value."""
        rows = [self.runner.problem.fits[fit].judge for fit in self.fits]
        found = tied_set(parts, rows, measure.direction, clusters=self.court.clusters, limits=limits, seed=self.court.seed)
        return found if len(found.order) == len(parts) else None

    def contributions(self, measure: Metric, loss: Loss, name: str, runs: Sequence[Run]) -> list[np.ndarray]:
        """What each judged row of each run adds to a metric."""
        data, out = self.runner.problem.dataset, []
        for run, prediction in zip(runs, self.court.contender(loss, name, runs).predictions, strict=True):
            rows = self.runner.problem.fits[run.fit].judge
            weight = None if data.weight is None else data.weight[rows]
            out.append(influence.contributions(measure, data.y[rows], prediction[measure.needs], weight))
        return out


def where(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Where the ledger keeps some runs."""
    return [{name: getattr(run, name) for name in ("contender", "phase", "learning_rate", "fit", "seed")} for run in runs]
