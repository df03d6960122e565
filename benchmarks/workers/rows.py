"""The made-up table that every peer learns from: two classes with a bent border between them."""

import time
from collections.abc import Callable

import numpy as np

RATE = 3e-3
SIDE = 2048  # of a large matrix product
WIDTHS = (64, 64)


def rows(count: int, stop: int, columns: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Features and labels to learn from, then those to validate on, all float32."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(count + stop, columns))
    hidden = x @ draw.normal(size=columns) / np.sqrt(columns) + 0.5 * np.abs(x[:, 0]) * x[:, 1]
    y = hidden + 0.3 * draw.normal(size=count + stop) > 0
    x, y = x.astype(np.float32), y.astype(np.float32)
    return x[:count], y[:count], x[count:], y[count:]


def product_rate(product: Callable[[], object], side: int = SIDE) -> float:
    """Operations a second of a product of two square matrices, the best of some turns."""
    seconds = []
    for _ in range(8):
        started = time.perf_counter()
        product()
        seconds.append(time.perf_counter() - started)
    return 2 * side**3 / min(seconds)
