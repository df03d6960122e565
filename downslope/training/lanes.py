"""Train many lanes, each one setting and seed, in blocks spread over the devices."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any, NamedTuple

import jax
import numpy as np

from downslope.core import tree
from downslope.core.types import Params
from downslope.optimizers.base import gradients_per_step, searching
from downslope.training.best import Best
from downslope.training.budget import Cut
from downslope.training.feed import Feed
from downslope.training.program import Carry, Program, Round
from downslope.training.status import Status
from downslope.training.step import Recipe
from downslope.training.stream import Fold


class Lane(NamedTuple):
    """One run: a recipe of plain numbers, the fold it learns from, the seed of its initial parameters and batch order."""

    recipe: Recipe
    fold: int
    seed: int


@dataclass
class Trained:
    """What a lane has come to: a curve with one value a round, and the best round's parameters and scores.

    `diverged_after` counts the updates before the first number that was not finite, `stopped_after` those of a lane that was
    not trained to its end. `parts` are the training losses of the device calls of a round that has not ended.
    """

    status: Status
    best: Best
    train_loss: list[float]
    parts: list[float] = field(default_factory=list)
    diverged_after: int | None = None
    stopped_after: int | None = None

    @property
    def params(self) -> Params:
        """Parameters of the best round, NumPy arrays."""
        return self.best.kept[0]

    @property
    def stop_raw(self) -> np.ndarray:
        """Raw scores on the stopping slice at the best round."""
        return self.best.kept[1]


Wave = list[list[int]]
"""For each block on the devices its lanes."""

Score = Callable[[int, np.ndarray], np.ndarray]
"""From a fold's number and raw scores `(rounds, rows)` or `(rounds, rows, outputs)` to one score a round, lower is better."""


