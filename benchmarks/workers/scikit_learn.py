"""scikit-learn's MLPClassifier with the same net, batches and epochs. It does not validate; that is left to its credit."""

import time
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from benchmarks.peer import serve, versions
from benchmarks.workers.rows import RATE, WIDTHS, rows


class ScikitLearn:
    """The made-up table."""

    def prepare(self, count: int, stop: int, columns: int, batch: int, epochs: int) -> dict:
        """Draws the rows."""
        warnings.simplefilter("ignore", ConvergenceWarning)  # the number of epochs is given
        self.x, self.y, self.stop_x, self.stop_y = rows(count, stop, columns)
        self.batch, self.epochs = batch, epochs
        return versions("scikit-learn")

    def run(self, model: str, lanes: int, threads: int) -> dict:
        """A whole fit."""
        assert lanes == 1 and model == "mlp"
        net = MLPClassifier(
            WIDTHS,
            alpha=0.0,
            batch_size=self.batch,
            learning_rate_init=RATE,
            max_iter=self.epochs,
            n_iter_no_change=self.epochs + 1,
            early_stopping=False,
            random_state=0,
        )
        with threadpool_limits(threads):
            started = time.perf_counter()
            net.fit(self.x, self.y)
            seconds = time.perf_counter() - started
        steps = net.n_iter_ * int(np.ceil(len(self.x) / self.batch))
        return {"seconds": seconds, "steps": steps, "validation": log_loss(self.stop_y, net.predict_proba(self.stop_x))}


if __name__ == "__main__":
    serve(ScikitLearn())
