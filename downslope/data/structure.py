"""The records of a delimited text: where each starts, how many cells it has, and the first line on which that goes wrong.

Readers repair what does not fit: they fill short rows with nothing and rename columns. So the shape is checked before.
"""

import csv
import io
from dataclasses import dataclass

import numpy as np

from downslope.core.errors import BadData

QUOTE, NEWLINE, RETURN = 0x22, 0x0A, 0x0D


@dataclass(frozen=True, eq=False)
class Structure:
    """The line each record starts on, blank ones left out, and the spans of the blank lines."""

    lines: np.ndarray
    blank_spans: np.ndarray
    inner_blank: int

    @property
    def records(self) -> int:
        """How many records there are, the header among them."""
        return len(self.lines)

    def without_blank_lines(self, data: bytes) -> bytes:
        """The text with its blank lines cut out."""
        pieces, position = [], 0
        for start, stop in self.blank_spans.tolist():
            pieces.append(data[position:start])
            position = stop
        return b"".join([*pieces, data[position:]]) if pieces else data


def find_structure(data: bytes, separator: str, cells: int, source: str) -> Structure | None:
    """The structure of a text whose records must all have this many cells; `None` if its quotation marks need a full parser."""
    raw = np.frombuffer(data, np.uint8)
    newlines = np.flatnonzero(raw == NEWLINE)
    ends = newlines
    separators = np.flatnonzero(raw == ord(separator))
    quotes = np.flatnonzero(raw == QUOTE)
    if len(quotes):
        if not well_quoted(raw, quotes, ord(separator)):
            return None
        ends = newlines[np.searchsorted(quotes, newlines) % 2 == 0]
        separators = separators[np.searchsorted(quotes, separators) % 2 == 0]
    if not len(ends) or ends[-1] != len(raw) - 1:
        ends = np.append(ends, len(raw))
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - starts
    blank = (lengths == 0) | ((lengths == 1) & (raw[np.minimum(starts, len(raw) - 1)] == RETURN))
    widths = np.diff(np.searchsorted(separators, np.append(starts, len(raw)))) + 1
    lines = np.searchsorted(newlines, starts) + 1
    refuse_ragged(widths[~blank], lines[~blank], cells, source)
    spans = np.stack([starts[blank], np.minimum(ends[blank] + 1, len(raw))], axis=1)
    last = np.flatnonzero(~blank)[-1]  # blank lines after it are how many editors close a file
    return Structure(lines[~blank], spans, int(blank[:last].sum()))


def refuse_ragged(widths: np.ndarray, lines: np.ndarray, cells: int, source: str) -> None:
    """An error that names the first record with too few or too many cells."""
    wrong = np.flatnonzero(widths != cells)
    if len(wrong):
        more = f" ({len(wrong)} such lines)" if len(wrong) > 1 else ""
        raise BadData(
            f"{source}: line {lines[wrong[0]]} has {widths[wrong[0]]} cells, the header has {cells}{more}; "
            "repair the line, or put cells that contain the separator in quotation marks"
        )


def well_quoted(raw: np.ndarray, quotes: np.ndarray, separator: int) -> bool:
    """Whether each quotation mark opens a cell, closes one, or is doubled inside one, so that pairs tell in from out."""
    if len(quotes) % 2:
        return False
    opening, closing = quotes[::2], quotes[1::2]
    before = np.where(opening == 0, NEWLINE, raw[opening - 1])
    after = np.where(closing + 1 >= len(raw), NEWLINE, raw[np.minimum(closing + 1, len(raw) - 1)])
    opens_cell = (before == separator) | (before == NEWLINE) | (before == QUOTE)
    closes_cell = (after == separator) | (after == NEWLINE) | (after == RETURN) | (after == QUOTE)
    return bool(opens_cell.all() and closes_cell.all())


def read_slowly(data: bytes, separator: str, cells: int, source: str) -> tuple[list[list[str]], np.ndarray, int]:
    """Records, their lines and the number of blank lines between them, for texts like `12" pipe` where pairs tell nothing."""
    reader = csv.reader(io.StringIO(data.decode("utf-8"), newline=""), delimiter=separator, strict=True)
    records: list[list[str]] = []
    lines: list[int] = []
    start, blank, inner = 1, 0, 0
    try:
        for record in reader:
            if record:
                records.append(record)
                lines.append(start)
                inner = blank
            else:
                blank += 1
            start = reader.line_num + 1
    except csv.Error as problem:
        raise BadData(
            f"{source}: line {start}: a quotation mark is not closed or stands in the middle of a quoted cell ({problem}); "
            "close it, or double it inside a quoted cell"
        ) from None
    refuse_ragged(np.array([len(record) for record in records]), np.array(lines), cells, source)
    return records, np.array(lines), inner
