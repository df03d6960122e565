"""The rows of one fit of a comparison, as each peer's loop gets them, and the score that chooses its epoch."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Fit:
    """Rows to learn from, a stopping slice, judged rows; predictions of a regression count in the target's units."""

    x: np.ndarray
    y: np.ndarray
    stop_x: np.ndarray
    stop_y: np.ndarray
    judge_x: np.ndarray
    judge_y: np.ndarray
    scale: np.ndarray

    def score(self, raw: np.ndarray, truth: np.ndarray) -> float:
        """Root mean squared error, or one minus the area under the ROC curve; lower is better. Ties are not averaged: that
        costs time, which is left to the peers' credit.
        """
        if len(self.scale):
            centre, scale = self.scale
            return float(np.sqrt(np.mean((raw * scale + centre - truth) ** 2)))
        place = np.empty(len(raw))
        place[np.argsort(raw)] = np.arange(1, len(raw) + 1)
        positive = truth == 1
        count = int(positive.sum())
        pairs = max(1, count * (len(raw) - count))
        return float(1 - (place[positive].sum() - count * (count + 1) / 2) / pairs)


def load(file: str) -> Fit:
    """Reads what the worker `table` wrote; x and y as float32."""
    with np.load(file) as arrays:
        held = {name: arrays[name] for name in Fit.__dataclass_fields__}
    singles = {name: held[name].astype(np.float32) for name in ("x", "y", "stop_x", "judge_x")}
    return Fit(**(held | singles))
