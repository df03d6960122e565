"""Read a table from wherever it is: a file, a data frame, arrays, a dict of columns, a demo."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from downslope.core.errors import BadData
from downslope.data import delimited, frames
from downslope.data.demo import read_demo
from downslope.data.load import find_file, load_file, refuse_other_files, unpack
from downslope.data.table import Table

MOST_COLUMNS = 10_000
ENDINGS = (".gz", ".csv", ".tsv", ".txt", ".parquet", ".pq", ".arrow", ".feather", ".ipc", ".npz")


def read(source: Any, *, most_columns: int = MOST_COLUMNS) -> Table:
    """The table in `source`: a path, `"demo:diabetes"`, any data frame, a pair `(X, y)` or a dict of columns.

    >>> read("demo:iris").rows
    150
    """
    if isinstance(source, Table):
        return source
    if isinstance(source, str) and source.startswith("demo:"):
        return read_demo(source.removeprefix("demo:"))
    if isinstance(source, str | os.PathLike):
        table = read_file(find_file(source), most_columns)
    elif isinstance(source, tuple | list) and len(source) == 2 and not isinstance(source[0], str | int | float):
        frame = frames.from_pair(*source)
        table = Table("data", "the arrays X and y", frame, frames.digest_frame(frame), target=frame.columns[-1])
    elif isinstance(source, Mapping) or frames.is_frame(source):
        frame = frames.from_frame(source)
        table = Table("data", "the data frame", frame, frames.digest_frame(frame))
    elif isinstance(source, np.ndarray):
        frame = frames.from_matrix(source)
        table = Table("data", "the matrix", frame, frames.digest_frame(frame))
    else:
        raise BadData(f"cannot read a table from {type(source).__name__}; give a path, a data frame, (X, y) or a dict of columns")
    if table.frame.width > most_columns:
        raise BadData(
            f"{table.source} has {table.frame.width} columns, at most {most_columns} are read; leave out what is not needed"
        )
    if not table.rows or not table.columns:
        raise BadData(f"{table.source} has {table.rows} rows and {len(table.columns)} columns; expected some of both")
    return table


def read_file(path: Path, most_columns: int) -> Table:
    """The table in a file, whatever its format."""
    packed = load_file(path)
    digest = hashlib.sha256(packed).hexdigest()
    data = unpack(packed, path)
    source, name = str(path), plain_name(path)
    frame = frames.read_columnar(data, source)
    if frame is not None:
        return Table(name, source, frame, digest)
    if path.suffix.lower() == ".npz" and data.startswith(b"PK"):
        frame = frames.read_npz(data, source)
        return Table(name, source, frame, digest, target=frame.columns[-1])
    refuse_other_files(data, path)
    cells = delimited.parse(data, source, most_columns)
    return Table(name, source, cells.frame, digest, notes=cells.notes, lines=cells.lines)


def plain_name(path: Path) -> str:
    """The file's name without its known endings.

    >>> plain_name(Path("/data/sales.2024.csv.gz"))
    'sales.2024'
    """
    name = path.name
    while Path(name).suffix.lower() in ENDINGS and Path(name).stem:
        name = Path(name).stem
    return name


def stack(above: Table, below: Table) -> Table:
    """One table of both tables' rows, for a test part that comes in its own file. Its columns must be those of the first."""
    missing = [name for name in above.columns if name not in below.columns]
    if missing:
        raise BadData(f"{below.source} has no column {missing[0]!r}, which {above.source} has; expected the same columns")
    lower = below.frame.select(above.columns)
    if lower.schema != above.frame.schema:
        try:
            lower = lower.cast(above.frame.schema)
        except pl.exceptions.PolarsError as problem:
            raise BadData(
                f"{below.source} does not fit {above.source}: {frames.one_line(problem)}; use the same format for both"
            ) from None
    digest = hashlib.sha256((above.digest + below.digest).encode()).hexdigest()
    source = f"{above.source} with {below.source}"
    notes = (*above.notes, *below.notes)
    return Table(above.name, source, pl.concat([above.frame, lower]), digest, above.target, notes, above=above.rows)
