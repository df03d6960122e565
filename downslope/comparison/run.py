"""Runs the contenders one after another: tune on some seeds, judge on fresh ones, write down every finished bundle."""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property

import jax
import numpy as np

from downslope.comparison import controls, score, second_tier
from downslope.comparison.contender import BESIDE, Contender
from downslope.comparison.later import bring
from downslope.comparison.ledger import Ledger, Run
from downslope.comparison.metrics import Metric
from downslope.comparison.problem import Problem
from downslope.comparison.protocol import Protocol
from downslope.comparison.rates import EXTENSIONS, beyond, steady
from downslope.comparison.second_tier import Curve, Draw
from downslope.core.about import Task
from downslope.core.types import Params
from downslope.losses.base import Loss
from downslope.models.base import Layered
from downslope.optimizers.base import with_learning_rate
from downslope.prediction.own import Formula
from downslope.prediction.predictor import forward
from downslope.training import checkpoint
from downslope.training.budget import Cut
from downslope.training.lanes import Bundle, Lane, Trained
from downslope.training.orders import derive, signature
from downslope.training.status import Status
from downslope.training.step import Recipe
from downslope.training.trainer import Trainer

SECONDS_BETWEEN_CHECKPOINTS = 5.0
FEW_ROWS = 4000  # up to there runs are so short that everybody waits for the compiler
TWIN_TAG = 7
COUNTERFACTUAL, TRIED = "counterfactual", "counterfactual tuning"
JUDGED = ("confirmation", COUNTERFACTUAL)  # phases whose runs are judged by rows that they left out


