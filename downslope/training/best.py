"""Keep the best epoch of a run while it runs: its scores, and the parameters that gave them."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class Best:
    """Sees a run's epochs, some at a time, and keeps the best.

    Best is by score (lower is better), ties by loss. With `smooth` 3 an epoch counts by the mean of itself and its two
    neighbours, because scores of labels jump; then the last epoch seen waits for the next.
    """

    smooth: int = 1
    scores: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    epoch: int = -1
    kept: Any = None
    waiting: Any = None
    value: tuple[float, float] = (np.inf, np.inf)

    def see(self, scores: Sequence[float], losses: Sequence[float], payload: Callable[[int], Any]) -> None:
        """The next epochs. `payload(i)` is what to keep of the i-th of them; it is asked for no others."""
        first = len(self.scores)
        self.scores += [float(score) for score in scores]
        self.losses += [float(loss) for loss in losses]
        ready = len(self.scores) - (self.smooth == 3)
        for epoch in range(max(0, first - (self.smooth == 3)), ready):
            self.judge(epoch)
        if self.epoch >= first:
            self.kept = payload(self.epoch - first)
        elif self.epoch == first - 1 and self.waiting is not None:
            self.kept = self.waiting
        if self.smooth == 3 and len(scores):
            self.waiting = payload(len(scores) - 1)

    def finish(self) -> None:
        """No epoch follows."""
        if self.smooth == 3 and self.waiting is not None:
            self.judge(len(self.scores) - 1)
            if self.epoch == len(self.scores) - 1:
                self.kept = self.waiting
        self.waiting = None

    def judge(self, epoch: int) -> None:
        """Remembers an epoch that is better than all before."""
        score = self.scores[epoch]
        if self.smooth == 3:
            score = float(np.mean(self.scores[max(0, epoch - 1) : epoch + 2]))
        # Where the metric has no value (one class in the slice) the loss decides; a number that is not finite never wins.
        value = (score if math.isfinite(score) else math.inf, self.losses[epoch])
        if math.isfinite(value[1]) and value < self.value:
            self.epoch, self.value = epoch, value
