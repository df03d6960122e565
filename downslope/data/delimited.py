"""Text with delimiters: CSV, TSV and their relatives, every cell read as text and every record checked."""

import csv
import io
import re
from dataclasses import dataclass

import numpy as np
import polars as pl

from downslope.core.errors import BadData
from downslope.data.structure import find_structure, read_slowly

SEPARATORS = (",", ";", "\t", "|")
SAMPLE = 1 << 16
BLOCK = 1 << 24  # bytes decoded at once, to keep the check of a large file small
CONTROL = re.compile(r"[\x00-\x1f\x7f]+")  # a line break in a column name would break every message about it
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, eq=False)
class Cells:
    """A frame of text cells with the line on which each row starts."""

    frame: pl.DataFrame
    lines: np.ndarray
    notes: tuple[str, ...]


def parse(data: bytes, source: str, most_columns: int) -> Cells:
    """The cells of a text file, or the error that names the first line on which it stops being a table."""
    data = plain_text(data, source)
    separator = sniff(data)
    names, notes = header(data, separator, source, most_columns)
    structure = find_structure(data, separator, len(names), source)
    if structure is None:
        records, lines, blank = read_slowly(data, separator, len(names), source)
        frame = pl.DataFrame(records[1:], schema=dict.fromkeys(names, pl.String), orient="row")
    else:
        lines, blank = structure.lines, structure.inner_blank
        frame = through_polars(structure.without_blank_lines(data), separator, structure.records, len(names), source)
        frame.columns = names
    if not frame.height:
        raise BadData(f"{source} has a header line and no rows; expected rows below it")
    if len(names) == 1:
        notes = (*notes, "only one column was found; cells may be separated by a comma, a semicolon, a tab or |")
    if blank:
        notes = (*notes, f"{blank} blank lines skipped")
    return Cells(frame, lines[1:], notes)


def through_polars(data: bytes, separator: str, records: int, cells: int, source: str) -> pl.DataFrame:
    """The cells below the header, as text."""
    try:
        frame = pl.read_csv(data, has_header=False, separator=separator, infer_schema=False, glob=False)
    except pl.exceptions.PanicException as panic:  # its base is BaseException: a plain except would miss it
        raise BadData(f"{source} cannot be read: the reader gave up ({str(panic)[:80]!r}); save it again as plain CSV") from None
    except (pl.exceptions.PolarsError, OSError, ValueError) as problem:
        reason = str(problem).split("\n")[0][:120]
        raise BadData(f"{source} cannot be read: {reason}; save it again as plain CSV") from None
    if frame.shape != (records, cells):
        raise BadData(
            f"{source} is not a regular table: {records} records of {cells} cells were counted, "
            f"{frame.height} of {frame.width} were read; save it again as plain CSV"
        )
    return frame.slice(1)


def plain_text(data: bytes, source: str) -> bytes:
    """UTF-8 without byte order mark and with newlines that end in a line feed; anything else is refused by its line."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise BadData(f"{source} is UTF-16, expected UTF-8; run: iconv -f UTF-16 -t UTF-8 {source} > utf8.csv")
    data = data.removeprefix(BYTE_ORDER_MARK)
    if not data[:4096].strip() and not data.strip():  # the first test spares a copy of a large file
        raise BadData(f"{source} is empty, expected a header line and rows")
    if (nul := data.find(b"\0")) >= 0:
        line = data.count(b"\n", 0, nul) + 1
        raise BadData(f"{source} has a NUL byte on line {line}, so it is a binary file or UTF-16; save it as UTF-8 text")
    for start in range(0, len(data), BLOCK):
        first = backed_up(data, start)
        try:
            data[first : backed_up(data, start + BLOCK)].decode("utf-8")
        except UnicodeDecodeError as problem:
            at = first + problem.start
            line = data.count(b"\n", 0, at) + 1
            raise BadData(
                f"{source} is not UTF-8: byte 0x{data[at]:02X} on line {line}; if it is Western European, "
                f"run: iconv -f WINDOWS-1252 -t UTF-8 {source} > utf8.csv"
            ) from None
    if b"\r" in data and b"\n" not in data:
        data = data.replace(b"\r", b"\n")
    return data


def backed_up(data: bytes, position: int) -> int:
    """The start of the character that contains a position (a character has at most four bytes)."""
    for back in range(4):
        if position - back <= 0 or position >= len(data) or data[position - back] & 0xC0 != 0x80:
            return position - back
    return position


def sniff(data: bytes) -> str:
    """The separator that cuts the first records into the most cells of equal number."""
    sample = data[:SAMPLE]
    if len(data) > SAMPLE:
        sample = sample[: sample.rfind(b"\n") + 1] or sample
    text = sample.decode("utf-8", errors="ignore")
    best, best_score = ",", (0.0, 0)
    for separator in SEPARATORS:
        try:
            widths = [
                len(record)
                for _, record in zip(range(100), csv.reader(io.StringIO(text), delimiter=separator), strict=False)
                if record
            ]
        except csv.Error:
            continue
        if not widths or widths[0] == 1:
            continue
        score = (sum(w == widths[0] for w in widths) / len(widths), widths[0])
        if score > best_score:
            best, best_score = separator, score
    return best


def header(data: bytes, separator: str, source: str, most_columns: int) -> tuple[list[str], tuple[str, ...]]:
    """Column names and what is to be said of them; names that occur twice are refused."""
    start = data[: 1 << 22].decode("utf-8", errors="ignore")
    try:
        names = next(record for record in csv.reader(io.StringIO(start), delimiter=separator) if record)
    except (csv.Error, StopIteration) as problem:
        raise BadData(f"{source}: the header line cannot be read ({problem}); expected column names") from None
    if len(names) > most_columns:
        raise BadData(f"{source} has {len(names)} columns, at most {most_columns} are read; leave out what is not needed")
    return checked_names(names, source)


def checked_names(names: list[str], source: str) -> tuple[list[str], tuple[str, ...]]:
    """Trimmed, unique names; a nameless column is called by its number.

    >>> checked_names(["", " a "], "t.csv")
    (['column 1', 'a'], ("column 1 has no name and is called 'column 1'",))
    """
    notes = []
    trimmed = [CONTROL.sub(" ", name).strip() for name in names]
    for index, name in enumerate(trimmed):
        if not name:
            trimmed[index] = f"column {index + 1}"
            notes.append(f"column {index + 1} has no name and is called 'column {index + 1}'")
    seen: dict[str, int] = {}
    for index, name in enumerate(trimmed):
        if name in seen:
            raise BadData(f"{source} has two columns called {name!r} (number {seen[name] + 1} and {index + 1}); rename one")
        seen[name] = index
    if all(is_number(name) for name in trimmed):
        notes.append("the header line holds only numbers: if the file has no column names, add a first line with names")
    return trimmed, tuple(notes)


def is_number(text: str) -> bool:
    """Whether Python reads the text as a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True
