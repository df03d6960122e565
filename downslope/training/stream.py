"""Batches in the order a lane sees them: rows gathered by NumPy on the host, ahead of time."""

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache

import numpy as np

ALIGNMENT = 64
REMEMBERED_ROWS = 20_000
REMEMBERED = 300 * REMEMBERED_ROWS  # row numbers in the orders that are kept
SORTED_ROWS = 1 << 18


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


def order(rows: int, batches: int, batch: int, seed: int, epoch: int) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers `(batches, batch)` of one epoch, and their shares where all rows count the same: a pure function.

    Every row comes once; batches differ by at most one row, so no batch is tiny. Places left over repeat a row with share 0.

    >>> rows, share = order(rows=4, batches=2, batch=3, seed=0, epoch=0)
    >>> sorted(rows[share > 0].tolist()), share.tolist()
    ([0, 1, 2, 3], [[0.5, 0.5, 0.0], [0.5, 0.5, 0.0]])
    """
    return dealt(permutation(rows, seed, epoch), batches, batch, np.arange(batches))


def permutation(rows: int, seed: int, epoch: int) -> np.ndarray:
    """The row numbers of a table as one epoch shuffles them, int64.

    Beyond the cache each swap of a shuffle waits for memory, while sorting reads along. So there the rows go in the order of
    random numbers, 64 bits less those of the row's own number: that decides a tie, of which there is hardly one in any table.
    """
    draw = np.random.Philox(key=[seed, epoch])
    if rows < SORTED_ROWS:
        return np.random.Generator(draw).permutation(rows)
    bits = (rows - 1).bit_length()
    keys = draw.random_raw(rows)
    keys >>= bits
    keys <<= bits
    keys |= np.arange(rows, dtype=np.uint64)
    keys.sort()
    keys &= (1 << bits) - 1
    return keys.view(np.int64)


def dealt(shuffled: np.ndarray, batches: int, batch: int, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The batches of an epoch, or of several, whose numbers are `wanted`: what `order` says of them."""
    first, after = (wanted + step for step in (0, 1))
    first, after = first * shuffled.shape[-1] // batches, after * shuffled.shape[-1] // batches
    place = first[:, None] + np.arange(batch)[None, :]
    real = place < after[:, None]
    return shuffled[..., np.minimum(place, after[:, None] - 1)], shares(real.astype(np.float32))


def orders(rows: int, batches: int, batch: int, seed: int, first: int, epochs: int) -> tuple[np.ndarray, np.ndarray]:
    """`order` of so many epochs from the `first` on, one after another, and the shares, which are those of every epoch; kept
    where a table is small."""
    if rows > REMEMBERED_ROWS:
        return unkept(rows, batches, batch, seed, first, epochs)
    return keeping(rows * epochs)(rows, batches, batch, seed, first, epochs)


def unkept(rows: int, batches: int, batch: int, seed: int, first: int, epochs: int) -> tuple[np.ndarray, np.ndarray]:
    """What `orders` says, drawn anew; in as few bytes for each row as will do."""
    shuffled = np.stack([permutation(rows, seed, epoch) for epoch in range(first, first + epochs)])
    found, share = dealt(shuffled.astype(np.min_scalar_type(rows)), batches, batch, np.arange(batches))
    return found.reshape(-1, batch), share


@cache
def keeping(numbers: int) -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """`unkept`, kept: every contender sees the same orders again. They have room for all epochs of a small table."""
    return lru_cache(maxsize=REMEMBERED // max(1, numbers))(unkept)


def signature(train: np.ndarray, batches: int, batch: int, seed: int) -> np.ndarray:
    """What the batches of a run are recognised by: SHA-256 of the table's row numbers in the order of its first epoch, 32 bytes.

    >>> signature(np.array([4, 7, 9]), batches=2, batch=2, seed=0).tobytes().hex()[:8]
    'fa71bfe1'
    """
    rows, share = orders(len(train), batches, batch, seed, 0, 1)
    digest = hashlib.sha256(np.where(share > 0, train[rows], -1).astype("<i8").tobytes())
    return np.frombuffer(digest.digest(), np.uint8)


class Latest:
    """How each seed's last epoch shuffles a large table, kept from one device call to the next: 4 bytes for each row."""

    def __init__(self) -> None:
        self.kept: dict[tuple[int, int], tuple[int, np.ndarray]] = {}

    def permutation(self, rows: int, seed: int, epoch: int) -> np.ndarray:
        """What `permutation` gives, computed once as long as epochs follow one another."""
        known = self.kept.get((rows, seed))
        if known is None or known[0] != epoch:
            self.kept.pop((rows, seed), None)  # before the next is made
            known = epoch, permutation(rows, seed, epoch).astype(np.min_scalar_type(rows))
            self.kept[rows, seed] = known
        return known[1]


def chunk(
    fold: Fold, batches: int, batch: int, seed: int, epoch_size: int, first: int, latest: Latest | None = None
) -> tuple[np.ndarray, ...]:
    """`batches` batches from batch number `first` on, where an epoch has `epoch_size` of them: x, y, shares."""
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
        share = shares(np.where(share > 0, gathered(fold.weight, rows), np.float32(0)))
    x, y = fold.shown
    return gathered(x, rows), gathered(y, rows), share


def gathered(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """`values[rows]` in memory that begins at a multiple of 64 bytes: such an array JAX takes over, any other it copies."""
    out = memory((*rows.shape, *values.shape[1:]), values.dtype)
    return np.take(values, rows, axis=0, out=out, mode="clip")  # "clip" writes straight into `out`


def memory(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """An array that begins at a multiple of 64 bytes."""
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


def shares(weight: np.ndarray) -> np.ndarray:
    """Weights over their sum along the last axis: the one denominator there is. Without any weight all shares are 0.

    >>> shares(np.array([[1.0, 3.0], [0.0, 0.0]], np.float32)).tolist()
    [[0.25, 0.75], [0.0, 0.0]]
    """
    total = weight.sum(axis=-1, keepdims=True, dtype=np.float64)
    return (weight / np.where(total > 0, total, 1)).astype(np.float32)


def derive(*parts: int) -> int:
    """A 32-bit seed from several numbers; different parts give unrelated seeds."""
    return int(np.random.SeedSequence([part % 2**32 for part in parts]).generate_state(1)[0])
