"""What a column is: number, boolean, date, category, or something a model cannot use. Decided over the whole column."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from downslope.data import cells
from downslope.data.cells import TOLERATED

USABLE = ("number", "boolean", "date", "category")
FOREIGN = 0.1
MANY = 10  # fewer distinct words than this are levels, however few rows there are
BOOLEAN_PAIRS = ({"true", "false"}, {"yes", "no"}, {"t", "f"}, {"y", "n"}, {"on", "off"})
LEADING_ZERO = r"^[+-]?0[0-9]+$"
WHOLE = r"^[+-]?[0-9]+$"
COMMA_NUMBER = r"^[+-]?(?:[0-9]+|[0-9]{1,3}(?:\.[0-9]{3})+)(?:,[0-9]+)?$"
DRESSED_NUMBER = r"^[-+(]?\s?[$€£¥]?\s?[-+]?[0-9][0-9., ]*\s?[%$€£¥]?\)?$"
ID_NAME = re.compile(
    r"(?:^|[\s_.-])(?:id|ids|uuid|guid|index|idx|rowid|row_?number|serial)$|^unnamed: \d+$|^column \d+$", re.IGNORECASE
)


@dataclass(frozen=True, eq=False)
class Finding:
    """A column's kind with the values that go with it, and what is to be said of it."""

    kind: str
    values: np.ndarray
    missing: int
    distinct: int
    details: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    infinite: tuple[int, ...] = ()
    unreadable: tuple[int, ...] = ()


def find_kind(column: pl.Series) -> Finding:
    """The kind of a column and its typed values."""
    dtype = column.dtype
    if dtype == pl.Boolean:
        return finding("boolean", column)
    if dtype.is_numeric() or dtype in (pl.Duration, pl.Time):
        return number(column, {})
    if dtype in (pl.Date, pl.Datetime):
        return finding("date", column)
    if dtype in (pl.String, pl.Categorical, pl.Enum):
        return find_text_kind(column)
    nothing = np.full(len(column), np.nan)
    if dtype == pl.Null:
        return Finding("empty", nothing, len(column), 0, reason="every value is missing")
    return Finding("unsupported", nothing, column.null_count(), 0, reason=f"holds {dtype}, which is not a single value")


def find_text_kind(column: pl.Series) -> Finding:
    """The kind of a column of text."""
    text = cells.present_text(column, none_is_missing=True).drop_nulls()
    if not len(text):
        words = cells.present_text(column, none_is_missing=False)
        if words.null_count() == len(words):
            return Finding("empty", np.full(len(column), np.nan), len(column), 0, reason="every value is missing")
        return word_kind(column)
    readable = text.cast(pl.Float64, strict=False)
    if readable.null_count() <= len(text) * TOLERATED:
        if text.str.contains(LEADING_ZERO).any() and text.str.contains(WHOLE).all():
            return word_kind(column, note="has codes with leading zeros and is kept as a category")
        return number(column, {})
    if comma_numbers(text):
        return number(column, {"decimal_comma": True}, note="has numbers with a decimal comma")
    if set(text.str.to_lowercase().unique().head(3).to_list()) in BOOLEAN_PAIRS:
        return finding("boolean", column)
    if pattern := cells.best_format(text):
        return date(column, text, pattern)
    words = word_kind(column)
    # Words among numbers: levels where they are few, but where the column would be lost, the numbers are worth more.
    return number(column, {}) if words.kind not in USABLE and mostly_numbers(text) else words


def mostly_numbers(text: pl.Series) -> bool:
    """Whether at least nine in ten cells, none of which is missing, are numbers."""
    return len(text) > 0 and text.cast(pl.Float64, strict=False).null_count() <= len(text) * FOREIGN


def comma_numbers(text: pl.Series) -> bool:
    """Whether all cells are numbers with a decimal comma, and at least one cannot be a thousands separator instead."""
    if not text.str.contains(COMMA_NUMBER).all():
        return False
    return bool(text.str.contains(r",(?:[0-9]{1,2}|[0-9]{4,})$|^[+-]?0,|\..*,").any())


