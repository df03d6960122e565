"""Which rows come in which batch: an order for each seed and epoch, the same for every contender."""

import hashlib
from collections.abc import Callable
from functools import cache, lru_cache
from threading import Lock

import numpy as np

from downslope.core.order import rows_in_order

REMEMBERED_ROWS = 20_000
REMEMBERED = 300 * REMEMBERED_ROWS  # row numbers in the orders that are kept
SORTED_ROWS = 1 << 18
PHILOX = 4  # numbers that it draws at a time


def order(rows: int, batches: int, batch: int, seed: int, epoch: int, epochs: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers `(epochs * batches, batch)` from one epoch on, and their shares where all rows count the same,
    `(batches, batch)`, which are those of every epoch: a pure function.

    Every row comes once; batches differ by at most one row, so no batch is tiny. Places left over repeat a row with share 0.

    >>> rows, share = order(rows=4, batches=2, batch=3, seed=0, epoch=0)
    >>> sorted(rows[share > 0].tolist()), share.tolist()
    ([0, 1, 2, 3], [[0.5, 0.5, 0.0], [0.5, 0.5, 0.0]])
    """
    shuffled = np.stack([permutation(rows, seed, each) for each in range(epoch, epoch + epochs)])
    found, share = dealt(shuffled, batches, batch, np.arange(batches))
    return found.reshape(-1, batch), share


def permutation(rows: int, seed: int, epoch: int) -> np.ndarray:
    """The row numbers of a table as one epoch shuffles them, in as few bytes each as will do.

    Beyond the cache each swap of a shuffle waits for memory. So there the rows go in the order of random numbers.
    """
    if rows < SORTED_ROWS:
        draw = np.random.Generator(np.random.Philox(key=[seed, epoch]))
        return draw.permutation(rows).astype(np.min_scalar_type(rows))

    def numbers(row: int, count: int) -> np.ndarray:
        return np.random.Philox(key=[seed, epoch]).advance(row // PHILOX).random_raw(count)

    return rows_in_order(numbers, rows)


def dealt(shuffled: np.ndarray, batches: int, batch: int, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The batches of an epoch, or of several, whose numbers are `wanted`: what `order` says of them."""
    first, after = (each * shuffled.shape[-1] // batches for each in (wanted, wanted + 1))
    place, real = first[:, None] + np.arange(batch), int((after - first).min())  # the rows that each batch has
    share = np.repeat((1 / (after - first)).astype(np.float32)[:, None], batch, axis=1)
    share[:, real:][place[:, real:] >= after[:, None]] = 0
    np.minimum(place[:, real:], after[:, None] - 1, out=place[:, real:])
    return shuffled[..., place], share


def orders(rows: int, batches: int, batch: int, seed: int, first: int, epochs: int) -> tuple[np.ndarray, np.ndarray]:
    """`order` of so many epochs from the `first` on; of a small table they are kept, since every contender sees them again."""
    found = keeping(rows * epochs) if rows <= REMEMBERED_ROWS else order
    return found(rows, batches, batch, seed, first, epochs)


@cache
def keeping(numbers: int) -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """`order`, kept, where each answer has so many row numbers: there is room for all epochs of a small table."""
    return lru_cache(maxsize=REMEMBERED // max(1, numbers))(order)


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
        self.lock = Lock()

    def permutation(self, rows: int, seed: int, epoch: int) -> np.ndarray:
        """What `permutation` gives, computed once as long as epochs follow one another."""
        with self.lock:
            known = self.kept.get((rows, seed))
            if known is None or known[0] != epoch:
                self.kept.pop((rows, seed), None)  # before the next is made
                known = epoch, permutation(rows, seed, epoch)
                self.kept[rows, seed] = known
            return known[1]


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
