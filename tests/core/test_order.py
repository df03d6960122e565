"""The order of random numbers, by our kernel and by NumPy's sorting."""

import numpy as np
import pytest

from downslope.core import native
from downslope.core import order as module
from downslope.core.order import HEAP, order


@pytest.fixture(params=["ours", "numpy"])
def kernels(request, monkeypatch):
    """By whose kernels."""
    if request.param == "numpy":
        monkeypatch.setattr(module.native, "library", lambda: None)
    elif native.library() is None:
        pytest.skip("the kernels were not compiled on this machine")


def truth(numbers):
    """By first bits, ties by row."""
    bits = (len(numbers) - 1).bit_length()
    return np.lexsort((np.arange(len(numbers)), numbers >> np.uint64(bits)))


@pytest.mark.parametrize("rows", [2, 3, 300, 70_000, (1 << 17) + 1])
@pytest.mark.parametrize("kind", ["random", "few values", "all equal", "falling", "largest"])
def test_rows_come_in_the_order_of_their_numbers(kernels, rows, kind):
    draw = np.random.Philox(key=rows)
    numbers = {
        "random": draw.random_raw(rows),
        "few values": draw.random_raw(rows) & np.uint64(3 << 62),
        "all equal": np.full(rows, 5, np.uint64),
        "falling": np.arange(rows, 0, -1, dtype=np.uint64) << np.uint64(40),
        "largest": np.full(rows, 2**64 - 1, np.uint64),
    }[kind]
    if kind in ("few values", "falling") and rows > 1000 and native.library() is not None:
        numbers = numbers[:1000]  # heaps are made for numbers that are random
    found = order(lambda: np.array_split(numbers, 7), len(numbers))
    np.testing.assert_array_equal(found, truth(numbers))
    assert found.dtype == np.min_scalar_type(len(numbers))


def test_each_heap_is_put_in_order_whatever_its_size(kernels):
    """Also one without a number, and one that has nearly all."""
    rows = 40 << HEAP
    numbers = np.random.Philox(key=1).random_raw(rows)
    numbers[: rows // 2] >>= np.uint64(1)
    numbers[rows // 2 : rows // 2 + 9] = np.uint64(2**64 - 1)
    np.testing.assert_array_equal(order(lambda: [numbers], rows), truth(numbers))
