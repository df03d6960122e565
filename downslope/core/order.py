"""The order of many random numbers."""

from collections.abc import Callable, Iterable
from ctypes import c_int64, c_uint64

import numpy as np

from downslope.core import native
from downslope.core.rows import pointer

HEAP = 11  # a heap has about two to this power of numbers, which stay in the core's cache


def rows_in_order(numbers: Callable[[], Iterable[np.ndarray]], rows: int) -> np.ndarray:
    """Row numbers in the order of a random number for each row, in as few bytes as will do.

    `numbers` gives them in parts, uint64, the same ones whenever it is asked. Of 64 bits the last make room for the row's own
    number: that decides a tie, of which there is hardly one in any table.

    >>> rows_in_order(lambda: [np.array([1 << 60, 1 << 62], np.uint64), np.array([1 << 61], np.uint64)], rows=3)
    array([0, 2, 1], dtype=uint8)
    """
    own, narrow, library = (1 << (rows - 1).bit_length()) - 1, np.min_scalar_type(rows), native.library()
    if library is None or narrow != np.uint32:
        return sorted_numbers(numbers, rows, np.uint64(own)).astype(narrow)
    bits = max(1, rows.bit_length() - HEAP)
    shift, heaps = 64 - bits, np.zeros(1 << bits, np.int64)
    for part in numbers():
        library.downslope_count(pointer(part), c_int64(len(part)), c_int64(shift), pointer(heaps))
    end = np.cumsum(heaps)
    place, dealt, out, row = end - heaps, np.empty(rows, np.uint64), np.empty(rows, np.uint32), 0
    for part in numbers():
        whose = c_uint64(own), c_uint64(row)
        library.downslope_deal(pointer(part), c_int64(len(part)), c_int64(shift), *whose, pointer(place), pointer(dealt))
        row += len(part)
    room, how = np.empty(heaps.max(), np.uint64), (c_int64(len(heaps)), c_int64(shift), c_uint64(own))
    library.downslope_put_in_order(pointer(dealt), pointer(end), *how, pointer(room), pointer(out))
    return out


def sorted_numbers(numbers: Callable[[], Iterable[np.ndarray]], rows: int, own: np.uint64) -> np.ndarray:
    """The same by NumPy."""
    keys, row = np.empty(rows, np.uint64), 0
    for part in numbers():
        keys[row : row + len(part)] = (part & ~own) | np.arange(row, row + len(part), dtype=np.uint64)
        row += len(part)
    keys.sort()
    keys &= own
    return keys
