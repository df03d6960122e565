"""Our engine on linear models and large tables: mini-batches, single examples, all rows at once."""

import resource
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from benchmarks.peer import serve, versions
from benchmarks.workers.made_up import fold, steepest
from downslope.losses import catalogue as losses
from downslope.models import Linear
from downslope.optimizers import catalogue as optimizers
from downslope.schedules import Constant
from downslope.training import devices
from downslope.training.lanes import Bundle, Lane
from downslope.training.program import Round
from downslope.training.step import Recipe
from downslope.training.trainer import Trainer

SPREAD = 1.2  # between the rates of neighbouring lanes


def peak() -> int:
    """The most memory that this process has held, bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class OursLinear:
    """One table, any number of runs on it."""

    def prepare(self, rows: int, stop: int, columns: int, loss: str, steep: float = 1.0) -> dict:
        """Draws the table."""
        devices.offer()
        self.compiler = ThreadPoolExecutor(1)
        self.loss = losses[loss]()
        self.fold = fold(rows, stop, columns, loss, steep)
        return versions("downslope", "jax", "jaxlib", "numpy")

    def bundle(self, optimizer: str, rate: float, batch: int, epochs: int, lanes: int) -> Bundle:
        """Runs that differ in their rates, compiled and ready; a batch of 0 means all rows."""
        trainer = Trainer([self.fold], Linear(), epochs, False, self.compiler)
        rates = [rate / SPREAD**place for place in range(lanes)]
        made = [Recipe(self.loss, optimizers[optimizer](learning_rate=each), Constant(), None, Linear()) for each in rates]
        score = lambda _, raw: np.zeros(len(raw))  # noqa: E731 - the loss decides
        return trainer.bundle([Lane(recipe, 0, 0) for recipe in made], batch or None, 2, score)

    def run(self, **settings: Any) -> dict:
        """Seconds of the loop: rows gathered, steps made, the stopping slice looked at after each epoch."""
        bundle = self.bundle(**settings)
        started = time.perf_counter()
        for _ in bundle:
            pass
        seconds = time.perf_counter() - started
        fold = self.fold
        data = sum(part.nbytes for part in (fold.x, fold.y, fold.weight, fold.stop_x, fold.stop_y, fold.stop_weight))
        best = min(bundle.trained[0].best.losses)
        return {"seconds": seconds, "steps": bundle.made(), "validation": best, "peak": peak(), "data": data}

    def reach(self, most: int, norm: float) -> dict:
        """How many gradients L-BFGS looks at until the largest part of the gradient is at most `norm`; then the seconds of a
        run of so many."""
        bundle = self.bundle("lbfgs", 1.0, 0, most, 1)
        keep, layers = bundle.note_lane, []

        def note(lane: int, mine: Round, rounds: int) -> None:
            layer = mine.params["layers"][0]
            layers.extend((layer["weight"][at, :, 0].copy(), float(layer["bias"][at, 0])) for at in range(rounds))
            keep(lane, mine, rounds)

        bundle.note_lane = note
        for _ in bundle:
            pass
        slopes = []
        for at, layer in enumerate(layers):
            slopes.append(slopes[-1] if at and np.array_equal(layer[0], layers[at - 1][0]) else steepest(self.fold, *layer))
            if slopes[-1] <= norm:
                timed = self.run(optimizer="lbfgs", rate=1.0, batch=0, epochs=at + 1, lanes=1)
                return {"gradients": at + 1, "seconds": timed["seconds"], "norm": slopes[-1]}
        return {"gradients": most, "seconds": None, "norm": min(slopes)}


if __name__ == "__main__":
    serve(OursLinear())
