"""From raw scores to task metrics: each epoch's score, and what the judged rows say."""

from collections.abc import Mapping, Sequence

import numpy as np

from downslope.comparison import metrics
from downslope.comparison.calibrate import Calibration, fit_platt, fit_steepness, probabilities, shares
from downslope.comparison.metrics import Metric
from downslope.core import links
from downslope.core.about import Task

LARGEST_LOG = -float(np.log(metrics.TINY))  # the metric's own limit for a certain mistake
ELEMENTS = 1 << 20
WILDEST = 1e18  # a raw score beyond this squares to infinity in float32: the run has lost its way


def epoch_scores(
    metric: Metric, task: Task, link: str, raw: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None
) -> np.ndarray:
    """The metric at each epoch from `(epochs, n)` or `(epochs, n, k)` scores on the stopping slice; NaN where it has no value.

    Probabilities are calibrated on the same rows, one epoch at a time, as they will be for the epoch that is kept.
    """
    raw = np.asarray(raw)
    finite = (np.abs(raw) < WILDEST).all(axis=tuple(range(1, raw.ndim)))
    out = np.full(len(raw), np.nan)
    empty = raw.shape[1] == 0 or (weight is not None and np.sum(weight) <= 0)
    if finite.any() and not empty:
        out[finite] = finite_scores(metric, Task(task), link, raw if finite.all() else raw[finite], np.asarray(y), weight)
    return out


def finite_scores(metric: Metric, task: Task, link: str, raw: np.ndarray, y: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
    """`epoch_scores` for scores that are all finite; the usual metrics are computed for all epochs at once."""
    if task is Task.REGRESSION:
        values = raw if raw.ndim == 2 else raw[:, :, 0]  # a loss with a second score (a spread) predicts by its first
        if metric.name == "rmse":
            return np.sqrt(np.square(np.subtract(values, y, dtype=np.float64)) @ shares(weight, len(y)))
        return np.array([metric.function(y, value, weight) for value in values])
    if metric.name == "roc_auc":
        return auc_of_epochs(raw, y, weight)
    if metric.needs == "score":
        return np.array([metric.function(y, score, weight) for score in raw])
    if metric.needs == "label":
        labels = raw > 0 if task is Task.BINARY else raw.argmax(axis=2)
        return np.array([metric.function(y, label.astype(np.int64), weight) for label in labels])
    if task is Task.MULTICLASS:
        # Few epochs at a time where classes are many: the work needs several copies of the scores.
        some = max(1, ELEMENTS // raw[0].size)
        return np.concatenate([log_loss_of_epochs(raw[i : i + some], y, weight) for i in range(0, len(raw), some)])
    if link != "sigmoid":
        slope, offset = fit_platt(raw.astype(np.float64), y, weight)
        raw = slope[:, None] * raw + offset[:, None]
    if metric.name == "log_loss":
        away = np.where(y == 1, -raw, raw)  # log(1 + exp(away)) is the loss of a row
        loss = np.maximum(away, 0) + np.log1p(np.exp(-np.abs(away)))
        return np.minimum(loss, LARGEST_LOG) @ shares(weight, len(y))
    return np.array([metric.function(y, chance, weight) for chance in links.apply("sigmoid", raw)])


def auc_of_epochs(raw: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
    """ROC AUC of each row of `raw`, ties counting half: for each row of class 1 those of class 0 with a lower score.

    Each class is sorted for itself, and one looked up in the other. Without weights numbers are sorted, not places, and counted.
    """
    one, zero = y == 1, y == 0
    heavy = np.ones(len(y)) if weight is None else np.asarray(weight, np.float64)
    ones, zeros = heavy[one], heavy[zero]
    if ones.sum() <= 0 or zeros.sum() <= 0:
        return np.full(len(raw), np.nan)
    below, good = np.arange(len(zeros) + 1.0), np.empty(len(raw))
    for epoch, scores in enumerate(raw):
        low, high, own = scores[zero], scores[one], ones
        if weight is None:
            low.sort()
            high.sort()
        else:
            order, places = np.argsort(low), np.argsort(high)
            low, high, own = low[order], high[places], ones[places]
            below = np.concatenate([[0.0], np.cumsum(zeros[order])])
        good[epoch] = own @ (below[np.searchsorted(low, high)] + below[np.searchsorted(low, high, side="right")]) / 2
    return good / (ones.sum() * zeros.sum())


def log_loss_of_epochs(raw: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
    """Log loss of each epoch of `(epochs, n, k)` scores after one temperature fitted for each."""
    scaled = np.moveaxis(raw * fit_steepness(raw, y, weight)[:, None, None].astype(raw.dtype), 2, 0)
    scaled = np.ascontiguousarray(scaled)
    scaled -= scaled.max(axis=0)
    own = scaled[y.astype(np.int64), np.arange(len(raw))[:, None], np.arange(len(y))]
    loss = np.log(np.exp(scaled).sum(axis=0)) - own
    return np.minimum(loss, LARGEST_LOG) @ shares(weight, len(y))


def predictions(raw: np.ndarray, link: str, task: Task, calibration: Calibration | None = None) -> dict[str, np.ndarray]:
    """What metrics read, by what they need: value; or score, label and, where the scores give them, probability."""
    task = Task(task)
    raw = np.asarray(raw)
    if task is Task.REGRESSION:
        return {"value": np.asarray(raw if raw.ndim == 1 else raw[:, 0], np.float64)}
    labels = raw > 0 if task is Task.BINARY else raw.argmax(axis=1)
    out = {"score": raw, "label": labels.astype(np.int64)}
    if calibration is not None or link in ("sigmoid", "softmax"):
        chance = probabilities(raw, link, task, calibration)
        out["probability"] = chance
        if task is Task.BINARY:  # after Platt, the labels that belong to the probabilities
            out["label"] = (chance > 0.5).astype(np.int64)
    return out


def judge(
    shown: Sequence[Metric],
    task: Task,
    link: str,
    raw: np.ndarray,
    y: np.ndarray,
    weight: np.ndarray | None = None,
    calibration: Calibration | None = None,
) -> dict[str, float]:
    """Every shown metric on the judged rows; NaN where one has no meaning there."""
    return judge_predictions(shown, predictions(raw, link, task, calibration), y, weight)


def judge_predictions(
    shown: Sequence[Metric], prediction: Mapping[str, np.ndarray], y: np.ndarray, weight: np.ndarray | None = None
) -> dict[str, float]:
    """Every shown metric from predictions of any origin; NaN where one has no meaning or its kind of prediction is missing."""
    out = {}
    for metric in shown:
        given = prediction.get(metric.needs)
        usable = given is not None and len(y) > 0 and bool(np.all(np.isfinite(given)))
        out[metric.name] = metric.function(y, given, weight) if usable and given is not None else float("nan")
    return out