class Runner:
    """Everything that runs, and the ledger it is written to. What the ledger already has is not run again."""

    def __init__(
        self,
        problem: Problem,
        contenders: Sequence[Contender],
        ledger: Ledger,
        rules: Protocol,
        metric: Metric,
        margin: float,
        advanced: Callable[[int, str], None] = lambda updates, contender: None,
        later: Sequence[str] = (),
    ) -> None:
        self.problem, self.contenders, self.ledger, self.rules = problem, contenders, ledger, rules
        self.metric, self.margin, self.advanced, self.later = metric, margin, advanced, later
        self.model, self.alike, self.penalty = rules.model, rules.alike, rules.penalty
        self.epochs, self.seed, self.thorough = rules.epochs, rules.seed, rules.thorough
        self.task = problem.dataset.task
        self.classes = len(problem.dataset.classes) if problem.dataset.classes else None
        compilers = 2 if max(len(fit.train) for fit in problem.fits) <= FEW_ROWS else 1
        self.compiler = ThreadPoolExecutor(compilers, thread_name_prefix="compiler")
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
        pieces = second_tier.PIECES if self.thorough else 1
        return Trainer(self.problem.folds(loss), self.model, self.epochs, labels, self.compiler, pieces)

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
        return self.cut(contender).updates

    def cut(self, contender: Contender) -> Cut:
        """How a contender's runs are cut into device calls."""
        outputs = contender.loss.outputs(self.classes)
        return self.trainer(contender.loss).cut(contender.optimizer, outputs, self.batch(contender))

    def __iter__(self) -> Iterator[Contender]:
        """Runs everything; yields each contender when its last run is written."""
        waiting = [one for one in self.contenders if not one.reason and not self.complete(one)]
        for contender in waiting:
            outputs = contender.loss.outputs(self.classes)
            recipe = self.recipe(contender, contender.rates[0])
            self.trainer(contender.loss).program(recipe, outputs, self.batch(contender))
        if waiting:
            self.compiler.submit(bring, *self.later)
        for contender in self.contenders:
            if not contender.reason:
                self.tune(contender)
                self.search(contender)
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

    def tuned(self, contender: Contender, phase: str = "tuning") -> dict[float, float]:
        """Mean score of each learning rate tried so far, lower is better; infinite where a run diverged."""
        scores: dict[float, list[float]] = {}
        for run in self.ledger.runs(contender.id, phase):
            fine = run.status == Status.OK and run.score is not None
            scores.setdefault(run.learning_rate, []).append(run.score if fine and run.score is not None else np.inf)
        return {rate: float(np.mean(values)) for rate, values in sorted(scores.items())}

    def search(self, contender: Contender) -> None:
        """Runs the second tier of tuning, if there is one: every draw on its fits, the worse ones stopped on the way."""
        lanes = self.searched(contender)
        done = {(one.id, fit) for one, _, _ in lanes for _, fit in self.ledger.have(one.id, second_tier.PHASE)}
        if not lanes or len(done) == len(lanes):
            return
        numbers = {draw.contender.id: draw.number for draw in self.draws(contender)}
        draws = [numbers[one.id] for one, _, _ in lanes]

        def losers(bundle: Bundle) -> list[int]:
            curves: dict[int, list[Curve]] = {}
            for number, trained in zip(draws, bundle.trained, strict=True):
                if number:
                    curves.setdefault(number, []).append(Curve(trained.best.scores, trained.best.losses))
            ends = second_tier.stopped(curves, bundle.cut, self.smooth, bundle.calls_done)
            return [lane for lane, number in enumerate(draws) if number in ends]

        self.train(f"{contender.id} {second_tier.PHASE}", second_tier.PHASE, lanes, losers)

    def planned(self, name: str) -> Contender:
        """The contender of this name as it was entered."""
        return next(one for one in self.contenders if one.id == name)

    def draws(self, contender: Contender, among: Sequence[float] | None = None) -> list[Draw]:
        """What the second tier tries for a contender; nothing where there is no second tier, or nothing to draw."""
        found = second_tier.draws(contender, self.choice(contender, among)) if self.thorough else []
        return found if len(found) > 1 or (found and found[0].number) else []

    def searched(self, contender: Contender, among: Sequence[float] | None = None) -> list[tuple[Contender, float, int]]:
        """The runs of the second tier. Those of the first tier's choice that tuned it are not made again."""
        tuned = self.problem.tuning if len(contender.rates) > 1 else ()
        return [
            (draw.contender, draw.rate, fit)
            for draw in self.draws(contender, among)
            for fit in self.problem.thorough
            if draw.number or fit not in tuned
        ]

    def drawn(self, contender: Contender, draw: Draw) -> list[Run]:
        """The finished runs of a draw, in the order of their fits."""
        runs = self.ledger.runs(draw.contender.id, second_tier.PHASE)
        if draw.number == 0:
            runs += [run for run in self.ledger.runs(contender.id, "tuning") if run.learning_rate == draw.rate]
        return sorted(runs, key=lambda run: run.fit)

    def settled(self, contender: Contender, among: Sequence[float] | None = None) -> tuple[Contender, float] | None:
        """The contender with the settings that its tuning chose, and its learning rate; `None` where every run diverged."""
        draws, rate = self.draws(contender, among), self.choice(contender, among)
        number = self.best_draw(contender, draws)
        if not number:
            return None if rate is None else (contender, rate)
        draw = next(draw for draw in draws if draw.number == number)
        return second_tier.settled(contender, draw), draw.rate

    def best_draw(self, contender: Contender, draws: Sequence[Draw]) -> int | None:
        """The number of the draw that is confirmed, 0 for the first tier's choice; `None` where no draw came to its end."""
        scores: dict[int, float] = {}
        for draw in draws:
            runs = self.drawn(contender, draw)
            if len(runs) == len(self.problem.thorough) and all(run.status == Status.OK for run in runs):
                scores[draw.number] = float(np.mean([np.inf if run.score is None else run.score for run in runs]))
        return second_tier.chosen(scores, self.margin, self.constant)

    def confirm(self, contender: Contender) -> None:
        """Runs the chosen settings on the fresh fits. Where every run diverged there is nothing to confirm."""
        found = self.settled(contender)
        if found is not None:
            one, rate = found
            self.bundle(one, "confirmation", [(rate, fit) for fit in self.problem.confirmation])
        elif not self.complete(contender):
            self.ledger.store(f"diverged {contender.id}", True)

    def bundle(self, contender: Contender, phase: str, wanted: Sequence[tuple[float, int]]) -> None:
        """Trains some runs of a contender together, unless the ledger has them."""
        done = self.ledger.have(contender.id, phase)
        wanted = [run for run in wanted if run not in done]
        if wanted:
            self.train(f"{contender.id} {phase} {wanted}", phase, [(contender, rate, fit) for rate, fit in wanted])

    def train(
        self,
        name: str,
        phase: str,
        wanted: Sequence[tuple[Contender, float, int]],
        losers: Callable[[Bundle], Collection[int]] = lambda bundle: (),
    ) -> None:
        """Trains runs together that differ in settings, learning rates and fits, and writes them to the ledger.

        `losers` says after each device call which of them are trained no further. Under `name` the ledger keeps where the runs
        stand while they are not finished.
        """
        like, *_ = wanted[0]
        lanes = [Lane(self.recipe(one, rate), self.problem.places[fit], self.lane_seed(one, fit)) for one, rate, fit in wanted]
        numbers = {self.problem.places[fit]: fit for _, _, fit in wanted}
        bundle = self.trainer(like.loss).bundle(
            lanes, self.batch(like), self.classes, lambda place, raw: self.scores(like.loss, numbers[place], raw), self.smooth
        )
        frozen = self.ledger.frozen(name)
        if frozen is not None:
            checkpoint.thaw(bundle, frozen)
        started = saved = time.monotonic()
        made = first = bundle.made()
        for _ in bundle:
            made, before = bundle.made(), made
            self.advanced(made - before, like.id.partition(BESIDE)[0])
            bundle.stop(losers(bundle))
            if time.monotonic() - saved > SECONDS_BETWEEN_CHECKPOINTS and bundle.calls_done < bundle.cut.calls:
                self.ledger.checkpoint(name, checkpoint.freeze(bundle))
                saved = time.monotonic()
        # What a stopped process did of these runs took its time too, at the same pace.
        pace = (time.monotonic() - started) / max(1, made - first)
        runs = [
            self.written(one, phase, rate, fit, lane.seed, trained, bundle.updates(number), pace * bundle.seen(number))
            for number, ((one, rate, fit), lane, trained) in enumerate(zip(wanted, lanes, bundle.trained, strict=True))
        ]
        self.ledger.add(runs, name)

    @property
    def smooth(self) -> int:
        """Over how many epochs a score is averaged before the best is chosen: scores of labels jump."""
        return 3 if self.metric.needs == "label" else 1

    def lane_seed(self, contender: Contender, fit: int) -> int:
        """Decides initial weights and batch order: the same for all contenders, a twin has its own."""
        return derive(self.seed, self.problem.fits[fit].seed, TWIN_TAG if contender.twin_of else 0)

    def order(self, contender: Contender, fit: int, seed: int) -> np.ndarray:
        """What a run's batches are recognised by; nothing where a batch is all rows."""
        batch = self.batch(contender)
        if batch is None:
            return np.zeros(0, np.uint8)
        return signature(self.problem.fits[fit].train, self.cut(contender).steps, batch, seed)

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
        known = fine or trained.status is Status.OUT_OF_BUDGET
        value = best.value[0] if known and np.isfinite(best.value[0]) else None
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
