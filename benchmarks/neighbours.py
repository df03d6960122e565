"""Who else uses the processor: a measurement beside a busy neighbour says nothing."""

import os
import time
from pathlib import Path
from typing import NamedTuple

SHARE = 0.2  # of one core
WINDOW = 2.0  # seconds at least, for the system counts in hundredths


class Process(NamedTuple):
    """What the system says of a process."""

    name: str
    parent: int
    seconds: float


class Busy(Exception):
    """Another process works; the message names it."""


def parse(stat: str, ticks: float) -> Process:
    """A line of /proc/PID/stat. A name may hold spaces and brackets.

    >>> parse("7 (a (b) c) S 1 7 7 0 -1 0 0 0 0 0 150 50 0 0 20 0 1 0 5 0 0", ticks=100)
    Process(name='a (b) c', parent=1, seconds=2.0)
    """
    before, _, after = stat.rpartition(")")
    fields = after.split()
    return Process(before.partition("(")[2], int(fields[1]), (int(fields[11]) + int(fields[12])) / ticks)


def reading(root: Path = Path("/proc")) -> dict[int, Process]:
    """All processes by number; none where the system does not tell."""
    ticks = os.sysconf("SC_CLK_TCK")
    found = {}
    for folder in root.glob("[0-9]*"):
        try:
            found[int(folder.name)] = parse((folder / "stat").read_text(encoding="utf-8", errors="replace"), ticks)
        except OSError:
            continue  # it ended while we looked
    return found


def busiest(before: dict[int, Process], after: dict[int, Process], seconds: float, own: int) -> tuple[int, Process] | None:
    """The process with the largest share of a core, other than `own` and what that started; its seconds are the share."""

    def ours(number: int) -> bool:
        seen = set()
        while number in after and number not in seen:
            if number == own:
                return True
            seen.add(number)
            number = after[number].parent
        return False

    shares = {
        number: process._replace(seconds=(process.seconds - (before[number].seconds if number in before else 0)) / seconds)
        for number, process in after.items()
        if not ours(number)
    }
    return max(shares.items(), key=lambda item: item[1].seconds, default=None)


class Watch:
    """Looks at the neighbours from one check to the next."""

    def __init__(self, allowed: bool = False) -> None:
        self.allowed = allowed
        self.noticed: list[str] = []
        self.start()

    def start(self) -> None:
        """From here on."""
        self.before, self.at = reading(), time.monotonic()

    def check(self) -> None:
        """Refuses if a neighbour has used more than its share since the last check."""
        time.sleep(max(0.0, self.at + WINDOW - time.monotonic()))
        after, now = reading(), time.monotonic()
        found = busiest(self.before, after, now - self.at, os.getpid())
        self.before, self.at = after, now
        if found is not None and found[1].seconds > SHARE:
            number, process = found
            words = f"process {number} ({process.name}) uses {process.seconds:.2f} of a core"
            self.noticed.append(words)
            if not self.allowed:
                raise Busy(f"no report: {words}; stop it, or measure all the same with --busy-ok")
