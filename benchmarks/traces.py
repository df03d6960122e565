"""Keeps what real runs contribute to their score, so that the ranking can be tried on them: one contender under many names.

The names differ in their initial weights and batch orders alone. `python -m benchmarks.traces` writes `traces.npz` anew: an array
`(names, runs, rows)` and the judged rows `(runs, rows)` for folds and for a single split.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from downslope.comparison import metrics
from downslope.comparison.alike import alike
from downslope.comparison.contender import Contender, contender
from downslope.comparison.judge import Court
from downslope.comparison.ledger import Ledger
from downslope.comparison.problem import Problem
from downslope.comparison.run import Runner
from downslope.data.describe import describe
from downslope.data.read import read
from downslope.data.split import split
from downslope.losses import catalogue as losses
from downslope.models import catalogue as models
from downslope.optimizers import catalogue as optimizers
from downslope.training.orders import derive

FILE = Path(__file__).parent / "traces.npz"
TABLES = {"folds": ("diabetes", "squared_error"), "single": ("breast_cancer", "binary_cross_entropy")}
NAMES = 32


class Lucky(Runner):
    """A runner in which each name has luck of its own."""

    def lane_seed(self, contender: Contender, fit: int) -> int:
        """Initial weights and batch order of a name."""
        return derive(self.seed, self.problem.fits[fit].seed, 1 + int(contender.id))


def problem_of(layout: str, table: str) -> Problem:
    """The rows of a demo table, judged in folds, or always the same rows."""
    dataset = describe(read(f"demo:{table}"))
    splits = split(dataset)
    if layout == "single":
        first = splits.confirmation[0]
        splits = replace(
            splits, scheme="single", confirmation=tuple(replace(first, seed=one.seed) for one in splits.confirmation)
        )
    return Problem(dataset, splits)


def traced(layout: str) -> tuple[np.ndarray, np.ndarray]:
    """What each judged row of each run of each name contributes, and which rows were judged."""
    table, loss = TABLES[layout]
    problem = problem_of(layout, table)
    task = problem.dataset.task
    metric = metrics.find_metric("rmse" if layout == "folds" else "log_loss", task)
    one = contender(losses[loss](), optimizers["sgd"](learning_rate=0.1), 32, task=task, batch=32, draws=1)
    named = [replace(one, id=str(number)) for number in range(NAMES)]
    court = Court(problem, metric, [metric], 0)
    with TemporaryDirectory() as place, Ledger(Path(place)) as ledger:
        options = {"metric": metric, "model": models.make("mlp(widths=[16])"), "alike": alike("linear", None, None)}
        runner = Lucky(problem, named, ledger, penalty=None, epochs=10, seed=0, margin=0.01, **options)
        for each in named:
            runner.bundle(each, "confirmation", [(0.1, fit) for fit in problem.confirmation])
        runner.close()
        found = [court.contender(each.loss, each.id, ledger.runs(each.id, "confirmation")).contributions for each in named]
    rows = [problem.fits[fit].judge for fit in problem.confirmation]
    least = min(len(each) for each in rows)
    return np.array([[run[:least] for run in runs] for runs in found], np.float16), np.array([each[:least] for each in rows])


def stored() -> Mapping[str, np.ndarray]:
    """The file: `folds`, `folds rows`, `single`, `single rows`."""
    with np.load(FILE) as arrays:
        return {name: np.asarray(arrays[name], float if "rows" not in name else int) for name in arrays.files}


def main() -> None:
    """Writes the file anew."""
    arrays = {}
    for layout in TABLES:
        arrays[layout], rows = traced(layout)
        arrays[f"{layout} rows"] = rows.astype(np.int16)
    np.savez_compressed(FILE, **arrays)


if __name__ == "__main__":
    main()
