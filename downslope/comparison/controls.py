"""What every contender is held against: a constant, a linear model and boosted trees, fitted on the same rows."""

import warnings
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from downslope.comparison import metrics
from downslope.comparison.calibrate import fit_calibration, probabilities
from downslope.comparison.metrics import Metric
from downslope.core.about import Task

Kind = Literal["constant", "linear", "boosted_trees"]
KINDS: tuple[Kind, ...] = ("constant", "linear", "boosted_trees")
TITLES = {"constant": "constant", "linear": "linear model", "boosted_trees": "boosted trees"}
TREES = 200
MOST_TREES = 2000  # in all; with many classes each round grows one for each of them


def control(
    kind: Kind,
    task: Task,
    x_train: np.ndarray,
    y_train: np.ndarray,
    weight: np.ndarray | None,
    x_judge: np.ndarray,
    *,
    classes: int = 2,
    metric: Metric | None = None,
    seed: int = 0,
) -> dict[str, np.ndarray]:
    """Predictions for the rows of `x_judge`, by what metrics need: `value`, or `score`, `probability` and `label`.

    Takes encoded matrices and runs on one thread, so that its numbers do not depend on how many there are. A class that is
    absent from the training rows gets probability 0.
    """
    task = Task(task)
    if weight is not None and not np.all(weight > 0):
        x_train, y_train, weight = x_train[weight > 0], y_train[weight > 0], weight[weight > 0]
    if kind == "constant" or len(np.unique(y_train)) < 2:
        return constant(task, y_train, weight, len(x_judge), classes, metric)
    from threadpoolctl import threadpool_limits

    build = {"linear": linear_model, "boosted_trees": boosted_trees}[kind]
    with threadpool_limits(limits=1), warnings.catch_warnings():
        # A reference that has not quite converged is still one; whoever reads the answer cannot do anything about it.
        warnings.simplefilter("ignore")
        return build(task, np.asarray(x_train, np.float64), y_train, weight, np.asarray(x_judge, np.float64), classes, seed)


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


def linear_model(
    task: Task, x: np.ndarray, y: np.ndarray, weight: np.ndarray | None, x_judge: np.ndarray, classes: int, seed: int
) -> dict[str, np.ndarray]:
    """Ridge or logistic regression, as one would try first."""
    from sklearn.linear_model import LogisticRegression, Ridge

    del seed
    if task is Task.REGRESSION:
        return {"value": Ridge(alpha=1.0).fit(x, y, sample_weight=weight).predict(x_judge)}
    model = LogisticRegression(max_iter=300).fit(x, y, sample_weight=weight)
    return of_classes(task, model.predict_proba, model.classes_, x_judge, classes)


def boosted_trees(
    task: Task, x: np.ndarray, y: np.ndarray, weight: np.ndarray | None, x_judge: np.ndarray, classes: int, seed: int
) -> dict[str, np.ndarray]:
    """Gradient-boosted trees on histograms: hard to beat on tables, and no gradient descent at all."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    # All rows train: where to stop early would be chosen on rows that the contenders may not train on either.
    settings: dict[str, Any] = {
        "min_samples_leaf": int(np.clip(len(x) // 20, 1, 20)),
        "early_stopping": False,
        "random_state": seed,
    }
    if task is Task.REGRESSION:
        trees = HistGradientBoostingRegressor(**settings, max_iter=TREES).fit(x, y, sample_weight=weight)
        return {"value": trees.predict(x_judge)}
    grown = 1 if task is Task.BINARY else classes
    rounds = min(TREES // 2, max(10, MOST_TREES // grown))
    trees = HistGradientBoostingClassifier(**settings, max_iter=rounds).fit(x, y, sample_weight=weight)
    return of_classes(task, trees.predict_proba, np.asarray(trees.classes_), x_judge, classes)


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


def tempered(chance: np.ndarray, first: int, y: np.ndarray, weight: np.ndarray | None) -> dict[str, np.ndarray]:
    """Probabilities of the rows after the `first` ones, softened by the temperature that those first rows, of targets `y`, want.

    Contenders get the same: trees that are too sure of themselves would otherwise look worse than they are.
    """
    scores = np.log(np.maximum(chance, metrics.TINY))
    calibration = fit_calibration(scores[:first], y, weight, "softmax", Task.MULTICLASS)
    return of_probability(Task.MULTICLASS, probabilities(scores[first:], "softmax", Task.MULTICLASS, calibration))
