"""The scripts of a program, written one after another for the kernel, and a place in memory for every value."""

from typing import NamedTuple

import numpy as np

from downslope.core.script import Script

UNIT = 16  # numbers of which the memory of a value is a multiple


class Text(NamedTuple):
    """All that is written in a book, and how many numbers lie `between` arguments and results."""

    script: tuple[int, ...]
    lengths: tuple[int, ...]
    places: tuple[int, ...]
    constants: tuple[int, ...]
    between: int

    def given(self) -> dict[str, np.ndarray]:
        """The settings of a kernel that reads it; none may be empty."""
        return {
            "constants": np.array(self.constants or (0,), np.int32),
            "lengths": np.array(self.lengths, np.int64),
            "places": np.array(self.places or (0,), np.int64),
            "script": np.array(self.script, np.int64),
        }


class Book:
    """Numbers for values: first the slots, whose places the kernel knows, then constants and what lies in memory, for which
    `places` says where. What scripts do `once` comes together."""

    def __init__(self, slots: int) -> None:
        self.slots, self.size = slots, 0
        self.places: list[int] = []
        self.constants: dict[int, int] = {}
        self.once: list[int] = []
        self.each: list[int] = []
        self.lengths: list[int] = []

    def add(self, script: Script) -> None:
        """Writes a script down."""
        place = dict(script.slots)
        read = {value for work in (*script.once, *script.each) for value in work.read}
        for value in read.intersection(script.constants):
            number = self.constants.setdefault(script.constants[value], len(self.constants))
            place[value] = self.local(-1 - number)
        self.lay_out(script, place)
        self.once += [number for work in script.once for number in work.numbered(place)]
        text = [number for work in script.each for number in work.numbered(place)]
        self.each += text
        self.lengths.append(len(text))

    def skip(self) -> None:
        """A script that does nothing."""
        self.lengths.append(0)

    def text(self) -> Text:
        """What has been written down."""
        lengths = len(self.once), *self.lengths
        return Text((*self.once, *self.each), lengths, tuple(self.places), tuple(self.constants), self.size)

    def local(self, where: int) -> int:
        """The number of a value in memory, or of a constant, counted down from -1."""
        self.places.append(where)
        return self.slots + len(self.places) - 1

    def lay_out(self, script: Script, place: dict[int, int]) -> None:
        """Gives a place to all that lies between; one that is no longer needed is taken again."""
        free: dict[int, list[int]] = {}
        for works, stays in ((script.once, True), (script.each, False)):
            last = {value: at for at, work in enumerate(works) for value in (*work.written, *work.read)}
            mine: dict[int, int] = {}
            for at, work in enumerate(works):
                for value in work.written:
                    if value not in place:
                        mine[value] = self.taken(script.sizes[value], free)
                        place[value] = self.local(mine[value])
                for value in () if stays else {*work.read, *work.written}:
                    if value in mine and last[value] == at:
                        free.setdefault(rounded(script.sizes[value]), []).append(mine[value])

    def taken(self, length: int, free: dict[int, list[int]]) -> int:
        """Memory for so many numbers."""
        length = rounded(length)
        if free.get(length):
            return free[length].pop()
        self.size += length
        return self.size - length


def rounded(length: int) -> int:
    """So many numbers, as a multiple of the unit.

    >>> rounded(1), rounded(32)
    (16, 32)
    """
    return -(-length // UNIT) * UNIT
