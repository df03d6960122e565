"""The task metrics that judge: weighted, in NumPy, each with its direction and the kind of prediction it reads."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from downslope.core.about import Task
from downslope.core.errors import IncompatiblePair, UnknownName

Needs = Literal["value", "score", "probability", "label"]
TINY = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Metric:
    """How good predictions are: `function(y, prediction, weight)` gives one number, NaN where it has no meaning.

    `needs` says which prediction it reads: a `value`, a `score` whose order alone counts, a `probability` (of class 1 for
    binary tasks, one for each class otherwise), or a `label` (a class index). `shown` puts it beside the ranking
    metric. `asks_for` is the one number that it wants where a row's target may be one of many, if that has a plain name.
    """

    name: str
    title: str
    direction: Literal["lower", "higher"]
    tasks: tuple[Task, ...]
    needs: Needs
    function: Callable[[np.ndarray, np.ndarray, np.ndarray | None], float]
    shown: bool = True
    asks_for: str = ""

    @property
    def limits(self) -> tuple[float, float]:
        """The smallest and largest value that it can take."""
        highest = 1.0 if self.direction == "higher" or self.name == "brier" else float("inf")
        return (float("-inf") if self.name == "r2" else 0.0), highest

    @property
    def sign(self) -> int:
        """1 where lower is better, -1 where higher is: `sign * value` is a cost."""
        return 1 if self.direction == "lower" else -1


def mean(values: np.ndarray, weight: np.ndarray | None = None) -> float:
    """The weighted mean in float64; NaN where the weights sum to zero."""
    if weight is None:
        return float(np.mean(values, dtype=np.float64)) if len(values) else float("nan")
    total = float(np.sum(weight, dtype=np.float64))
    return float(np.dot(np.asarray(weight, np.float64), values) / total) if total > 0 else float("nan")


def rmse(y: np.ndarray, prediction: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Root of the mean squared error."""
    return float(np.sqrt(mean(np.square(np.subtract(y, prediction, dtype=np.float64)), weight)))


