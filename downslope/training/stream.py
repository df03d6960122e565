"""Batches in the order a lane sees them: rows gathered by NumPy on the host, ahead of time."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from downslope.core.rows import take
from downslope.training.orders import REMEMBERED_ROWS, Latest, dealt, orders, shares

ALIGNMENT = 64
Rows = tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Fold:
    """The encoded rows of one fit: those it learns from, and the stopping slice that chooses its epoch.

    `x` is float32 `(rows, features)`, C-contiguous; `y` float32, or int32 class indices; weights are float32. Matrices that are
    `aligned` need no copy on their way to a device.
    """

    x: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    stop_x: np.ndarray
    stop_y: np.ndarray
    stop_weight: np.ndarray

    @property
    def rows(self) -> int:
        """Rows to learn from."""
        return len(self.x)

    @cached_property
    def even(self) -> bool:
        """Whether all rows count the same."""
        return bool(np.all(self.weight == 1))

    @cached_property
    def shown(self) -> tuple[np.ndarray, np.ndarray]:
        """Features and targets as the program sees them: one row that counts stands in for all that do not. Theirs might
        overflow, and 0 times infinity is not 0, neither in a loss nor in a gradient."""
        silent = self.weight == 0
        if not silent.any() or silent.all():
            return self.x, self.y
        rows = np.where(silent, np.argmin(silent), np.arange(self.rows))
        return self.x[rows], self.y[rows]


def room(fold: Fold, batches: int, batch: int) -> Rows:
    """Memory for `batches` batches: x, y, shares."""
    x, y = fold.shown
    kinds = (x.shape[1:], x.dtype), (y.shape[1:], y.dtype), ((), np.dtype(np.float32))
    return tuple(memory((batches, batch, *shape), dtype) for shape, dtype in kinds)


def chunk(
    fold: Fold,
    batches: int,
    batch: int,
    seed: int,
    epoch_size: int,
    first: int,
    latest: Latest | None = None,
    out: Rows | None = None,
) -> Rows:
    """`batches` batches from number `first` on, where an epoch has `epoch_size` of them: x, y, shares, written into `out`."""
    wanted = np.arange(first, first + batches)
    epochs = range(first // epoch_size, (first + batches - 1) // epoch_size + 1)
    if fold.rows <= REMEMBERED_ROWS:
        rows, share = orders(fold.rows, epoch_size, batch, seed, epochs.start, len(epochs))
        rows, share = rows[first % epoch_size :][:batches], share[wanted % epoch_size]
    else:
        latest, parts = latest or Latest(), []
        for epoch in epochs:
            mine = wanted[wanted // epoch_size == epoch] % epoch_size
            parts.append(dealt(latest.permutation(fold.rows, seed, epoch), epoch_size, batch, mine))
        rows, share = (np.concatenate(column) for column in zip(*parts, strict=True))
    if not fold.even:
        weight = take(fold.weight, rows, np.empty(rows.shape, fold.weight.dtype))
        share = shares(np.where(share > 0, weight, np.float32(0)))
    out = out or room(fold, batches, batch)
    for values, place in zip(fold.shown, out, strict=False):
        take(values, rows, place)
    out[2][...] = share
    return out


def memory(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """An array that begins at a multiple of 64 bytes: such an array JAX takes over, any other it copies."""
    size = math.prod(shape) * dtype.itemsize
    raw = np.empty(size + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + size].view(dtype).reshape(shape)


def aligned(values: np.ndarray) -> np.ndarray:
    """The same numbers where JAX takes them over: all devices of a CPU then read one array, not a copy each."""
    if values.ctypes.data % ALIGNMENT == 0 and values.flags.c_contiguous:
        return values
    out = memory(values.shape, values.dtype)
    np.copyto(out, values)
    return out


def whole(fold: Fold, rows: int) -> tuple[np.ndarray, ...]:
    """All rows as one batch, padded to `rows`: x, y, shares with a leading axis of 1."""
    return tuple(aligned(part)[None] for part in padded(*fold.shown, fold.weight, rows))


def padded(x: np.ndarray, y: np.ndarray, weight: np.ndarray, rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same rows with their shares, filled up to `rows` by repeating the first (its target is allowed) with share 0."""
    missing = rows - len(x)
    if missing == 0:
        return x, y, shares(weight)
    return (
        np.concatenate([x, np.repeat(x[:1], missing, axis=0)]),
        np.concatenate([y, np.repeat(y[:1], missing)]),
        shares(np.concatenate([weight, np.zeros(missing, np.float32)])),
    )