class Bundle:
    """Lanes of one program, trained together chunk by chunk: iterating yields, after each chunk, the updates each lane has done.

    `starts` are the lanes' initial parameters. All lanes see the same number of updates; the batches of a lane depend on its
    fold and seed alone.
    """

    def __init__(
        self,
        program: Program,
        cut: Cut,
        folds: Sequence[Fold],
        lanes: Sequence[Lane],
        starts: Sequence[Params],
        score: Score,
        smooth: int = 1,
    ) -> None:
        self.program, self.cut, self.folds, self.lanes, self.score = program, cut, folds, lanes, score
        self.calls_done = 0
        self.trained = [Trained(Status.OK, Best(smooth), []) for _ in lanes]
        self.feed = Feed(program, cut, folds)
        empty = tree.map(lambda leaf: np.zeros(leaf.shape[2:], leaf.dtype), program.carry_shapes)
        self.arrange(
            {
                number: empty._replace(params=start, fresh=np.True_, alive=np.True_, seed=np.uint32(lane.seed))
                for number, (lane, start) in enumerate(zip(lanes, starts, strict=True))
            }
        )
        self.total = jax.device_put(np.float32(cut.updates), program.whole)

    def arrange(self, carries: Mapping[int, Carry]) -> None:
        """Lays out the lanes of which a carry is given, wave by wave."""
        numbers = list(carries)
        waves = waves_of([self.lanes[number] for number in numbers], self.program.shape.places, self.program.shape.block)
        self.waves: list[Wave] = [[[numbers[place] for place in block] for block in wave] for wave in waves]
        self.carries: list[Carry] = [self.living(wave, carries) for wave in self.waves]
        recipes = {number: self.lanes[number].recipe for number in numbers}
        self.recipes: list[Recipe] = [self.spread(wave, recipes, self.program.recipe_shapes) for wave in self.waves]

    def stop(self, lanes: Collection[int]) -> None:
        """Trains these lanes no further, and lets the others close ranks. Nothing is compiled anew, and no bit changes."""
        lanes = [number for number in lanes if self.trained[number].stopped_after is None]
        for number in lanes:
            trained = self.trained[number]
            lost = trained.status is Status.DIVERGED
            trained.stopped_after = self.seen(number) if lost else self.updates(number)
            trained.status = Status.DIVERGED if lost else Status.OUT_OF_BUDGET
        if not lanes:
            return
        left = {number: carry for number, carry in self.held().items() if self.trained[number].status is Status.OK}
        if left:
            self.arrange(left)

    def held(self) -> dict[int, Carry]:
        """The carry of each lane that is laid out."""
        carries = jax.device_get(self.carries)
        places = {
            number: self.place(number) for number in sorted({one for wave in self.waves for block in wave for one in block})
        }
        return {
            number: tree.map(lambda leaf, at=(device, place): leaf[at], carries[wave])
            for number, (wave, device, place) in places.items()
        }

    def place(self, lane: int) -> tuple[int, int, int]:
        """The wave, the block and the place in it where a lane is."""
        wave, device = next((n, d) for n, wave in enumerate(self.waves) for d, block in enumerate(wave) if lane in block)
        return wave, device, self.waves[wave][device].index(lane)

    def spread(self, wave: Wave, trees: Mapping[int, Any], shapes: Any) -> Any:
        """The trees of a wave's lanes, stacked to (blocks, block)."""

        def stack(like: jax.ShapeDtypeStruct, *leaves: Any) -> np.ndarray:
            return np.asarray(leaves, like.dtype).reshape(like.shape)

        return tree.map(stack, shapes, *[trees[lane] for block in wave for lane in block])

    def living(self, wave: Wave, carries: Mapping[int, Carry]) -> Carry:
        """A wave's carries. Only the first place of each lane is alive: the others fill the wave and have nothing to do."""
        flat = [lane for block in wave for lane in block]
        alive = np.array([flat.index(lane) == place and bool(carries[lane].alive) for place, lane in enumerate(flat)])
        carry = self.spread(wave, carries, self.program.carry_shapes)
        return carry._replace(alive=alive.reshape(carry.alive.shape))

    def placed(self, number: int) -> tuple[Recipe, Carry]:
        """A wave on the devices. It is put there when it is called first, while the wave before it is at work."""
        if isinstance(self.carries[number].alive, np.ndarray):
            both = jax.device_put((self.recipes[number], self.carries[number]), self.program.sharding)
            self.recipes[number], self.carries[number] = both  # all at once: each call costs more than its copy
        return self.recipes[number], self.carries[number]

    def __iter__(self) -> Iterator[int]:
        while self.calls_done < self.cut.calls:
            running: list[tuple[int, Future[tuple[Carry, Round]]]] = []
            alive = [number for number, wave in enumerate(self.waves) if self.going_on(wave)]
            for number in alive:
                running.append((number, self.call(number, len(alive) == 1)))
                if len(running) > self.program.at_once:
                    self.note(*running.pop(0))
            while running:  # what one has reported is let go before the next is read
                self.note(*running.pop(0))
            self.calls_done += 1
            yield self.cut.updates_after(self.calls_done)
        for trained in self.trained:
            trained.best.finish()
            if trained.best.kept is None:
                trained.status = Status.DIVERGED

    def going_on(self, wave: Wave) -> bool:
        """Whether one of a wave's lanes is still trained."""
        return any(self.trained[lane].status is Status.OK for block in wave for lane in block)

    def call(self, number: int, alone: bool = False) -> Future[tuple[Carry, Round]]:
        """Starts one device call for a wave, while the rows of those after it are gathered."""
        data, stop = self.feed.rows(self.streams(number), self.calls_done)
        if alone:  # then it is over when it has been started
            self.look_ahead(number)
        started = self.program.start(*self.placed(number), self.total, data, stop, alone)
        if not alone:
            self.look_ahead(number)
        return started

    def look_ahead(self, number: int) -> None:
        """Begins to gather for the calls after that of a wave, unless the next one only waits to be started."""
        if number + 1 < len(self.waves) and self.feed.at_hand(self.streams(number + 1), self.calls_done):
            return
        count, place = len(self.waves), self.calls_done * len(self.waves) + number
        for coming in range(place + 1, min(place + 2 * count, self.cut.calls * count - 1) + 1):
            call, wave = divmod(coming, count)
            if not self.feed.ahead(self.streams(wave), call):
                break

    def seen(self, lane: int) -> int:
        """Steps that a lane has been given: those of its rounds."""
        stopped = self.trained[lane].stopped_after
        return self.cut.updates_after(self.calls_done) if stopped is None else stopped

    def made(self) -> int:
        """Steps of all lanes."""
        return sum(self.seen(lane) for lane in range(len(self.lanes)))

    def updates(self, lane: int) -> int:
        """Updates that a lane has made: one for each of its steps, or fewer where its optimizer pays for searches."""
        optimizer = self.lanes[lane].recipe.optimizer
        if gradients_per_step(optimizer) is not None or self.trained[lane].stopped_after is not None:
            return self.seen(lane)
        wave, device, place = self.place(lane)
        return int(searching(optimizer, self.carries[wave].state).step[device, place])

    def streams(self, number: int) -> list[tuple[int, int]]:
        """The fold and seed that each block of a wave works on."""
        return [(self.lanes[block[0]].fold, self.lanes[block[0]].seed) for block in self.waves[number]]

    def note(self, number: int, call: Future[tuple[Carry, Round]]) -> None:
        """Reads what a wave reported and keeps each lane's best round."""
        self.carries[number], rounds = call.result()
        report = jax.device_get(rounds)
        calls = self.calls_done
        ended = self.cut.rounds_after(calls + 1) - self.cut.rounds_after(calls)
        seen: set[int] = set()
        for device, block in enumerate(self.waves[number]):
            for place, lane in enumerate(block):
                trained = self.trained[lane]
                if lane in seen or trained.status is not Status.OK:
                    continue
                seen.add(lane)
                mine: Round = tree.map(lambda leaf, d=device, p=place: leaf[d, p], report)
                self.note_lane(lane, mine, max(1, ended))

    def note_lane(self, lane: int, mine: Round, rounds: int) -> None:
        """Adds a lane's rounds to its curve, or the part of one, up to the one in which it left the finite numbers."""
        trained, fold = self.trained[lane], self.folds[self.lanes[lane].fold]
        alive = np.asarray(mine.alive[:rounds])
        good = rounds if alive.all() else int(np.argmin(alive))
        if good < rounds:
            trained.status = Status.DIVERGED
            before = self.cut.updates_after(self.calls_done) + good * self.program.shape.steps
            trained.diverged_after = before + int(mine.good_steps[good])
        losses = mine.train_loss[:good].tolist()
        if mine.stop_raw is None:
            trained.parts += losses
            return
        if trained.parts:
            losses, trained.parts = [fmean([*trained.parts, loss]) for loss in losses], []
        raw = np.asarray(mine.stop_raw[:good, : len(fold.stop_y)])
        scores = self.score(self.lanes[lane].fold, raw) if good else np.zeros(0)
        trained.train_loss += losses

        def payload(index: int) -> tuple[Params, np.ndarray]:
            # Copies: what is kept must not hold on to the whole report.
            return tree.map(lambda leaf: np.array(leaf[index]), mine.params), np.array(raw[index])

        trained.best.see(scores.tolist(), mine.stop_loss[:good].tolist(), payload)


def waves_of(lanes: Sequence[Lane], places: int, block: int) -> list[Wave]:
    """Lanes in blocks that share their batches, `places` blocks in every wave.

    Places without a lane repeat one whose result is then not read twice.

    >>> def lane(fold): return Lane(None, fold, 0)
    >>> waves_of([lane(0), lane(0), lane(0), lane(1), lane(1)], places=2, block=2)
    [[[0, 1], [3, 4]], [[2, 2], [2, 2]]]
    """
    streams: dict[tuple[int, int], list[int]] = {}
    for index, lane in enumerate(lanes):
        streams.setdefault((lane.fold, lane.seed), []).append(index)
    full = []
    for number, stream in enumerate(streams.values()):
        for at in range(0, len(stream), block):
            part = stream[at : at + block]
            # As many streams side by side as there are places, one after another: each stream's rows are gathered once.
            full.append((number // places, at, part + part[-1:] * (block - len(part))))
    blocks = [part for _, _, part in sorted(full, key=lambda entry: entry[:2])]
    waves = [blocks[at : at + places] for at in range(0, len(blocks), places)]
    waves[-1] += waves[-1][-1:] * (places - len(waves[-1]))
    return waves
