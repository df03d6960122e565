"""The order of many random numbers."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from ctypes import c_int64, c_uint64
from functools import cache

import numpy as np

from downslope.core import native
from downslope.core.rows import pointer

HEAP = 11  # a heap has about two to this power of numbers, which stay in the core's cache
PART = 1 << 18  # numbers that are looked at together: they do not leave the cache either
MOST = 8  # cores that share the work

Numbers = Callable[[int, int], np.ndarray]
"""From a row and how many to a random number for each of them, uint64; whole parts are asked for, but for the last."""


def rows_in_order(numbers: Numbers, rows: int) -> np.ndarray:
    """Row numbers in the order of a random number for each row, in as few bytes as will do.

    Of 64 bits the last make room for the row's own number: that decides a tie, of which there is hardly one in any table. The
    cores share the work; the order does not depend on how many there are.

    >>> rows_in_order(lambda row, count: np.array([1 << 60, 1 << 62, 1 << 61], np.uint64)[row : row + count], rows=3)
    array([0, 2, 1], dtype=uint8)
    """
    own, narrow, library = (1 << (rows - 1).bit_length()) - 1, np.min_scalar_type(rows), native.library()
    if library is None or narrow != np.uint32:
        return sorted_numbers(numbers, rows, np.uint64(own)).astype(narrow)
    bits = max(1, rows.bit_length() - HEAP)
    shift, cores = c_int64(64 - bits), min(os.cpu_count() or 1, MOST)
    parts = np.array_split(np.arange(0, rows, PART), cores)
    dealt, out = np.empty(rows, np.uint64), np.empty(rows, np.uint32)

    def count(mine: np.ndarray) -> np.ndarray:
        heaps = np.zeros(1 << bits, np.int64)
        for row in mine.tolist():
            part = numbers(row, min(PART, rows - row))
            library.downslope_count(pointer(part), c_int64(len(part)), shift, pointer(heaps))
        return heaps

    def deal(mine: np.ndarray, place: np.ndarray) -> None:
        for row in mine.tolist():
            part = numbers(row, min(PART, rows - row))
            how = c_int64(len(part)), shift, c_uint64(own), c_uint64(row)
            library.downslope_deal(pointer(part), *how, pointer(place), pointer(dealt))

    def put_in_order(first: int, last: int) -> None:
        room, how = np.empty(heaps.max(), np.uint64), (c_int64(first), c_int64(last), shift, c_uint64(own))
        library.downslope_put_in_order(pointer(dealt), pointer(end), *how, pointer(room), pointer(out))

    counted = np.array(list(threads().map(count, parts)))
    heaps = counted.sum(0)
    end = np.cumsum(heaps)
    places = end - heaps + np.cumsum(counted, 0) - counted
    list(threads().map(deal, parts, places))
    shares = np.linspace(0, len(heaps), cores + 1).astype(int).tolist()
    list(threads().map(put_in_order, shares[:-1], shares[1:]))
    return out


@cache
def threads() -> ThreadPoolExecutor:
    """One for each core; they are kept, for new ones would take new memory."""
    return ThreadPoolExecutor(MOST, thread_name_prefix="order")


def sorted_numbers(numbers: Numbers, rows: int, own: np.uint64) -> np.ndarray:
    """The same by NumPy."""
    keys = np.empty(rows, np.uint64)
    for row in range(0, rows, PART):
        part = numbers(row, min(PART, rows - row))
        keys[row : row + len(part)] = (part & ~own) | np.arange(row, row + len(part), dtype=np.uint64)
    keys.sort()
    keys &= own
    return keys
