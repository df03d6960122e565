"""scikit-learn's linear models on the same tables: SGD one example at a time, and logistic regression by L-BFGS."""

import time
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, SGDClassifier, SGDRegressor

from benchmarks.peer import serve, versions
from benchmarks.workers.made_up import fold, steepest

SGD = {
    "binary_cross_entropy": lambda **given: SGDClassifier(loss="log_loss", **given),
    "squared_error": lambda **given: SGDRegressor(loss="squared_error", **given),
}


class ScikitLearnLinear:
    """One table."""

    def prepare(self, rows: int, stop: int, columns: int, loss: str, steep: float = 1.0) -> dict:
        """Draws the table; nothing is validated, which is left to scikit-learn's credit."""
        warnings.simplefilter("ignore", ConvergenceWarning)  # the number of epochs is given
        self.loss, self.fold = loss, fold(rows, stop, columns, loss, steep)
        return versions("scikit-learn", "scipy")

    def run(self, rate: float, epochs: int) -> dict:
        """A fit by stochastic gradient descent, one example at a time."""
        model = SGD[self.loss](
            penalty=None, learning_rate="constant", eta0=rate, max_iter=epochs, tol=None, shuffle=True, random_state=0
        )
        started = time.perf_counter()
        model.fit(self.fold.x, self.fold.y)
        return {"seconds": time.perf_counter() - started}

    def reach(self, tolerance: float) -> dict:
        """A fit by L-BFGS, how many updates it made, and the largest part of the gradient where it ended."""
        model = LogisticRegression(C=np.inf, tol=tolerance, max_iter=1000)
        started = time.perf_counter()
        model.fit(self.fold.x, self.fold.y)
        seconds = time.perf_counter() - started
        weight, bias = np.ravel(model.coef_).astype(np.float64), float(np.ravel(model.intercept_)[0])
        norm = steepest(self.fold, weight, bias)
        return {"seconds": seconds, "updates": int(model.n_iter_[0]), "norm": norm}

    def copy(self, numbers: int) -> dict:
        """Seconds for NumPy to copy so many float32 numbers."""
        source, place = np.ones(numbers, np.float32), np.zeros(numbers, np.float32)
        np.copyto(place, source)
        started = time.perf_counter()
        np.copyto(place, source)
        return {"seconds": time.perf_counter() - started}


if __name__ == "__main__":
    serve(ScikitLearnLinear())
