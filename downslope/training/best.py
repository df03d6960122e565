"""Keep the best epoch of a run while it runs: its scores, and the parameters that gave them."""

from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np


@dataclass
class Best:
    """Sees one epoch after another and keeps the best.

    Best is by `score` (lower is better), ties by `loss`. With `smooth` 3 an epoch counts by the mean of itself and its two
    neighbours, because scores of labels jump; then an epoch is judged when the next has been seen.
    """

    smooth: int = 1
    scores: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    epoch: int = -1
    kept: Any = None
    waiting: Any = None
    value: tuple[float, float] = (np.inf, np.inf)

    def see(self, score: float, loss: float, payload: Any) -> None:
        """The next epoch. `payload` is kept if it turns out best; a score that is not a number never is."""
        self.scores.append(float(score))
        self.losses.append(float(loss))
        if self.smooth == 1:
            self.judge(len(self.scores) - 1, payload)
            return
        if self.waiting is not None:
            self.judge(len(self.scores) - 2, self.waiting)
        self.waiting = payload

    def finish(self) -> None:
        """No epoch follows."""
        if self.waiting is not None:
            self.judge(len(self.scores) - 1, self.waiting)
            self.waiting = None

    def own(self) -> None:
        """Copies what is kept out of the larger arrays it is a view of, so that those can go."""
        self.kept, self.waiting = (jax.tree.map(np.array, held) for held in (self.kept, self.waiting))

    def judge(self, epoch: int, payload: Any) -> None:
        """Keeps `payload` if its epoch is better than all before."""
        near = self.scores[max(0, epoch - 1) : epoch + 2] if self.smooth == 3 else [self.scores[epoch]]
        score = float(np.mean(near))
        # Where the metric has no value (one class in the slice) the loss decides; a number that is not finite never wins.
        value = (score if np.isfinite(score) else np.inf, self.losses[epoch])
        if np.isfinite(value[1]) and value < self.value:
            self.epoch, self.kept, self.value = epoch, payload, value
