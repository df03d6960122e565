"""A described table turned into what the engine trains on: fits, encoders, folds, target scales."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from downslope.comparison.labels import Labels
from downslope.core.about import Task
from downslope.data.describe import Dataset
from downslope.data.encode import Encoder, TargetScale
from downslope.data.split import TUNING, Fit, Splits
from downslope.losses.base import Loss
from downslope.training.stream import Fold, aligned

Key = tuple[bytes, bytes]


@dataclass
class Problem:
    """The rows of one comparison. Fits are numbered through: first those that tune, then those that confirm. The first tier of
    tuning uses the first of them, the second tier all.

    Fits with the same rows share one encoder and one set of arrays. All encodings are padded with zero columns to the widest,
    so that every fit runs in the same program. `asked` is what was asked of the table: columns to drop, weights, split, test.
    `blank` tells a problem from the ledger alone, whose columns are zeros.
    Without `standardize` numbers are encoded in their own units.
    """

    dataset: Dataset
    splits: Splits
    source: str = "table"
    command: str | None = None
    asked: Mapping[str, Any] = field(default_factory=dict)
    labels: Labels = Labels()
    blank: bool = False
    standardize: bool = True
    scales: dict[tuple[int, str], TargetScale] = field(default_factory=dict)

    @cached_property
    def fits(self) -> Sequence[Fit]:
        """All fits."""
        return (*self.splits.tuning, *self.splits.confirmation)

    @property
    def tuning(self) -> range:
        """Numbers of the fits on which learning rates are tuned."""
        return range(min(TUNING, len(self.splits.tuning)))

    @property
    def thorough(self) -> range:
        """Numbers of the fits on which all settings are tuned."""
        return range(len(self.splits.tuning))

    @property
    def confirmation(self) -> range:
        """Numbers of the confirmation fits."""
        return range(len(self.splits.tuning), len(self.fits))

    @cached_property
    def places(self) -> list[int]:
        """For each fit the number of its arrays: fits that train and stop on the same rows share them."""
        seen: dict[Key, int] = {}
        return [seen.setdefault((fit.train.tobytes(), fit.stop.tobytes()), len(seen)) for fit in self.fits]

    @cached_property
    def firsts(self) -> list[int]:
        """For each set of arrays the first fit that uses it."""
        return [self.places.index(place) for place in range(max(self.places) + 1)]

    @cached_property
    def encoders(self) -> list[Encoder]:
        """One for each set of arrays, fitted on its training rows alone."""
        return [Encoder.fit(self.dataset, self.fits[fit].train, self.standardize) for fit in self.firsts]

    @cached_property
    def features(self) -> int:
        """Columns after encoding, the widest fit's."""
        return max(1, *(encoder.width for encoder in self.encoders))

    def encode(self, fit: int, rows: np.ndarray) -> np.ndarray:
        """Rows as the model of a fit sees them, float32, padded to the common width."""
        x = self.encoders[self.places[fit]].transform(self.dataset.features, rows)
        missing = self.features - x.shape[1]
        return np.ascontiguousarray(np.pad(x, ((0, 0), (0, missing)))) if missing else x

    @cached_property
    def judged(self) -> dict[int, np.ndarray]:
        """The encoded judged rows of each confirmation fit."""
        return {fit: self.encode(fit, self.fits[fit].judge) for fit in self.confirmation}

    @cached_property
    def matrices(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Encoded training rows and stopping slice of each set of arrays."""
        fits = [(fit, self.fits[fit]) for fit in self.firsts]
        return [(aligned(self.encode(fit, one.train)), aligned(self.encode(fit, one.stop))) for fit, one in fits]

    def scale(self, fit: int, loss: Loss) -> TargetScale | None:
        """How a regression target is centred and scaled for a loss, learned from the training rows of a fit."""
        if self.dataset.task is not Task.REGRESSION:
            return None
        key = (self.places[fit], loss.about.target_scale)
        if key not in self.scales:
            rows = self.fits[fit].train
            self.scales[key] = TargetScale.fit(self.dataset.y[rows], self.weight(rows), loss.about.target_scale)
        return self.scales[key]

    def weight(self, rows: np.ndarray) -> np.ndarray:
        """Weights of rows, 1 where the user gave none."""
        return np.ones(len(rows)) if self.dataset.weight is None else self.dataset.weight[rows]

    def target(self, fit: int, loss: Loss, rows: np.ndarray) -> np.ndarray:
        """Targets as the loss sees them: float32, or int32 class indices for several classes."""
        y = self.dataset.y[rows]
        scale = self.scale(fit, loss)
        if self.dataset.task is Task.MULTICLASS:
            return y.astype(np.int32)
        return np.asarray(y if scale is None else scale.inward(y), np.float32)

    def folds(self, loss: Loss) -> list[Fold]:
        """The arrays that the engine trains on, for losses with this target scale."""
        out = []
        for fit, (x, stop_x) in zip(self.firsts, self.matrices, strict=True):
            train, stop = self.fits[fit].train, self.fits[fit].stop
            y, stop_y = self.target(fit, loss, train), self.target(fit, loss, stop)
            weight = self.labels.weight(self.dataset.y[train], self.weight(train), self.dataset.classes)
            out.append(Fold(x, y, weight.astype(np.float32), stop_x, stop_y, self.weight(stop).astype(np.float32)))
        return out

    def outward(self, fit: int, loss: Loss, raw: np.ndarray) -> np.ndarray:
        """Raw scores as judges read them: predictions in the target's own units for regression, else as they are."""
        scale = self.scale(fit, loss)
        return raw if scale is None else scale.outward(raw, loss.about.link)
