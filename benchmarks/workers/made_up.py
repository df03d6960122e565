"""A large made-up table, drawn part by part, so that nothing but the table itself takes memory."""

import numpy as np
from scipy.special import expit

from downslope.training.stream import Fold, memory

PART = 100_000


def table(count: int, columns: int, loss: str, steep: float = 1.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Features and targets, float32. The last column is `steep` times smaller than the first, the others in between."""
    draw = np.random.default_rng(seed)
    true = draw.normal(size=columns).astype(np.float32) / np.float32(np.sqrt(columns))
    scale = np.geomspace(1, 1 / steep, columns).astype(np.float32)
    x, y = memory((count, columns), np.dtype(np.float32)), np.empty(count, np.float32)
    for first in range(0, count, PART):
        part = slice(first, min(first + PART, count))
        draw.standard_normal(out=x[part], dtype=np.float32)
        y[part] = x[part] @ true + np.float32(0.5) * draw.standard_normal(len(y[part]), dtype=np.float32)
        x[part] *= scale
    if loss == "binary_cross_entropy":
        np.greater(y, 0, out=y, casting="unsafe")
    return x, y


def fold(count: int, stop: int, columns: int, loss: str, steep: float = 1.0) -> Fold:
    """The table as the engine takes it, with a stopping slice."""
    x, y = table(count, columns, loss, steep)
    stop_x, stop_y = table(stop, columns, loss, steep, seed=0)
    return Fold(x, y, np.ones(count, np.float32), stop_x, stop_y, np.ones(stop, np.float32))


def steepest(rows: Fold, weight: np.ndarray, bias: float) -> float:
    """The largest part of the gradient of the mean binary cross-entropy, in float64, part by part."""
    total = np.zeros(rows.x.shape[1] + 1)
    for first in range(0, rows.rows, PART):
        x, y = rows.x[first : first + PART].astype(np.float64), rows.y[first : first + PART]
        error = expit(x @ weight + bias) - y
        total += np.append(x.T @ error, error.sum())
    return float(np.abs(total / rows.rows).max())