def finding(kind: str, column: pl.Series, details: Mapping[str, Any] | None = None, **words: Any) -> Finding:
    """A finding with its values counted."""
    found = cells.values(column, kind, details or {})
    gone = found < 0 if kind == "category" else np.isnan(found)
    distinct = len(np.unique(np.asarray(found)[~gone]))
    return Finding(kind, found, int(gone.sum()), distinct, details or {}, **words)


def number(column: pl.Series, details: Mapping[str, Any], note: str = "") -> Finding:
    """A column of numbers; infinite and unreadable cells are remembered, for the caller knows their lines."""
    raw = cells.raw_numbers(column, bool(details.get("decimal_comma")))
    infinite = np.flatnonzero(np.isinf(raw))
    gone = np.isnan(raw)
    unreadable = cells.unreadable_rows(column, raw) if gone.any() else gone[:0]
    raw[infinite] = np.nan
    return Finding(
        "number",
        raw,
        int(gone.sum()) + len(infinite),
        len(np.unique(raw[~np.isnan(raw)])),
        details,
        notes=(f"{column.name!r} {note}",) if note else (),
        infinite=tuple(infinite.tolist()),
        unreadable=tuple(unreadable.tolist()),
    )


def date(column: pl.Series, text: pl.Series, pattern: str) -> Finding:
    """A column of dates in one format."""
    notes = ()
    turned = pattern.translate(str.maketrans("dm", "md")) if pattern.startswith(("%m", "%d")) else pattern
    if turned != pattern and cells.parse_dates(text, turned).null_count() == 0:
        notes = (f"{column.name!r} is read as {pattern}, but {turned} would fit as well; write dates as 2024-12-31 to be sure",)
    found = finding("date", column, {"format": pattern}, warnings=notes)
    unreadable = cells.unreadable_rows(column, found.values)
    return Finding(**{**found.__dict__, "unreadable": tuple(unreadable.tolist())})


def word_kind(column: pl.Series, note: str = "") -> Finding:
    """Category, identifier or free text, by how often values come again and how long they are."""
    found = finding("category", column, notes=(f"{column.name!r} {note}",) if note else ())
    present = len(column) - found.missing
    if found.distinct < MANY or 2 * found.distinct <= present:
        return found
    text = cells.present_text(column, none_is_missing=False).drop_nulls()
    spaces, length = text.str.count_matches(" ").mean(), text.str.len_chars().mean()
    kind, reason = "identifier", f"{found.distinct} different values in {present} rows: an identifier"
    if float(spaces or 0) >= 3 or float(length or 0) > 60:  # type: ignore[arg-type]  # polars types a mean as any of its literals
        kind, reason = "text", f"free text ({found.distinct} different values in {present} rows)"
    warnings = ()
    if text.str.contains(DRESSED_NUMBER).all():
        example = text[0]
        kind, reason = "text", f"looks like numbers written as {example!r}; write plain numbers such as 1234.5 to use it"
        warnings = (f"{column.name!r} is left out: it {reason}",)
    return Finding(kind, found.values, found.missing, found.distinct, {}, reason, found.notes, warnings)


def row_number(name: str, found: np.ndarray) -> str:
    """Why a column of numbers only names its rows, or nothing.

    >>> row_number("id", np.array([17.0, 4.0, 99.0, 3.0, 12.0]))
    'an identifier by its name, different on each row'
    """
    if len(found) < 5 or np.isnan(found).any() or (found != np.floor(found)).any():
        return ""
    ordered = np.sort(found)
    steps = np.diff(ordered)
    if (steps == 0).any():
        return ""
    if (steps == 1).all() and ordered[0] in (0, 1):
        return "row numbers"
    return "an identifier by its name, different on each row" if ID_NAME.search(name) else ""
