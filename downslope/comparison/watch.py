"""What a comparison tells while it works; whoever wants to listen overrides the methods."""

from typing import Any


class Watcher:
    """Hears everything and does nothing. The command line prints, a notebook may draw, a test may count.

    The methods are called in the order in which they stand here, `advanced` and `ranked` many times.
    """

    def found(self, dataset: Any) -> None:
        """The table is read and described: a `data.describe.Dataset`."""

    def planned(self, plan_lines: list[str]) -> None:
        """What will run, its expected time and memory, one sentence a line."""

    def advanced(self, done: int, total: int, seconds_left: float | None, best: str) -> None:
        """So many runs of so many are finished; `best` is the best contender so far in a few words."""

    def ranked(self, row: dict[str, Any]) -> None:
        """A contender has finished its confirmation runs: its entry of the result."""

    def finished(self, result: Any) -> None:
        """Everything is computed and written: a `comparison.result.Result`."""

    def say(self, text: str) -> None:
        """One sentence that fits nowhere else."""
