"""What every contender is held against: a constant, a linear model and boosted trees, fitted on the same rows."""

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np

from downslope.comparison import metrics
from downslope.comparison.calibrate import fit_calibration, probabilities
from downslope.comparison.later import MODELS, bring
from downslope.comparison.ledger import Run
from downslope.comparison.metrics import Metric
from downslope.core.about import Task

Result = TypeVar("Result")
Kind = Literal["constant", "linear", "boosted_trees"]
KINDS: tuple[Kind, ...] = ("constant", "linear", "boosted_trees")
TITLES = {"constant": "constant", "linear": "linear model", "boosted_trees": "boosted trees"}
MOST_ROUNDS = 1000
PATIENCE = 10  # rounds without a better loss on the stopping slice, after which no more trees grow
FEW = 50_000  # numbers to learn from; trees grow on fewer mostly by Python's own work, in which threads wait for each other


class Rows(NamedTuple):
    """Encoded rows with their targets and, where the user gave them, weights."""

    x: np.ndarray
    y: np.ndarray
    weight: np.ndarray | None = None

    def only(self, which: np.ndarray) -> "Rows":
        """Some of the rows."""
        return Rows(self.x[which], self.y[which], None if self.weight is None else self.weight[which])

    def weighing(self) -> "Rows":
        """The rows that count."""
        return self if self.weight is None or np.all(self.weight > 0) else self.only(self.weight > 0)

    def together(self, other: "Rows") -> "Rows":
        """These rows and the other ones."""
        weight = None if self.weight is None or other.weight is None else np.concatenate([self.weight, other.weight])
        return Rows(np.concatenate([self.x, other.x]), np.concatenate([self.y, other.y]), weight)


class Job(NamedTuple):
    """A control to fit: which, for which fit, and all that it needs to know of the table."""

    kind: Kind
    fit: int
    task: Task
    train: Rows
    stop: Rows
    x_judge: np.ndarray
    classes: int
    metric: Metric
    seed: int


def fitted(job: Job) -> Run:
    """A control on a fit, as the ledger keeps it."""
    started = time.monotonic()
    known = {"classes": job.classes, "metric": job.metric, "seed": job.seed}
    prediction = control(job.kind, job.task, job.train, job.stop, job.x_judge, **known)
    arrays = {need: np.ascontiguousarray(values) for need, values in prediction.items()}
    seconds = time.monotonic() - started
    return Run(f"control {job.kind}", "control", 0.0, job.fit, 0, "ok", None, -1, None, 0, arrays, seconds)


def all_fitted(jobs: Sequence[Job]) -> list[Run]:
    """Several controls, one after another."""
    return list(side_by_side(fitted, [(job,) for job in jobs], 1))


def control(
    kind: Kind,
    task: Task,
    train: Rows,
    stop: Rows,
    x_judge: np.ndarray,
    *,
    classes: int = 2,
    metric: Metric | None = None,
    seed: int = 0,
) -> dict[str, np.ndarray]:
    """Predictions for the rows of `x_judge`, by what metrics need: `value`, or `score`, `probability` and `label`.

    `stop` is the contenders' stopping slice: trees stop growing by it, what has nothing to choose learns from it too.
    A class that is absent from the rows it learns from gets probability 0.
    """
    task, train, stop = Task(task), train.weighing(), stop.weighing()
    if kind != "boosted_trees":
        train = train.together(stop)
    if kind == "constant" or len(np.unique(train.y)) < 2:
        return constant(task, train.y, train.weight, len(x_judge), classes, metric)
    if kind == "linear":
        return linear_model(task, train, x_judge, classes)
    return boosted_trees(task, train, stop, x_judge, classes, seed)


def at_once(numbers: int) -> int:
    """How many references are fitted at once where each learns from so many numbers, rows times columns."""
    from downslope.training import devices  # brings JAX, which whoever only fits does without

    return devices.cores() if numbers >= FEW else 1


def side_by_side(work: Callable[..., Result], jobs: Sequence[tuple[Any, ...]], workers: int) -> Iterator[Result]:
    """The results of the jobs in their order, so many at once, each on one thread.

    So the numbers do not depend on how many cores there are.
    """
    from threadpoolctl import threadpool_limits

    if not jobs:
        return  # nothing to import anything for
    bring(*MODELS)  # before the threads, which each import what they need
    one = partial(threadpool_limits, limits=1)  # OpenMP keeps its limit for each thread, BLAS for all of them
    with one(), warnings.catch_warnings(), ThreadPoolExecutor(workers, initializer=one) as pool:
        # A reference that has not quite converged is still one; whoever reads the answer cannot do anything about it.
        warnings.simplefilter("ignore")
        yield from pool.map(lambda job: work(*job), jobs)


