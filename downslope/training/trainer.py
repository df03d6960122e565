"""From a problem and its folds to trained lanes: finds or compiles the program, makes the starts, runs the bundle."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import jax
import numpy as np

from downslope.core import examples
from downslope.core.types import Params
from downslope.models.base import Model
from downslope.optimizers.base import Optimizer, gradients_per_step
from downslope.training import budget
from downslope.training.lanes import Bundle, Lane, Score
from downslope.training.layout import Layout, layout
from downslope.training.many_rows import many, sharing
from downslope.training.program import Program, Shape
from downslope.training.step import Recipe
from downslope.training.stream import Fold


@dataclass
class Trainer:
    """Everything the runs of one comparison share.

    `outputs` counts the model's raw scores, `labels` says that targets are class indices. All folds have the same number of
    columns. Programs are compiled ahead of time by `compiler`, in the background, and kept. Runs that may be stopped on
    their way are made in at least so many `pieces`. A `forced` layout takes the place of the one that suits the devices.
    """

    folds: Sequence[Fold]
    model: Model
    epochs: int
    labels: bool
    compiler: ThreadPoolExecutor
    pieces: int = 1
    forced: Layout | None = None

    def __post_init__(self) -> None:
        self.programs: dict[Any, Future[Program]] = {}
        self.starts: dict[tuple[int, int], Params] = {}
        self.sizes: dict[int, int] = {}
        self.constants: dict[tuple[Any, ...], np.ndarray] = {}

    @cached_property
    def rows(self) -> int:
        """Rows of the largest training part."""
        return max(fold.rows for fold in self.folds)

    @cached_property
    def stop(self) -> int:
        """Rows of the largest stopping slice."""
        return max(len(fold.stop_x) for fold in self.folds)

    @property
    def features(self) -> int:
        """Columns after encoding."""
        return self.folds[0].x.shape[1]

    def parameters(self, outputs: int) -> int:
        """Numbers in the model."""
        if outputs not in self.sizes:
            shapes = jax.eval_shape(lambda: self.model.init(jax.random.key(0), self.features, outputs))
            self.sizes[outputs] = sum(int(np.prod(leaf.shape)) for leaf in jax.tree.leaves(shapes))
        return self.sizes[outputs]

    def cut(self, optimizer: Optimizer, outputs: int, batch: int | None) -> budget.Cut:
        """How runs with mini-batches of `batch` rows (`None`: all rows at once) are cut into device calls.

        An optimizer that evaluates several gradients for one update gets as many times fewer epochs: budgets are counted in
        gradient evaluations.
        """
        return budget.cut(
            rows=self.rows,
            batch=batch or self.rows,
            epochs=max(1, self.epochs // (gradients_per_step(optimizer) or 1)),
            features=self.features,
            stop=self.stop,
            parameters=self.parameters(outputs),
            layout=self.layout(optimizer, outputs, batch),
            pieces=self.pieces,
        )

    def layout(self, optimizer: Optimizer, outputs: int, batch: int | None) -> Layout:
        """The lanes that a device advances together. Blocks differ in their batches: a full batch needs one.

        Lanes that search would wait for each other's searches, so on a CPU each goes alone; and on full batches of many rows all
        devices work for one block of lanes.
        """
        platform = jax.default_backend()
        found = self.forced or layout(self.model.hidden, self.parameters(outputs), platform)
        if not self.forced and platform == "cpu" and gradients_per_step(optimizer) is None:
            found = found._replace(block=1, turns=False)
        if not self.forced and platform == "cpu" and batch is None and many(self.rows) and not self.model.random:
            return found._replace(block=1 if found.turns else found.block, turns=False, parts=True)
        return found._replace(blocks=1) if batch is None else found

    def program(self, recipe: Recipe, outputs: int, batch: int | None) -> Future[Program]:
        """The program for recipes of this structure; its compilation starts now, in the background."""
        shape = self.shape(recipe, outputs, batch)
        key = (jax.tree.structure(recipe), shape)
        if key not in self.programs:
            self.programs[key] = self.compiler.submit(lambda: Program(shape, recipe).compile())
        return self.programs[key]

    def compiled(self, recipe: Recipe, outputs: int, batch: int | None) -> Program:
        """The same program, waited for."""
        return self.program(recipe, outputs, batch).result()

    def shape(self, recipe: Recipe, outputs: int, batch: int | None) -> Shape:
        """The program's shape."""
        cut, layout = self.cut(recipe.optimizer, outputs, batch), self.layout(recipe.optimizer, outputs, batch)
        return Shape(
            devices=sharing(jax.device_count()) if layout.parts else jax.device_count(),
            blocks=layout.blocks,
            block=layout.block,
            rounds=cut.rounds_per_call,
            steps=cut.steps_per_call // cut.rounds_per_call,
            calls=cut.calls_per_round,
            period=1 if batch is None else cut.steps_per_call,
            batch=batch or self.rows,
            stop=self.stop,
            features=self.features,
            outputs=outputs,
            labels=self.labels,
            random=recipe.model.random,
            turns=layout.turns,
            parts=layout.parts,
        )

    def bundle(self, lanes: Sequence[Lane], batch: int | None, classes: int | None, score: Score, smooth: int = 1) -> Bundle:
        """The lanes, ready to run. All have recipes of one structure. Waits for the program if it is not compiled yet."""
        recipe = lanes[0].recipe
        outputs = recipe.loss.outputs(classes)
        program = self.compiled(recipe, outputs, batch)
        starts = [self.start(lane, outputs, classes) for lane in lanes]
        return Bundle(program, self.cut(recipe.optimizer, outputs, batch), self.folds, lanes, starts, score, smooth)

    def start(self, lane: Lane, outputs: int, classes: int | None) -> Params:
        """Initial parameters: they depend on the seed alone, but for what makes the scores start at the loss's best constant."""
        key = (lane.seed, outputs)
        if key not in self.starts:
            self.starts[key] = jax.device_get(initial(self.model, np.uint32(lane.seed), self.features, outputs))
        loss, smoothing = lane.recipe.loss, lane.recipe.label_smoothing
        known = (lane.fold, type(loss), smoothing, *(str(value) for value in loss.values().values()))
        if known not in self.constants:
            target, weight = self.learned(lane, classes)
            self.constants[known] = np.asarray(loss.best_constant(target, weight, classes), np.float32)
        return self.model.starting_at(self.starts[key], self.constants[known])

    def learned(self, lane: Lane, classes: int | None) -> tuple[np.ndarray, np.ndarray | None]:
        """The targets that a lane learns from and their weights, `None` where all are 1: those of a large table take memory too.
        Smoothed class indices come as one row for each class."""
        fold, (loss, *_, smoothing) = self.folds[lane.fold], lane.recipe
        target, weight = fold.shown[1].astype(np.int64 if self.labels else np.float64), fold.weight
        if smoothing is None:
            return target, None if fold.even else weight
        if self.labels:
            weight = np.bincount(target, weight, classes or 0)
            target = np.arange(len(weight))
        return np.asarray(examples.smoothed(loss.name, loss.about, target, smoothing, len(weight)), np.float64), weight


@partial(jax.jit, static_argnums=(2, 3))
def initial(model: Model, seed: jax.Array, features: int, outputs: int) -> Params:
    """Fresh parameters: one program for all trainers whose models differ in numbers alone."""
    return model.init(jax.random.key(seed), features, outputs)
