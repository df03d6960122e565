"""What each judged row adds to a metric, to first order, so that drawing rows again needs no second pass over the predictions."""

import numpy as np

from downslope.comparison import metrics
from downslope.comparison.metrics import Metric


def contributions(metric: Metric, y: np.ndarray, prediction: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
    """One number for each row, `(n,)`; their plain mean is the metric, and its mean over rows drawn again is, to first order,
    the metric on those rows. NaN throughout where the metric has no value.

    A mean's rows contribute themselves; a ratio's and a root's their linear part; ROC AUC's the placement of each row among the
    other class (DeLong, DeLong and Clarke-Pearson, 1988); average precision's its derivative by the weight of a row.
    """
    value = metric.function(y, prediction, weight)
    if not np.isfinite(value):
        return np.full(len(y), np.nan)
    heavy = np.ones(len(y)) if weight is None else np.asarray(weight, np.float64)
    return value + INFLUENCE[metric.name](y, prediction, heavy / heavy.mean(), value)


def of_mean(rows: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Influence of each row on a weighted mean; weights have mean 1."""
    return weight * (rows - np.mean(weight * rows))


def of_ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Influence of each row on the ratio of two means."""
    bottom = below.mean()
    return (above - above.mean() / bottom * below) / bottom


def squares(y: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Squared error of each row."""
    return np.square(np.subtract(y, prediction, dtype=np.float64))


def rmse(y: np.ndarray, prediction: np.ndarray, weight: np.ndarray, value: float) -> np.ndarray:
    """A root: its derivative by the mean under it."""
    return of_mean(squares(y, prediction), weight) / (2 * value) if value > 0 else np.zeros(len(y))


def mae(y: np.ndarray, prediction: np.ndarray, weight: np.ndarray, value: float) -> np.ndarray:
    """A mean."""
    return of_mean(np.abs(np.subtract(y, prediction, dtype=np.float64)), weight)


def r2(y: np.ndarray, prediction: np.ndarray, weight: np.ndarray, value: float) -> np.ndarray:
    """One minus a ratio of two means."""
    # The mean of the target is where the spread is smallest, so its own movement counts to second order only.
    return -of_ratio(weight * squares(y, prediction), weight * np.square(y - np.mean(weight * y)))


def mape(y: np.ndarray, prediction: np.ndarray, weight: np.ndarray, value: float) -> np.ndarray:
    """A mean."""
    return of_mean(np.abs(np.subtract(y, prediction, dtype=np.float64)) / np.maximum(np.abs(y), metrics.TINY), weight)


def roc_auc(y: np.ndarray, prediction: np.ndarray, weight: np.ndarray, value: float) -> np.ndarray:
    """Placement of each row among the rows of the other class."""
    ones_below, ones_tied, zeros_below, zeros_tied = metrics.ranked(y, prediction, weight)
    ones, zeros = weight[y == 1].sum(), weight[y == 0].sum()
    beaten = (zeros_below + zeros_tied / 2) / zeros
    beating = (ones - ones_below - ones_tied / 2) / ones
    return len(y) * weight * np.where(y == 1, (beaten - value) / ones, (beating - value) / zeros)


def average_precision(y: np.ndarray, prediction: np.ndarray, weight: np.ndarray, value: float) -> np.ndarray:
    """A row counts by its own precision and by what it does to that of the rows below it."""
    ones_below, ones_tied, zeros_below, _ = metrics.ranked(y, prediction, weight)
    ones = weight[y == 1].sum()
    above = weight.sum() - ones_below - zeros_below
    above = np.where(above > 1e-9, above, 1.0)  # a row of weight 0 above all others: nothing counts it
    precision = (ones - ones_below) / above
    # A row changes the precision at every score not above its own; both sums run over the rows of class 1 there.
    order = np.argsort(prediction, kind="stable")
    _, group = np.unique(prediction[order], return_inverse=True)
    counted = weight * (y == 1)
    sums = []
    for part in (counted / above, counted * precision / above):
        up_to = np.empty(len(y))
        up_to[order] = np.cumsum(np.bincount(group, part[order]))[group]
        sums.append(up_to)
    hit = (y == 1).astype(np.float64)
    return len(y) * weight * (hit * (precision - value) + hit * sums[0] - sums[1]) / ones


def log_loss(y: np.ndarray, prediction: np.ndarray, weight: np.ndarray, value: float) -> np.ndarray:
    """A mean."""
    return of_mean(-np.log(metrics.of_target(y, prediction), dtype=np.float64), weight)


def brier(y: np.ndarray, prediction: np.ndarray, weight: np.ndarray, value: float) -> np.ndarray:
    """A mean."""
    return of_mean(squares(y, prediction), weight)


def accuracy(y: np.ndarray, prediction: np.ndarray, weight: np.ndarray, value: float) -> np.ndarray:
    """A mean."""
    return of_mean((y == prediction).astype(np.float64), weight)


def balanced_accuracy(y: np.ndarray, prediction: np.ndarray, weight: np.ndarray, value: float) -> np.ndarray:
    """A mean of ratios, one for each class that occurs."""
    present = np.unique(y[weight > 0])
    return np.mean([of_ratio(weight * ((y == c) & (prediction == c)), weight * (y == c)) for c in present], axis=0)


def f1_of(y: np.ndarray, prediction: np.ndarray, weight: np.ndarray, label: int) -> np.ndarray:
    """A ratio: rows named rightly, twice, among rows that have the class or are said to have it."""
    return of_ratio(2 * weight * ((y == label) & (prediction == label)), weight * (1.0 * (y == label) + (prediction == label)))


def f1(y: np.ndarray, prediction: np.ndarray, weight: np.ndarray, value: float) -> np.ndarray:
    """The ratio of class 1."""
    return f1_of(y, prediction, weight, 1)


def f1_macro(y: np.ndarray, prediction: np.ndarray, weight: np.ndarray, value: float) -> np.ndarray:
    """A mean of ratios, one for each class that occurs or is named."""
    present = np.union1d(y[weight > 0], prediction[weight > 0])
    return np.mean([f1_of(y, prediction, weight, int(c)) for c in present], axis=0)


INFLUENCE = {
    "rmse": rmse,
    "mae": mae,
    "r2": r2,
    "mape": mape,
    "roc_auc": roc_auc,
    "average_precision": average_precision,
    "log_loss": log_loss,
    "brier": brier,
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
    "f1": f1,
    "f1_macro": f1_macro,
}