def constant(
    task: Task, y: np.ndarray, weight: np.ndarray | None, rows: int, classes: int, metric: Metric | None
) -> dict[str, np.ndarray]:
    """The best that can be said without features: the mean (the median where absolute errors count), or each class's share."""
    heavy = np.ones(len(y)) if weight is None else np.asarray(weight, np.float64)
    if task is Task.REGRESSION:
        middle = median(y, heavy) if metric is not None and metric.name == "mae" else float(np.average(y, weights=heavy))
        return {"value": np.full(rows, middle)}
    share = np.bincount(y.astype(int), heavy, classes) / heavy.sum()
    return of_probability(task, np.tile(share, (rows, 1)))


def median(y: np.ndarray, weight: np.ndarray) -> float:
    """The weighted median: the middle of the values at which half of the weight is reached."""
    order = np.argsort(y)
    reached = np.cumsum(weight[order]) / weight.sum()
    lower, upper = np.searchsorted(reached, 0.5 - 1e-12), np.searchsorted(reached, 0.5 + 1e-12)
    return float((y[order][lower] + y[order][min(upper, len(y) - 1)]) / 2)


def linear_model(task: Task, train: Rows, x_judge: np.ndarray, classes: int) -> dict[str, np.ndarray]:
    """Ridge or logistic regression, as one would try first."""
    from sklearn.linear_model import LogisticRegression, Ridge

    x, x_judge = np.asarray(train.x, np.float64), np.asarray(x_judge, np.float64)
    if task is Task.REGRESSION:
        return {"value": Ridge(alpha=1.0).fit(x, train.y, sample_weight=train.weight).predict(x_judge)}
    model = LogisticRegression(max_iter=300).fit(x, train.y, sample_weight=train.weight)
    return of_classes(task, model.predict_proba, model.classes_, x_judge, classes)


def boosted_trees(task: Task, train: Rows, stop: Rows, x_judge: np.ndarray, classes: int, seed: int) -> dict[str, np.ndarray]:
    """Gradient-boosted trees on histograms: hard to beat on tables, and no gradient descent at all."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    settings: dict[str, Any] = {
        "min_samples_leaf": int(np.clip(len(train.y) // 20, 1, 20)),
        "l2_regularization": 1.0,  # without it, a leaf with a few rows of a rare class takes a step without measure
        "max_iter": MOST_ROUNDS,
        "n_iter_no_change": PATIENCE,
        "early_stopping": True,
        "random_state": seed,
    }
    if task is not Task.REGRESSION:
        stop = stop.only(np.isin(stop.y, train.y))  # the trees do not know the other classes
    if len(stop.y) == 0:
        stop = train
    watched = {"X_val": stop.x, "y_val": stop.y, "sample_weight_val": stop.weight}
    if task is Task.REGRESSION:
        trees = HistGradientBoostingRegressor(**settings).fit(train.x, train.y, train.weight, **watched)
        return {"value": trees.predict(x_judge)}
    trees = HistGradientBoostingClassifier(**settings).fit(train.x, train.y, train.weight, **watched)
    known = np.asarray(trees.classes_)
    chance = of_classes(task, trees.predict_proba, known, np.concatenate([stop.x, x_judge]), classes)
    if task is Task.BINARY:
        return {need: values[len(stop.y) :] for need, values in chance.items()}
    return tempered(chance["probability"], stop)


def of_classes(
    task: Task, predict: Callable[[np.ndarray], np.ndarray], known: np.ndarray, x_judge: np.ndarray, classes: int
) -> dict[str, np.ndarray]:
    """Predictions over all classes from a model that has seen the `known` ones."""
    out = np.zeros((len(x_judge), classes))
    out[:, known.astype(int)] = predict(x_judge)
    return of_probability(task, out)


def of_probability(task: Task, chance: np.ndarray) -> dict[str, np.ndarray]:
    """What metrics read, from one probability for each class."""
    label = chance.argmax(axis=1)
    if task is Task.BINARY:
        return {"score": chance[:, 1], "probability": chance[:, 1], "label": label}
    return {"score": chance, "probability": chance, "label": label}


def tempered(chance: np.ndarray, first: Rows) -> dict[str, np.ndarray]:
    """Probabilities of the rows after the `first` ones, softened by the temperature that those first rows want.

    Contenders get the same: trees that are too sure of themselves would otherwise look worse than they are.
    """
    scores, count = np.log(np.maximum(chance, metrics.TINY)), len(first.y)
    calibration = fit_calibration(scores[:count], first.y, first.weight, "softmax", Task.MULTICLASS)
    soft = probabilities(scores[count:], "softmax", Task.MULTICLASS, calibration)
    return of_probability(Task.MULTICLASS, np.where(chance[count:] > 0, soft, 0))
