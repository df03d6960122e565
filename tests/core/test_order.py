"""The order of random numbers, by our kernel and by NumPy's sorting."""

import numpy as np
import pytest

from downslope.core.order import HEAP, rows_in_order


def truth(numbers):
    """By first bits, ties by row."""
    bits = (len(numbers) - 1).bit_length()
    return np.lexsort((np.arange(len(numbers)), numbers >> np.uint64(bits)))


@pytest.mark.parametrize("rows", [2, 3, 300, 70_000, (1 << 17) + 1])
@pytest.mark.parametrize("kind", ["random", "all equal", "largest"])
def test_rows_come_in_the_order_of_their_numbers(kernels, rows, kind):
    of_kind = {"random": np.random.Philox(key=rows).random_raw, "all equal": np.ones, "largest": np.ones}
    same(of_kind[kind](rows).astype(np.uint64) * np.uint64(2**64 - 1 if kind == "largest" else 1))


@pytest.mark.parametrize("rows", [2, 300, 70_000])
def test_numbers_that_are_not_random_come_in_order_too(kernels, rows):
    same(np.random.Philox(key=rows).random_raw(rows) & np.uint64(3 << 62))
    same(np.arange(rows, 0, -1, dtype=np.uint64) << np.uint64(40))


def same(numbers):
    """The order of these numbers is the right one."""
    found = rows_in_order(lambda row, count: np.ascontiguousarray(numbers[row : row + count]), len(numbers))
    np.testing.assert_array_equal(found, truth(numbers))
    assert found.dtype == np.min_scalar_type(len(numbers))


def test_each_heap_is_put_in_order_whatever_its_size(kernels):
    """Also one without a number, and one that has nearly all."""
    rows = 40 << HEAP
    numbers = np.random.Philox(key=1).random_raw(rows)
    numbers[: rows // 2] >>= np.uint64(1)
    numbers[rows // 2 : rows // 2 + 9] = np.uint64(2**64 - 1)
    same(numbers)
