"""The made-up numbers that losses and optimizer steps are timed on, and the clock for both."""

import statistics
import time
from collections.abc import Callable

import numpy as np

SHARE = 0.05  # seconds that one measurement repeats a short call for


def scores(loss: str, rows: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores and targets that every loss accepts: labels, or zeros and ones, or numbers of at least 0."""
    draw = np.random.default_rng(0)
    if classes:
        raw = 3 * draw.normal(size=(rows, classes)).astype(np.float32)
        return raw, draw.integers(0, classes, rows).astype(np.int32)
    raw = draw.normal(size=rows).astype(np.float32)
    if loss == "squared_logarithmic_error":
        raw = np.abs(raw)
    if loss in ("hinge", "perceptron", "binary_cross_entropy"):
        return raw, (draw.random(rows) < 0.5).astype(np.float32)
    return raw, np.abs(draw.normal(size=rows)).astype(np.float32)


def clock(call: Callable[[], object]) -> float:
    """Seconds of one call: a short one is repeated, a long one is made once."""
    started = time.perf_counter()
    call()
    once = time.perf_counter() - started
    if once > SHARE:
        return once
    seconds = []
    while sum(seconds) < SHARE:
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)
