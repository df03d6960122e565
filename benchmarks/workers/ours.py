"""Our engine, driven as a comparison drives it."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.peer import serve, versions
from benchmarks.workers.rows import RATE, SIDE, WIDTHS, product_rate, rows
from downslope.losses import BinaryCrossEntropy
from downslope.models import Linear, Mlp
from downslope.optimizers import Adam
from downslope.schedules import Constant
from downslope.training import devices
from downslope.training.lanes import Lane
from downslope.training.layout import Layout
from downslope.training.step import Recipe
from downslope.training.stream import Fold
from downslope.training.trainer import Trainer

CALLS, NOTES = "calling the program", "waiting for it, keeping the best"


def timed(function: Callable[..., Any], parts: dict[str, float], name: str) -> Callable[..., Any]:
    """The function, its seconds added up under a name."""
    parts[name] = 0.0

    def wrapped(*arguments: Any) -> Any:
        started = time.perf_counter()
        try:
            return function(*arguments)
        finally:
            parts[name] += time.perf_counter() - started

    return wrapped


class Ours:
    """One trainer for each model."""

    def card(self) -> dict:
        """The device that JAX uses, in words."""
        devices.offer()
        return {"platform": jax.default_backend(), "name": jax.devices()[0].device_kind}

    def prepare(
        self,
        count: int,
        stop: int,
        columns: int,
        batch: int,
        epochs: int,
        widths: Sequence[int] = WIDTHS,
        layout: Sequence[int] | None = None,
    ) -> dict:
        """Draws the rows. A `layout`, blocks and lanes of each, takes the place of the one for this kind of device."""
        devices.offer()
        self.models = {"linear": Linear(), "mlp": Mlp(widths=tuple(widths))}
        x, y, stop_x, stop_y = rows(count, stop, columns)
        fold = Fold(x, y, np.ones(count, np.float32), stop_x, stop_y, np.ones(stop, np.float32))
        compiler = ThreadPoolExecutor(1)
        forced = None if layout is None else Layout(layout[0], layout[1], step_seconds=1e-4, multiply_adds_per_second=5e12)
        self.trainers = {
            name: Trainer([fold], model, epochs, False, compiler, forced=forced) for name, model in self.models.items()
        }
        self.batch = batch
        return versions("downslope", "jax", "jaxlib", "numpy")

    def recipe(self, model: str, rate: float) -> Recipe:
        """What is trained."""
        return Recipe(BinaryCrossEntropy(), Adam(learning_rate=rate), Constant(), None, self.models[model])

    def compile(self, model: str, lanes: int) -> dict:
        """Seconds to trace and compile; any number of lanes shares the program."""
        del lanes
        started = time.perf_counter()
        self.trainers[model].program(self.recipe(model, RATE), 1, self.batch).result()
        return {"seconds": time.perf_counter() - started}

    def product(self, side: int = SIDE) -> dict:
        """Operations a second of one large matrix product: float32 on all cores; on a card as JAX does it there, through TF32."""
        left, right = (jax.random.uniform(jax.random.key(seed), (side, side)) for seed in (0, 1))
        multiply = jax.jit(jnp.matmul).lower(left, right).compile()
        return {"rate": product_rate(lambda: multiply(left, right).block_until_ready(), side)}

    def run(self, model: str, lanes: int, threads: int) -> dict:
        """A whole loop. Many lanes are learning rates on two seeds, as in a comparison's tuning."""
        del threads  # one device for each core does that work
        trainer = self.trainers[model]
        started = time.perf_counter()
        rates = [RATE] if lanes == 1 else RATE * np.geomspace(0.3, 3, lanes // 2)
        wanted = [Lane(self.recipe(model, float(rate)), 0, seed) for seed in range(min(2, lanes)) for rate in rates]

        def score(place: int, raw: np.ndarray) -> np.ndarray:
            return np.mean((raw > 0) != (trainer.folds[place].stop_y == 1), axis=1)

        bundle = trainer.bundle(wanted, self.batch, 2, score)
        parts = {"initial weights": time.perf_counter() - started}
        bundle.feed.rows = timed(bundle.feed.rows, parts, "gathering rows")
        bundle.score = timed(bundle.score, parts, "scoring")
        bundle.call = timed(bundle.call, parts, CALLS)
        bundle.note = timed(bundle.note, parts, NOTES)
        for _ in bundle:
            pass
        seconds = time.perf_counter() - started
        parts[CALLS] -= parts["gathering rows"]  # these happen in there
        parts[NOTES] -= parts["scoring"]
        validation = float(np.median([min(lane.best.losses) for lane in bundle.trained]))
        return {"seconds": seconds, "steps": bundle.cut.updates, "validation": validation, "parts": parts}


if __name__ == "__main__":
    serve(Ours())
