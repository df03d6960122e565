"""Small problems for the engine: a regression whose rows are drawn once."""

from concurrent.futures import ThreadPoolExecutor

import jax
import numpy as np

from downslope.losses import Huber, SquaredError
from downslope.models import Linear, Mlp
from downslope.optimizers import Adam
from downslope.schedules import Linear as LinearSchedule
from downslope.training.lanes import Bundle, Lane
from downslope.training.step import Recipe
from downslope.training.stream import Fold
from downslope.training.trainer import Trainer

COMPILER = ThreadPoolExecutor(1)


def fold(rows: int = 60, stop: int = 20, columns: int = 3, seed: int = 0) -> Fold:
    """Rows of a noisy bend."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(rows + stop, columns)).astype(np.float32)
    y = (x[:, 0] - np.abs(x[:, 1]) + 0.1 * draw.normal(size=rows + stop)).astype(np.float32)
    one = np.ones(rows + stop, np.float32)
    return Fold(x[:rows], y[:rows], one[:rows], x[rows:], y[rows:], one[rows:])


def trainer(model=None, folds=None, epochs: int = 4, pieces: int = 1) -> Trainer:
    """A trainer over some folds."""
    return Trainer(folds or [fold(), fold(seed=1)], model or Mlp(widths=(8,)), epochs, False, COMPILER, pieces)


def recipe(rate: float = 0.01, optimizer=None, loss=None, model=None, penalty=None) -> Recipe:
    """Adam on Huber's loss where nothing else is said."""
    return Recipe(loss or Huber(), optimizer or Adam(learning_rate=rate), LinearSchedule(), penalty, model or Mlp(widths=(8,)))


def rmse_of(train: Trainer):
    """The score of a regression: root mean squared error on the stopping slice."""

    def score(place: int, raw: np.ndarray) -> np.ndarray:
        return np.sqrt(np.mean((raw.astype(np.float64) - train.folds[place].stop_y) ** 2, axis=1))

    return score


def run(train: Trainer, lanes: list[Lane], batch: int | None = 16, smooth: int = 1) -> Bundle:
    """A bundle, run to its end."""
    bundle = train.bundle(lanes, batch, None, rmse_of(train), smooth)
    for _ in bundle:
        pass
    return bundle


def bits(trained) -> bytes:
    """All that a lane came to, as bytes."""
    leaves = [np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(trained.best.kept)]
    return b"".join([*leaves, np.array(trained.train_loss).tobytes(), np.array(trained.best.scores).tobytes()])


__all__ = ["COMPILER", "Lane", "Linear", "Mlp", "SquaredError", "bits", "fold", "recipe", "rmse_of", "run", "trainer"]
