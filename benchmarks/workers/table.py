"""Writes the encoded rows of one fit of a comparison, so that a peer trains on the very same numbers."""

import numpy as np

from benchmarks.peer import serve
from downslope.comparison.problem import Problem
from downslope.data.describe import describe
from downslope.data.read import read
from downslope.data.split import split
from downslope.losses import BinaryCrossEntropy, SquaredError


class Table:
    """A comparison's data, as it stands before anything is trained."""

    def write(self, table: str, target: str, file: str) -> dict:
        """Rows to learn from, stopping slice and judged rows of the first fit that judges; of a regression or two classes."""
        dataset = describe(read(table), target)
        problem = Problem(dataset, split(dataset, seed=0))
        loss = SquaredError() if str(dataset.task) == "regression" else BinaryCrossEntropy()
        fit = problem.confirmation[0]
        rows, fold = problem.fits[fit], problem.folds(loss)[problem.places[fit]]
        scale = problem.scale(fit, loss)
        np.savez(
            file,
            x=fold.x,
            y=fold.y,
            stop_x=fold.stop_x,
            stop_y=dataset.y[rows.stop],
            judge_x=problem.judged[fit],
            judge_y=dataset.y[rows.judge],
            scale=np.array([] if scale is None else [scale.centre, scale.scale]),
        )
        return {"train": len(fold.x), "stop": len(fold.stop_x), "judge": len(rows.judge), "features": fold.x.shape[1]}


if __name__ == "__main__":
    serve(Table())
