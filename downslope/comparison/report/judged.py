"""Judged rows as plain numbers: labels and probabilities, confusion, calibration, errors, and which rows to draw."""

from collections.abc import Sequence
from typing import Any

import numpy as np

DRAWN_ROWS = 450


def probabilities(prediction: np.ndarray, task: str) -> np.ndarray | None:
    """Class probabilities `(n, k)`, `None` when the predictions are scores."""
    table = np.asarray(prediction, dtype=float)
    if task == "binary" and table.ndim == 1:
        table = np.stack([1 - table, table], axis=1)
    inside = table.ndim == 2 and table.size > 0 and np.nanmin(table) >= -1e-6 and np.nanmax(table) <= 1 + 1e-6
    return table if inside and np.allclose(table.sum(1), 1, atol=1e-3) else None


def labels(prediction: np.ndarray, task: str) -> np.ndarray:
    """Predicted class indices."""
    known = probabilities(prediction, task)
    if known is not None:
        return known.argmax(1)
    scores = np.asarray(prediction, dtype=float)
    return scores.argmax(1) if scores.ndim == 2 else (scores > 0).astype(int)


def confusion(judged: dict[str, Any], classes: Sequence[str], task: str, most: int = 12) -> tuple[list[str], np.ndarray]:
    """Names and counts, rows the truth and columns the prediction; rare classes beyond `most` are pooled."""
    target, predicted = np.asarray(judged["target"], dtype=int), labels(judged["prediction"], task)
    counts = np.zeros((len(classes), len(classes)), dtype=int)
    np.add.at(counts, (target, predicted), 1)
    if len(classes) <= most:
        return [str(name) for name in classes], counts
    kept = np.sort(np.argsort(-counts.sum(1), kind="stable")[: most - 1])
    slot = np.full(len(classes), most - 1)
    slot[kept] = np.arange(most - 1)
    pooled = np.zeros((most, most), dtype=int)
    np.add.at(pooled, (slot[target], slot[predicted]), 1)
    return [*(str(classes[i]) for i in kept), f"{len(classes) - most + 1} others"], pooled


def calibration(judged: dict[str, Any], task: str, bins: int = 10) -> dict[str, list[float]] | None:
    """Said against happened in bins of equal size, with a 95 % Wilson interval; `None` without probabilities.

    Binary: the probability of the positive class. Multiclass: the probability of the class that was predicted.
    """
    known = probabilities(judged["prediction"], task)
    if known is None or len(known) == 0:
        return None
    target = np.asarray(judged["target"], dtype=int)
    said = known[:, 1] if task == "binary" else known.max(1)
    happened = (target == 1) if task == "binary" else (known.argmax(1) == target)
    order = np.argsort(said, kind="stable")
    found: dict[str, list[float]] = {"said": [], "happened": [], "low": [], "high": [], "rows": []}
    for rows in np.array_split(order, min(bins, max(1, len(order) // 10))):
        n, share = len(rows), float(happened[rows].mean())
        middle, half = (share + 1.92 / n) / (1 + 3.84 / n), 1.96 * np.sqrt(share * (1 - share) / n + 0.96 / n**2) / (1 + 3.84 / n)
        for name, value in zip(found, (said[rows].mean(), share, middle - half, middle + half, n), strict=True):
            found[name].append(float(value))
    return found


def drawn_rows(judged: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Target and prediction of the rows that are drawn: all, or `DRAWN_ROWS` spread evenly over the sorted targets."""
    target, prediction = np.asarray(judged["target"], dtype=float), np.asarray(judged["prediction"], dtype=float)
    finite = np.flatnonzero(np.isfinite(target) & np.isfinite(prediction))
    order = finite[np.argsort(target[finite], kind="stable")]
    kept = (
        order[np.unique(np.linspace(0, len(order) - 1, min(DRAWN_ROWS, len(order))).round().astype(int))] if len(order) else order
    )
    return target[kept], prediction[kept]


def residuals(judged: dict[str, Any], bins: int = 31) -> tuple[np.ndarray, np.ndarray]:
    """Edges and counts of predicted − true, zero in the middle of the middle bin, everything beyond in the outermost bins."""
    error = np.asarray(judged["prediction"], dtype=float) - np.asarray(judged["target"], dtype=float)
    error = error[np.isfinite(error)]
    reach = float(np.quantile(np.abs(error), 0.985)) * bins / (bins - 1) if len(error) else 0.0
    edges = np.linspace(-(reach or 1.0), reach or 1.0, bins + 1)
    return edges, np.histogram(np.clip(error, edges[0], edges[-1]), edges)[0]
