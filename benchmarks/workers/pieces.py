"""The made-up numbers that losses and optimizer steps are timed on, and the clock for both."""

import gc
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
    """Seconds of one call: a short one is repeated, a long one is made once. Garbage is collected before, as `timeit` does."""
    gc.collect()
    gc.disable()
    try:
        seconds = [once(call)]
        while sum(seconds) < SHARE:
            seconds.append(once(call))
        return statistics.median(seconds[1:] or seconds)
    finally:
        gc.enable()


def once(call: Callable[[], object]) -> float:
    """Seconds of this call."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started
