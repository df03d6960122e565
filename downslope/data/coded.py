"""Categories as an array: a small integer for each row, and the text each integer stands for."""

from typing import Any

import numpy as np

MISSING = -1


class Coded(np.ndarray):
    """Integer codes that know their levels; -1 is a missing value. Slices keep the levels.

    >>> Coded.of([0, 1, -1], ("cat", "dog"))[1:].levels
    ('cat', 'dog')
    """

    levels: tuple[str, ...]

    @classmethod
    def of(cls, codes: Any, levels: tuple[str, ...]) -> "Coded":
        """The codes with their levels."""
        coded = np.asarray(codes, np.int32).view(cls)
        coded.levels = levels
        return coded

    def __array_finalize__(self, source: Any) -> None:
        self.levels = getattr(source, "levels", ())

    def __reduce__(self) -> Any:
        # NumPy's own pickling forgets attributes, and columns travel to other processes.
        return Coded.of, (np.asarray(self), self.levels)
