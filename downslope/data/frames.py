"""Tables that already have types: columnar files, data frames of any library, array pairs, dicts of columns."""

import hashlib
import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from downslope.core.errors import BadData
from downslope.data.load import LARGEST_RATIO
from downslope.data.probe import refuse_what_kills

STARTS = {b"PAR1": "parquet", b"ARROW1": "arrow", b"\xff\xff\xff\xff": "stream"}
LARGEST_SURPRISE = 1 << 30  # bytes a small file may unfold to, if it unfolds beyond the ratio


def read_columnar(data: bytes, source: str) -> pl.DataFrame | None:
    """The frame in a Parquet or Arrow file; `None` for other bytes."""
    if data.startswith(b"FEA1"):
        raise BadData(f"{source} is an old Feather file (version 1); write it again as Feather 2 or Parquet")
    kind = next((kind for start, kind in STARTS.items() if data.startswith(start)), None)
    if kind is None:
        return None
    try:
        if kind == "parquet":
            refuse_parquet_bomb(data, source)
        refuse_what_kills(data, kind, source)
        if kind == "parquet":
            return pl.read_parquet(io.BytesIO(data))
        return pl.read_ipc(io.BytesIO(data)) if kind == "arrow" else pl.read_ipc_stream(io.BytesIO(data))
    except pl.exceptions.PanicException as panic:  # its base is BaseException: a plain except would miss it
        raise BadData(f"{source} is damaged: the reader gave up ({str(panic)[:80]!r}); write it again") from None
    except (pl.exceptions.PolarsError, OSError, ValueError, MemoryError) as problem:
        raise BadData(f"{source} is damaged: {one_line(problem)}; write it again") from None


def refuse_parquet_bomb(data: bytes, source: str) -> None:
    """An error when the file claims far more cells than its bytes make likely."""
    lazy = pl.scan_parquet(io.BytesIO(data))
    refuse_bomb(source, len(data), lazy.select(pl.len()).collect().item(), len(lazy.collect_schema()))


def refuse_bomb(source: str, size: int, rows: int, columns: int) -> None:
    """An error when so many cells cannot come from so few bytes without being a trap."""
    claimed = 8 * rows * columns
    if claimed > max(LARGEST_SURPRISE, LARGEST_RATIO * size):
        raise BadData(f"{source} unfolds to more than {LARGEST_RATIO} times its size ({claimed >> 20} MB); refused")


