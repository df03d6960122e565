"""Rows in a new order, by our kernel and by NumPy's."""

import numpy as np
import pytest

from downslope.core import native
from downslope.core.rows import take


@pytest.mark.parametrize("width", [1, 2, 4, 8])
@pytest.mark.parametrize("columns", [None, 1, 2, 13, 40])
@pytest.mark.parametrize("count", [(0,), (1,), (15,), (16,), (3, 70)])
def test_rows_are_what_indexing_gives(kernels, width, columns, count):
    draw = np.random.default_rng(width)
    table = draw.normal(size=(200,) if columns is None else (200, columns)).astype(np.float32)
    wanted = draw.integers(0, 200, count).astype(f"u{width}")
    given = np.full((*count, *table.shape[1:]), np.nan, np.float32)
    assert take(table, wanted, given) is given
    np.testing.assert_array_equal(given, table[wanted])


def test_other_arrays_are_taken_as_well(kernels):
    table, wanted = np.arange(60.0).reshape(6, 10), np.array([5, 0, 3])
    for each in (table[:, ::2], table.T[::2]):
        for numbers in (wanted % len(each), (wanted % len(each)).astype(np.uint8)[::-1]):
            np.testing.assert_array_equal(take(each, numbers, np.empty((3, each.shape[1]))), each[numbers])


@pytest.mark.skipif(native.library() is None, reason="the kernels were not compiled on this machine")
def test_nothing_outside_of_the_table_is_read_or_written():
    table = np.zeros((4, 3), np.float32)
    with pytest.raises(IndexError, match="rows up to 4 of a table of 4"):
        take(table, np.array([4], np.uint8), np.empty((1, 3), np.float32))
    with pytest.raises(IndexError, match="place of"):
        take(table, np.array([1, 2], np.uint8), np.empty((1, 3), np.float32))
    with pytest.raises(IndexError, match="place of"):
        take(table, np.array([1, 2], np.uint8), np.empty((2, 6), np.float32)[:, ::2])
