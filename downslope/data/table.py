"""A table as it was found: columns, and where each row stands in its file."""

from dataclasses import dataclass

import numpy as np
import polars as pl


@dataclass(frozen=True, eq=False)
class Table:
    """Rows and columns before anybody decided what they mean.

    Columns that come from text files are all text; those of typed sources keep their type. `lines` has the line of the file
    on which each row starts, `None` for sources without lines. `target` is the source's own default target, if it has one.
    Of two tables that were stacked, the first has the rows before `above`.
    """

    name: str
    source: str
    frame: pl.DataFrame
    digest: str
    target: str | None = None
    notes: tuple[str, ...] = ()
    lines: np.ndarray | None = None
    above: int | None = None

    @property
    def rows(self) -> int:
        """How many rows were read."""
        return self.frame.height

    @property
    def columns(self) -> tuple[str, ...]:
        """Column names in their order."""
        return tuple(self.frame.columns)

    def place(self, row: int) -> str:
        """Where a row is found, in words for a message.

        >>> Table("t", "t.csv", pl.DataFrame({"a": ["1"]}), "", lines=np.array([2])).place(0)
        'line 2'
        """
        return f"row {row}" if self.lines is None else f"line {self.lines[row]}"
