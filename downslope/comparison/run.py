"""Runs the contenders one after another: tune on some seeds, judge on fresh ones, write down every finished bundle."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property

import jax
import numpy as np

from downslope.comparison import controls, score
from downslope.comparison.alike import Alike
from downslope.comparison.contender import Contender
from downslope.comparison.ledger import Ledger, Run
from downslope.comparison.metrics import Metric
from downslope.comparison.problem import Problem
from downslope.core.about import Task
from downslope.core.types import Params
from downslope.losses.base import Loss
from downslope.models.base import Layered, Model
from downslope.optimizers.base import with_learning_rate
from downslope.penalties.base import Penalty
from downslope.prediction.own import Formula
from downslope.prediction.predictor import forward
from downslope.training import checkpoint
from downslope.training.lanes import Lane, Trained
from downslope.training.status import Status
from downslope.training.step import Recipe
from downslope.training.stream import derive, signature
from downslope.training.trainer import Trainer

EXTENSIONS = 2
EXTRA_RATES = 2
COARSEST = 10**0.5  # between a rate and the next beyond the grid, however wide the grid's own steps
SECONDS_BETWEEN_CHECKPOINTS = 5.0
TWIN_TAG = 7
COUNTERFACTUAL = "counterfactual"
BESIDE = " | "  # between a contender and what was changed in its counterfactual runs
JUDGED = ("confirmation", COUNTERFACTUAL)  # phases whose runs are judged by rows that they left out


class Runner:
    """Everything that runs, and the ledger it is written to. What the ledger already has is not run again."""

    def __init__(
        self,
        problem: Problem,
        contenders: Sequence[Contender],
        ledger: Ledger,
        *,
        metric: Metric,
        model: Model,
        alike: Alike,
        penalty: Penalty | None,
        epochs: int,
        seed: int,
        margin: float,
        advanced: Callable[[int, str], None] = lambda updates, contender: None,
    ) -> None:
        self.problem, self.contenders, self.ledger, self.metric = problem, contenders, ledger, metric
        self.model, self.alike, self.penalty = model, alike, penalty
        self.epochs, self.seed, self.margin, self.advanced = epochs, seed, margin, advanced
        self.task = problem.dataset.task
        self.classes = len(problem.dataset.classes) if problem.dataset.classes else None
        self.compiler = ThreadPoolExecutor(1, thread_name_prefix="compiler")
        self.trainers: dict[str, Trainer] = {}

    def trainer(self, loss: Loss) -> Trainer:
        """The trainer whose targets are scaled as this loss wants them."""
        how = loss.about.target_scale if self.task is Task.REGRESSION else "none"
        if how not in self.trainers:
            self.trainers[how] = self.new_trainer(loss)
        return self.trainers[how]

    def new_trainer(self, loss: Loss) -> Trainer:
        """A trainer for losses whose targets are scaled as this one's."""
        labels = self.task is Task.MULTICLASS
        return Trainer(self.problem.folds(loss), self.model, self.epochs, labels, self.compiler)

    def recipe(self, contender: Contender, learning_rate: float) -> Recipe:
        """The hyper-parameters of one run."""
        own = with_learning_rate(contender.optimizer, learning_rate)
        optimizer = self.alike.optimizer(own, self.updates(contender))
        return Recipe(
            contender.loss, optimizer, self.alike.schedule(own), self.penalty, self.model, self.problem.labels.label_smoothing
        )

    def batch(self, contender: Contender) -> int | None:
        """Rows of a contender's batches, `None` for all."""
        return None if contender.batch is None else min(contender.batch, self.trainer(contender.loss).rows)

    def updates(self, contender: Contender) -> int:
        """Updates of each of a contender's runs."""
        trainer = self.trainer(contender.loss)
        return trainer.cut(contender.optimizer, contender.loss.outputs(self.classes), self.batch(contender)).updates

    def __iter__(self) -> Iterator[Contender]:
        """Runs everything; yields each contender when its last run is written."""
        waiting = [one for one in self.contenders if not one.reason and not self.complete(one)]
        for contender in waiting:
            outputs = contender.loss.outputs(self.classes)
            recipe = self.recipe(contender, contender.rates[0])
            self.trainer(contender.loss).program(recipe, outputs, self.batch(contender))
        for contender in self.contenders:
            if not contender.reason:
                self.tune(contender)
                self.confirm(contender)
                yield contender

    def complete(self, contender: Contender) -> bool:
        """Whether the ledger has all of a contender's runs."""
        confirmed = self.ledger.have(contender.id, "confirmation")
        return len(confirmed) == len(self.problem.confirmation) or self.ledger.fact(f"diverged {contender.id}") is not None

    def tune(self, contender: Contender) -> None:
        """Runs the grid on the tuning fits, and further rates as long as the chosen one lies on its border."""
        if len(contender.rates) == 1:
            return
        for rates in self.grids(contender):
            self.bundle(contender, "tuning", [(rate, fit) for rate in rates for fit in self.problem.tuning])

    def grids(self, contender: Contender) -> Iterator[Sequence[float]]:
        """The learning rates to try, first the plan's, then those that the runs so far ask for: a pure function of the runs."""
        rates = list(contender.rates)
        yield rates
        for _ in range(EXTENSIONS if contender.ratio > 1 else 0):
            scores = {rate: score for rate, score in self.tuned(contender).items() if rate in rates}
            further = beyond(list(scores), steady(scores, self.margin, self.constant), contender.ratio) if scores else []
            if not further:
                return
            rates += further
            yield further

    def choice(self, contender: Contender, among: Sequence[float] | None = None) -> float | None:
        """The learning rate to confirm, `None` where every one diverged; among those tried, or among some of them."""
        if len(contender.rates) == 1:
            return contender.rates[0]
        scores = {rate: score for rate, score in self.tuned(contender).items() if among is None or rate in among}
        return steady(scores, self.margin, self.constant) if scores else None

    @property
    def constant(self) -> float:
        """The constant predictor's mean cost where the learning rates are chosen."""
        return float(np.mean(self.constants))

    @cached_property
    def constants(self) -> list[float]:
        """The constant predictor's cost on the stopping slice of each tuning fit."""
        data, costs = self.problem.dataset, []
        for fit in (self.problem.fits[number] for number in self.problem.tuning):
            rows, stop = (data.weight[part] if data.weight is not None else None for part in (fit.train, fit.stop))
            guess = controls.constant(data.task, data.y[fit.train], rows, len(fit.stop), self.classes or 2, self.metric)
            costs.append(
                self.metric.sign * score.judge_predictions([self.metric], guess, data.y[fit.stop], stop)[self.metric.name]
            )
        return costs

    def tuned(self, contender: Contender) -> dict[float, float]:
        """Mean score of each learning rate tried so far, lower is better; infinite where a run diverged."""
        scores: dict[float, list[float]] = {}
        for run in self.ledger.runs(contender.id, "tuning"):
            fine = run.status == Status.OK and run.score is not None
            scores.setdefault(run.learning_rate, []).append(run.score if fine and run.score is not None else np.inf)
        return {rate: float(np.mean(values)) for rate, values in sorted(scores.items())}

    def confirm(self, contender: Contender) -> None:
        """Runs the chosen rate on the fresh fits. Where every rate diverged there is nothing to confirm."""
        rate = self.choice(contender)
        if rate is not None:
            self.bundle(contender, "confirmation", [(rate, fit) for fit in self.problem.confirmation])
        elif not self.complete(contender):
            self.ledger.store(f"diverged {contender.id}", True)

    def bundle(self, contender: Contender, phase: str, wanted: Sequence[tuple[float, int]]) -> None:
        """Trains some runs of a contender together, unless the ledger has them."""
        done = self.ledger.have(contender.id, phase)
        wanted = [run for run in wanted if run not in done]
        if not wanted:
            return
        name = f"{contender.id} {phase} {wanted}"
        trainer = self.trainer(contender.loss)
        lanes = [
            Lane(self.recipe(contender, rate), self.problem.places[fit], self.lane_seed(contender, fit)) for rate, fit in wanted
        ]
        numbers = {self.problem.places[fit]: fit for _, fit in wanted}
        bundle = trainer.bundle(
            lanes,
            self.batch(contender),
            self.classes,
            lambda place, raw: self.scores(contender.loss, numbers[place], raw),
            3 if self.metric.needs == "label" else 1,
        )
        frozen = self.ledger.frozen(name)
        if frozen is not None:
            checkpoint.thaw(bundle, frozen)
        started = saved = time.monotonic()
        before = first = min(bundle.calls_done * bundle.cut.rounds_per_call, bundle.cut.rounds) * bundle.cut.steps
        for updates in bundle:
            self.advanced((updates - before) * len(lanes), contender.id)
            before = updates
            if time.monotonic() - saved > SECONDS_BETWEEN_CHECKPOINTS and updates < bundle.cut.updates:
                self.ledger.checkpoint(name, checkpoint.freeze(bundle))
                saved = time.monotonic()
        # What a stopped process did of this bundle took its time too, at the same pace.
        seconds = (time.monotonic() - started) / len(lanes) * bundle.cut.updates / max(1, bundle.cut.updates - first)
        runs = [
            self.written(contender, phase, rate, fit, lane.seed, trained, bundle.updates(number), seconds)
            for number, ((rate, fit), lane, trained) in enumerate(zip(wanted, lanes, bundle.trained, strict=True))
        ]
        self.ledger.add(runs, name)

    def lane_seed(self, contender: Contender, fit: int) -> int:
        """Decides initial weights and batch order: the same for all contenders, a twin has its own."""
        return derive(self.seed, self.problem.fits[fit].seed, TWIN_TAG if contender.twin_of else 0)

    def order(self, contender: Contender, fit: int, seed: int) -> np.ndarray:
        """What a run's batches are recognised by; nothing where a batch is all rows."""
        trainer, batch = self.trainer(contender.loss), self.batch(contender)
        if batch is None:
            return np.zeros(0, np.uint8)
        cut = trainer.cut(contender.optimizer, contender.loss.outputs(self.classes), batch)
        return signature(self.problem.fits[fit].train, cut.steps * cut.rounds_per_epoch, batch, seed)

    def scores(self, loss: Loss, fit: int, raw: np.ndarray) -> np.ndarray:
        """The ranking metric of each round on the stopping slice, lower is better."""
        rows = self.problem.fits[fit].stop
        weight = None if self.problem.dataset.weight is None else self.problem.dataset.weight[rows]
        raw = self.problem.outward(fit, loss, raw)
        return self.metric.sign * score.epoch_scores(
            self.metric, self.task, loss.about.link, raw, self.problem.dataset.y[rows], weight
        )

    def written(
        self,
        contender: Contender,
        phase: str,
        rate: float,
        fit: int,
        seed: int,
        trained: Trained,
        updates: int,
        seconds: float,
    ) -> Run:
        """A trained lane as the ledger keeps it."""
        best = trained.best
        arrays = {
            "train_loss": np.array(trained.train_loss, np.float64),
            "stop_loss": np.array(best.losses, np.float64),
            "stop_score": np.array(best.scores, np.float64),
            "order": self.order(contender, fit, seed),
            **self.marks(contender.loss, fit),
        }
        fine = trained.status is Status.OK
        if fine and phase in JUDGED:
            raw = self.predicted(trained.params, self.judged(fit))
            arrays["judged"] = raw[:, 0] if raw.shape[1] == 1 else raw
            arrays["stop_raw"] = np.ascontiguousarray(trained.stop_raw)
            arrays |= {
                f"params {place}": np.asarray(leaf, order="C") for place, leaf in enumerate(jax.tree.leaves(trained.params))
            }
        value = best.value[0] if fine and np.isfinite(best.value[0]) else None
        return Run(
            contender.id,
            phase,
            rate,
            fit,
            seed,
            str(trained.status),
            trained.diverged_after,
            best.epoch,
            value,
            updates,
            arrays,
            seconds,
        )

    def marks(self, loss: Loss, fit: int) -> dict[str, np.ndarray]:
        """What else a run is recognised by: nothing, where rows are as the comparison has them."""
        return {}

    def judged(self, fit: int) -> np.ndarray:
        """The encoded rows that judge a run of a fit."""
        return self.problem.judged[fit]

    def predicted(self, params: Params, rows: np.ndarray) -> np.ndarray:
        """Raw scores of encoded rows, `(rows, outputs)`, computed as the delivered model will compute them."""
        if not isinstance(self.model, Layered):
            return Formula(self.model).scores(params, rows)
        layers = [(layer["weight"].astype(np.float64), layer["bias"].astype(np.float64)) for layer in params["layers"]]
        return forward(layers, rows.astype(np.float64))

    def params(self, loss: Loss, run: Run) -> Params:
        """The parameters of a finished run, from the ledger."""
        outputs = loss.outputs(self.classes)
        shapes = jax.eval_shape(lambda: self.model.init(jax.random.key(0), self.problem.features, outputs))
        structure = jax.tree.structure(shapes)
        return jax.tree.unflatten(structure, [run.arrays[f"params {place}"] for place in range(structure.num_leaves)])

    def close(self) -> None:
        """Stops the background compiler; what has not begun is dropped."""
        self.compiler.shutdown(wait=False, cancel_futures=True)


