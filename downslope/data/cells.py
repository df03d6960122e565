"""Cells to typed values: numbers, booleans, dates and categories, each NaN (or -1) where a cell is missing or unreadable."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from downslope.data.coded import Coded
from downslope.data.frames import as_text

MISSING = ("", "NA", "N/A", "n/a", "na", "#N/A", "<NA>", "NULL", "null", "NaN", "nan", "NAN", "NaT", "?", "-", "--")
NONE = ("None", "none", "NONE")
"""A missing value among numbers and dates, a level of its own among words."""

LARGEST = 1e100
"""A number beyond it counts as infinite: its square leaves the range of floating-point numbers soon after."""

TRUE, FALSE = ("true", "yes", "t", "y", "on", "1"), ("false", "no", "f", "n", "off", "0")

DAYS = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%m-%d-%Y", "%d-%m-%Y")
DAYS_OF_SHORT_YEARS = ("%m/%d/%y", "%d/%m/%y", "%d.%m.%y")
SHORT_YEAR = r"^\d{1,2}[./]\d{1,2}[./]\d{2}(?: |$)"
DAYS_BY_NAME = ("%d-%b-%Y", "%d %b %Y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y")
TIMES = ("%H:%M", "%H:%M:%S%.f", "%I:%M %p", "%I:%M:%S %p")
ZONES = ("Z", "%z")
FORMATS = (
    *DAYS_OF_SHORT_YEARS,  # first, for otherwise 20 would be taken for the year twenty
    *DAYS,
    *DAYS_BY_NAME,
    *(f"{day} {time}" for day in (*DAYS, *DAYS_BY_NAME) for time in TIMES),
    *(f"%Y-%m-%dT{time}" for time in TIMES),
    *(f"%Y-%m-%d{gap}{time}{zone}" for gap in ("T", " ") for time in TIMES[:2] for zone in ZONES),
)

TOLERATED = 0.01
"""The share of cells that may be unreadable before a column is not of a kind."""

Kind = str
Values = np.ndarray


def values(column: pl.Series, kind: Kind, details: Mapping[str, Any]) -> Values:
    """What the cells of a column are worth, by the kind that was decided for it."""
    if kind == "category":
        return categories(column)
    if kind == "date":
        return dates(column, details.get("format"))
    if kind == "boolean":
        return booleans(column)
    return numbers(column, decimal_comma=bool(details.get("decimal_comma")))


def present_text(column: pl.Series, none_is_missing: bool) -> pl.Series:
    """Trimmed text, null where a cell is missing."""
    text = as_text(column).str.strip_chars()
    spellings = [*MISSING, *NONE] if none_is_missing else list(MISSING)
    gone = text.is_in(spellings)
    return text.set(gone, None) if gone.any() else text


def numbers(column: pl.Series, decimal_comma: bool = False) -> Values:
    """Each cell as a float64; infinities and unreadable cells are NaN."""
    found = raw_numbers(column, decimal_comma)
    found[np.isinf(found)] = np.nan
    return found


def raw_numbers(column: pl.Series, decimal_comma: bool = False) -> Values:
    """Each cell as a float64, infinities as they are."""
    dtype = column.dtype
    if dtype in (pl.String, pl.Categorical, pl.Enum, pl.Object):
        text = present_text(column, none_is_missing=True)
        if decimal_comma:
            text = text.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
        column = text
    elif dtype == pl.Duration:
        column = column.dt.total_microseconds() / 1e6
    elif dtype == pl.Time:
        column = column.cast(pl.Int64) / 1e9
    elif not (dtype.is_numeric() or dtype == pl.Boolean):
        return np.full(len(column), np.nan)
    found = column.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy().copy()
    far = np.abs(found) > LARGEST
    found[far] = np.copysign(np.inf, found[far])
    return found


def booleans(column: pl.Series) -> Values:
    """1 for true and 0 for false, in any of their usual spellings."""
    if column.dtype in (pl.String, pl.Categorical, pl.Enum, pl.Object):
        text = present_text(column, none_is_missing=True).str.to_lowercase()
        found = np.full(len(text), np.nan)
        found[text.is_in(TRUE).fill_null(False).to_numpy()] = 1.0
        found[text.is_in(FALSE).fill_null(False).to_numpy()] = 0.0
        return found
    found = numbers(column)
    return np.where(np.isnan(found), np.nan, (found != 0).astype(float))


def dates(column: pl.Series, pattern: str | None) -> Values:
    """Seconds since 1970 in UTC."""
    if not column.dtype.is_temporal() or column.dtype in (pl.Time, pl.Duration):
        text = present_text(column, none_is_missing=True)
        column = parse_dates(text, pattern or best_format(text.drop_nulls()) or "%Y-%m-%d")
    moments = column.cast(pl.Datetime("us")) if column.dtype == pl.Date else column.dt.cast_time_unit("us")
    return (moments.to_physical().cast(pl.Float64) / 1e6).fill_null(np.nan).to_numpy().copy()


def parse_dates(text: pl.Series, pattern: str) -> pl.Series:
    """Dates of one format, null where it does not fit; those with an offset are turned to UTC."""
    try:
        found = text.str.to_datetime(pattern, strict=False, time_unit="us", ambiguous="null").dt.replace_time_zone(None)
        # Version numbers such as 5.1.2 are no dates.
        odd = ~text.str.contains(SHORT_YEAR) if "%y" in pattern else found.dt.year() < 1000
        return found.set(odd.fill_null(False), None)
    except pl.exceptions.PolarsError:
        return pl.Series(text.name, [None] * len(text), dtype=pl.Datetime("us"))


def best_format(text: pl.Series) -> str | None:
    """The first date format that fits (nearly) all cells, none of which is missing."""
    if not len(text) or not text.head(20).str.contains(r"\d").all():
        return None
    first = text.head(200)
    for pattern in FORMATS:
        if 2 * parse_dates(first, pattern).null_count() > len(first):
            continue
        if parse_dates(text, pattern).null_count() <= len(text) * TOLERATED:
            return pattern
    return None


def categories(column: pl.Series) -> Coded:
    """Codes with sorted levels."""
    if column.dtype.is_float() and (column.drop_nulls() == column.drop_nulls().floor()).all():
        column = column.fill_nan(None).cast(pl.Int64, strict=False)  # the level 3 of a text file may come as 3.0
    text = present_text(column, none_is_missing=False)
    levels = text.drop_nulls().unique().sort().to_list()
    codes = text.cast(pl.Enum(levels)).to_physical().cast(pl.Int32).fill_null(-1).to_numpy()
    return Coded.of(codes, tuple(levels))


def unreadable_rows(column: pl.Series, found: Values) -> np.ndarray:
    """Rows with a cell that is present but gave no value: stray words among numbers, and infinities."""
    if column.dtype.is_float():
        return np.flatnonzero((column.abs() > LARGEST).fill_null(False).to_numpy() & np.isnan(found))
    if column.dtype != pl.String:
        return np.array([], int)
    present = present_text(column, none_is_missing=True).is_not_null().to_numpy()
    return np.flatnonzero(present & np.isnan(found))
