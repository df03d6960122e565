"""Rows of a table in a new order."""

import ctypes

import numpy as np

from downslope.core import native


def take(table: np.ndarray, rows: np.ndarray, out: np.ndarray) -> np.ndarray:
    """Writes `table[rows]` into `out` and gives it back. Both are C-contiguous; row numbers count from 0 and have no sign.

    >>> take(np.arange(6.0).reshape(3, 2), np.array([2, 0], np.uint8), np.empty((2, 2)))
    array([[4., 5.],
           [0., 1.]])
    """
    library, ours = native.library(), table.flags.c_contiguous and rows.flags.c_contiguous and rows.dtype.kind == "u"
    if library is None or not ours or not rows.size:
        return np.take(table, rows, axis=0, out=out, mode="clip")  # "clip" writes straight into `out`
    if rows.max() >= len(table) or out.nbytes != rows.size * table.strides[0] or not out.flags.c_contiguous:
        raise IndexError(f"rows up to {rows.max()} of a table of {len(table)} for a place of {out.shape}")
    size, width, count = (ctypes.c_int64(each) for each in (table.strides[0], rows.itemsize, rows.size))
    library.downslope_take(pointer(table), size, pointer(rows), width, count, pointer(out))
    return out


def pointer(values: np.ndarray) -> ctypes.c_void_p:
    """Where an array lies."""
    return ctypes.c_void_p(values.ctypes.data)