def steady(scores: Mapping[float, float], margin: float, constant: float) -> float | None:
    """The middle of the learning rates that are as good as the best, the lower one of two; `None` where all diverged.

    As good is what lies within the practical margin, a share of the way from the best to the constant predictor, without a
    gap. The best rate alone is often the last before the cliff, where two tuning seeds went well and the next one does not.

    >>> steady({0.01: 9.0, 0.1: 5.1, 1.0: 5.0, 10.0: float("inf")}, margin=0.01, constant=25.0)
    0.1
    """
    rates = sorted(scores)
    best = min(rates, key=lambda rate: scores[rate])
    if not np.isfinite(scores[best]):
        return None
    reach = scores[best] + (margin * abs(constant - scores[best]) if np.isfinite(constant) else 0.0)
    low = high = rates.index(best)
    while low > 0 and scores[rates[low - 1]] <= reach:
        low -= 1
    while high < len(rates) - 1 and scores[rates[high + 1]] <= reach:
        high += 1
    return rates[(low + high) // 2]


def beyond(rates: Sequence[float], chosen: float | None, ratio: float) -> list[float]:
    """Further learning rates when the chosen one lies on the border of those tried, else none.

    >>> beyond([0.1, 0.2, 0.4], 0.4, ratio=2)
    [0.8, 1.6]
    >>> beyond([0.1, 0.2, 0.4], 0.2, ratio=2)
    []
    """
    rates = sorted(rates)
    if len(rates) < 2 or chosen is None or chosen not in (rates[0], rates[-1]):
        return []
    ratio = min(ratio, COARSEST)
    steps = [chosen / ratio**power if chosen == rates[0] else chosen * ratio**power for power in range(1, EXTRA_RATES + 1)]
    return [float(f"{rate:.4g}") for rate in steps]