def mae(y: np.ndarray, prediction: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Mean absolute error."""
    return mean(np.abs(np.subtract(y, prediction, dtype=np.float64)), weight)


def r2(y: np.ndarray, prediction: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Share of the target's variance that is explained; NaN for a constant target."""
    spread = mean(np.square(y - mean(y, weight)), weight)
    return 1 - mean(np.square(np.subtract(y, prediction, dtype=np.float64)), weight) / spread if spread > 0 else float("nan")


def mape(y: np.ndarray, prediction: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Mean absolute error as a share of the target's size."""
    return mean(np.abs(np.subtract(y, prediction, dtype=np.float64)) / np.maximum(np.abs(y), TINY), weight)


def ranked(y: np.ndarray, score: np.ndarray, weight: np.ndarray | None) -> tuple[np.ndarray, ...]:
    """For each row in its own order: weight of class 1 and of class 0 strictly below its score, and tied with it (itself too)."""
    order = np.argsort(score, kind="stable")
    _, group = np.unique(score[order], return_inverse=True)
    heavy = np.ones(len(y)) if weight is None else np.asarray(weight, np.float64)
    out = []
    for part in (heavy * (y == 1), heavy * (y == 0)):
        tied = np.bincount(group, part[order])
        below = np.cumsum(tied) - tied
        here, under = np.empty(len(y)), np.empty(len(y))
        here[order], under[order] = tied[group], below[group]
        out += [under, here]
    return tuple(out)


def roc_auc(y: np.ndarray, prediction: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Chance that a row of class 1 scores above one of class 0, ties counting half; NaN where one class is absent."""
    heavy = np.ones(len(y)) if weight is None else np.asarray(weight, np.float64)
    ones, zeros = float(heavy[y == 1].sum()), float(heavy[y == 0].sum())
    if ones <= 0 or zeros <= 0 or not np.all(np.isfinite(prediction)):
        return float("nan")
    _, _, below, tied = ranked(y, prediction, weight)
    return float(np.dot(heavy * (y == 1), below + tied / 2) / (ones * zeros))


def average_precision(y: np.ndarray, prediction: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Mean precision at the score of each row of class 1; NaN where class 1 is absent."""
    heavy = np.ones(len(y)) if weight is None else np.asarray(weight, np.float64)
    ones, zeros = float(heavy[y == 1].sum()), float(heavy[y == 0].sum())
    if ones <= 0 or not np.all(np.isfinite(prediction)):
        return float("nan")
    ones_below, _, zeros_below, _ = ranked(y, prediction, weight)
    above = ones - ones_below
    found = (y == 1) & (heavy > 0)
    return float(np.dot(heavy[found], above[found] / (above + zeros - zeros_below)[found]) / ones)


def of_target(y: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """The probability given to each row's own class, never exactly 0 (a single certain mistake would be infinite)."""
    if probability.ndim == 1:
        own = np.where(y == 1, probability, 1 - probability)
    else:
        own = probability[np.arange(len(y)), y.astype(int)] / probability.sum(axis=1)
    smallest = np.finfo(probability.dtype).eps if probability.dtype.kind == "f" else TINY
    return np.clip(own, smallest, 1)


def log_loss(y: np.ndarray, prediction: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Mean negative logarithm of the probability given to the true class."""
    return mean(-np.log(of_target(y, prediction), dtype=np.float64), weight)


def brier(y: np.ndarray, prediction: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Mean squared distance between the probability of class 1 and what came."""
    return mean(np.square(np.subtract(y, prediction, dtype=np.float64)), weight)


def accuracy(y: np.ndarray, prediction: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Share of rows whose class was named."""
    return mean((y == prediction).astype(np.float64), weight)


def counts(y: np.ndarray, prediction: np.ndarray, weight: np.ndarray | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each class: weight of the rows named rightly, of the rows that have it, of the rows said to have it."""
    y, prediction = y.astype(int), prediction.astype(int)
    heavy = np.ones(len(y)) if weight is None else np.asarray(weight, np.float64)
    size = int(max(y.max(initial=0), prediction.max(initial=0))) + 1
    right = np.bincount(y, heavy * (y == prediction), size)
    return right, np.bincount(y, heavy, size), np.bincount(prediction, heavy, size)


def balanced_accuracy(y: np.ndarray, prediction: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Mean over the classes that occur of the share of their rows that was named."""
    right, have, _ = counts(y, prediction, weight)
    return mean(right[have > 0] / have[have > 0])


def f1_of_classes(y: np.ndarray, prediction: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
    """F1 of each class, NaN for one that neither occurs nor is named."""
    right, have, said = counts(y, prediction, weight)
    both = have + said
    return np.divide(2 * right, both, out=np.full(len(both), np.nan), where=both > 0)


def f1(y: np.ndarray, prediction: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Harmonic mean of precision and recall of class 1; NaN where class 1 neither occurs nor is named."""
    of = f1_of_classes(y, prediction, weight)
    return float(of[1]) if len(of) > 1 else float("nan")


def f1_macro(y: np.ndarray, prediction: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Mean of F1 over the classes that occur or are named."""
    of = f1_of_classes(y, prediction, weight)
    return mean(of[~np.isnan(of)])


VALUES, BINARY, CLASSES = (Task.REGRESSION,), (Task.BINARY,), (Task.BINARY, Task.MULTICLASS)

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("rmse", "RMSE", "lower", VALUES, "value", rmse, asks_for="the mean"),
        Metric("mae", "MAE", "lower", VALUES, "value", mae, asks_for="the median"),
        Metric("r2", "R²", "higher", VALUES, "value", r2, asks_for="the mean"),
        Metric("mape", "mean absolute percentage error", "lower", VALUES, "value", mape, shown=False),
        Metric("roc_auc", "ROC AUC", "higher", BINARY, "score", roc_auc),
        Metric("average_precision", "average precision", "higher", BINARY, "score", average_precision),
        Metric("log_loss", "log loss", "lower", CLASSES, "probability", log_loss),
        Metric("brier", "Brier score", "lower", BINARY, "probability", brier),
        Metric("accuracy", "accuracy", "higher", CLASSES, "label", accuracy),
        Metric("balanced_accuracy", "balanced accuracy", "higher", CLASSES, "label", balanced_accuracy),
        Metric("f1", "F1", "higher", BINARY, "label", f1),
        Metric("f1_macro", "macro F1", "higher", (Task.MULTICLASS,), "label", f1_macro),
    )
}
DEFAULTS = {Task.REGRESSION: "rmse", Task.BINARY: "roc_auc", Task.MULTICLASS: "log_loss"}
ALIASES = {"auc": "roc_auc", "ap": "average_precision", "logloss": "log_loss", "r^2": "r2", "brier_score": "brier"}


def default_metric(task: Task) -> Metric:
    """The metric that ranks when nobody names one.

    >>> default_metric(Task.REGRESSION).title
    'RMSE'
    """
    return METRICS[DEFAULTS[Task(task)]]


def shown_metrics(task: Task, ranking: Metric | None = None) -> tuple[Metric, ...]:
    """The metrics given beside each other for a task, the ranking one first.

    >>> [metric.name for metric in shown_metrics(Task.MULTICLASS)]
    ['log_loss', 'accuracy', 'balanced_accuracy', 'f1_macro']
    """
    ranking = ranking or default_metric(task)
    return (ranking, *(m for m in METRICS.values() if m.shown and task in m.tasks and m is not ranking))


def find_metric(name: str, task: Task) -> Metric:
    """The metric called `name`, which must fit the task; `f1` of several classes is its mean over them.

    >>> find_metric("AUC", Task.BINARY).name
    'roc_auc'
    """
    task = Task(task)
    plain = name.strip().lower().replace("-", "_").replace(" ", "_")
    plain = ALIASES.get(plain, plain)
    if plain == "f1" and task is Task.MULTICLASS:
        plain = "f1_macro"
    if plain not in METRICS:
        raise UnknownName.among("metric", name, [*METRICS, *ALIASES])
    if task not in METRICS[plain].tasks:
        fitting = ", ".join(m.name for m in METRICS.values() if task in m.tasks)
        raise IncompatiblePair(f"metric {plain} does not fit a {task.value} target; use one of: {fitting}")
    return METRICS[plain]