def read_npz(data: bytes, source: str) -> pl.DataFrame:
    """The frame of a NumPy archive with the arrays X and y."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unfolded = sum(info.file_size for info in archive.infolist())
        if unfolded > max(LARGEST_RATIO * len(data), 16 << 20):
            raise BadData(f"{source} unfolds to more than {LARGEST_RATIO} times its size; refused")
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            if not {"X", "y"} <= set(arrays.files):
                found = ", ".join(arrays.files) or "nothing"
                raise BadData(f"{source} holds {found}, expected the arrays X and y; save it with numpy.savez(file, X=X, y=y)")
            X, y = arrays["X"], arrays["y"]
    except (zipfile.BadZipFile, ValueError, OSError, KeyError, EOFError, NotImplementedError, MemoryError) as problem:
        raise BadData(
            f"{source} cannot be read: {one_line(problem)}; save plain arrays with numpy.savez(file, X=X, y=y)"
        ) from None
    return from_pair(X, y)


def from_pair(X: Any, y: Any) -> pl.DataFrame:
    """The columns of X, named x0, x1, … if they have no names, and y as the last one."""
    target = np.asarray(y) if not hasattr(y, "to_list") else np.asarray(y.to_list())
    if target.ndim == 2 and target.shape[1] == 1:
        target = target[:, 0]
    if target.ndim != 1:
        raise BadData(f"y has shape {target.shape}, expected one value for each row")
    frame = from_frame(X) if is_frame(X) or isinstance(X, Mapping) else from_matrix(X)
    if frame.height != len(target):
        raise BadData(f"X has {frame.height} rows and y has {len(target)}; expected the same number")
    name = "y"
    while name in frame.columns:
        name += "_"
    return frame.with_columns(from_values(name, target))


def from_matrix(X: Any) -> pl.DataFrame:
    """The columns of a matrix."""
    if hasattr(X, "toarray"):
        raise BadData("X is a sparse matrix, expected a dense one; give X.toarray()")
    try:
        matrix = np.asarray(X)
    except ValueError as problem:
        raise BadData(f"X is not a matrix: {one_line(problem)}; expected rows of equal length") from None
    if matrix.ndim != 2:
        raise BadData(f"X has shape {matrix.shape}, expected rows × columns")
    return pl.DataFrame([from_values(f"x{index}", matrix[:, index]) for index in range(matrix.shape[1])])


def is_frame(source: Any) -> bool:
    """Whether any supported library made this data frame."""
    return nw.dependencies.is_into_dataframe(source) or isinstance(source, pl.LazyFrame)


def from_frame(source: Any) -> pl.DataFrame:
    """A polars frame of the same columns, from a data frame of any library or a mapping of names to columns."""
    if isinstance(source, pl.LazyFrame):
        source = source.collect()
    if isinstance(source, Mapping):
        columns = {str(name): from_values(str(name), values) for name, values in source.items()}
        lengths = {name: len(values) for name, values in columns.items()}
        if len(set(lengths.values())) > 1:
            raise BadData(
                f"columns differ in length ({', '.join(f'{n}: {k}' for n, k in list(lengths.items())[:5])}); expected one length"
            )
        return pl.DataFrame(columns)
    names = [str(name) for name in source.columns] if hasattr(source, "columns") else []
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if twice:
        raise BadData(f"the data frame has two columns called {twice[0]!r}; rename one")
    try:
        frame = nw.from_native(source, eager_only=True)
        return frame.to_polars()
    except Exception:  # columns of mixed Python objects: taken one by one below
        return pl.DataFrame([from_values(str(name), list(source[name])) for name in source.columns])


def from_values(name: str, values: Any) -> pl.Series:
    """One column from any sequence; mixed objects become text."""
    if isinstance(values, pl.Series):
        return values.alias(name)
    if hasattr(values, "to_numpy") and not isinstance(values, np.ndarray):
        values = values.to_numpy()
    if not isinstance(values, np.ndarray | Sequence) or isinstance(values, str):
        raise BadData(f"column {name!r} is {type(values).__name__}, expected a sequence of values")
    if isinstance(values, np.ndarray):
        if values.ndim != 1:
            raise BadData(f"column {name!r} has shape {values.shape}, expected one value for each row")
        if values.dtype.kind in "biufM" and values.dtype.itemsize <= 8:
            small = values.astype(np.float32) if values.dtype == np.float16 else values
            return pl.Series(name, np.ascontiguousarray(small))
        values = values.tolist()
    try:
        return pl.Series(name, values, strict=True)
    except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError):
        return pl.Series(name, [None if is_missing(value) else str(value) for value in values], dtype=pl.String)


def is_missing(value: Any) -> bool:
    """None, NaN, and the not-a-values of data frames, which differ from themselves or refuse to say."""
    if value is None:
        return True
    try:
        return bool(value != value)
    except (TypeError, ValueError):
        return True


def digest_frame(frame: pl.DataFrame) -> str:
    """A hash of names, types and values that does not depend on how the frame lies in memory."""
    total = hashlib.sha256()
    for column in frame:
        total.update(f"{column.name}\0{column.dtype}\0{len(column)}\0".encode())
        total.update(np.packbits(column.is_null().to_numpy()).tobytes())
        if column.dtype.is_numeric() and not column.dtype.is_decimal():
            total.update(np.ascontiguousarray(column.fill_null(0).to_numpy()).tobytes())
        elif column.dtype.is_temporal():
            total.update(np.ascontiguousarray(column.to_physical().fill_null(0).to_numpy()).tobytes())
        else:
            text = as_text(column).fill_null("")
            total.update(np.ascontiguousarray(text.str.len_bytes().to_numpy()).tobytes())
            total.update("".join(text.to_list()).encode())
    return total.hexdigest()


def as_text(column: pl.Series) -> pl.Series:
    """Any column as text."""
    try:
        return column.cast(pl.String)
    except pl.exceptions.PolarsError:
        return pl.Series(column.name, [None if value is None else str(value) for value in column.to_list()], dtype=pl.String)


def one_line(problem: BaseException) -> str:
    """The first line of what a library says."""
    return (str(problem).strip() or type(problem).__name__).split("\n")[0][:120]
