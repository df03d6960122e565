"""What a comparison says while it works, on stderr: a live line on a terminal, a plain one now and then on a pipe."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from downslope.cli import terminal
from downslope.comparison.watch import Watcher

EVERY = 10.0  # seconds between two plain lines
MOST_NAMES = 6


class Progress(Watcher):
    """Prints what was found, the plan, and how far the work is. Leaving the `with` block gives the terminal back."""

    def __init__(self, quiet: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        self.quiet = quiet
        self.clock = clock
        self.console = terminal.console(stderr=True)
        self.live = None
        self.task: Any = None
        self.last = clock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> None:
        """Ends the live line; the cursor comes back."""
        if self.live is not None:
            self.live.stop()
            self.live = None

    def line(self, text: str) -> None:
        """A line that stays, above the live one if there is one."""
        if not self.quiet:
            self.console.print(terminal.clean(text), soft_wrap=not self.console.is_terminal)
            self.last = self.clock()

    def say(self, text: str) -> None:
        """One sentence."""
        self.line(text)

    def found(self, dataset: Any) -> None:
        """What the table holds."""
        for text in described(dataset):
            self.line(text)
        self.line("")

    def planned(self, plan_lines: list[str]) -> None:
        """What will run."""
        for text in plan_lines:
            self.line(text)
        self.line("")

    def advanced(self, done: int, total: int, seconds_left: float | None, best: str) -> None:
        """Moves the live line, or writes a plain one if the last is long enough ago."""
        if self.quiet:
            return
        if self.console.is_terminal and not self.console.is_dumb_terminal:
            self.move(done, total, seconds_left, best)
        elif self.clock() - self.last >= EVERY:
            self.line(", ".join(part for part in (f"{done} of {total} runs", remaining(seconds_left), best_so_far(best)) if part))

    def ranked(self, row: dict[str, Any]) -> None:
        """On a pipe a line for each contender that has its score; the live line names the best of them."""
        if not self.console.is_terminal or self.console.is_dumb_terminal:
            self.line(row["words"] if row["status"] == "ok" else f"{row['id']} {row['status']}")

    def move(self, done: int, total: int, seconds_left: float | None, best: str) -> None:
        """Draws the live line."""
        from rich.progress import BarColumn, Progress, TextColumn
        from rich.table import Column
        from rich.text import Text

        words = Text(terminal.clean(", ".join(part for part in (remaining(seconds_left), best_so_far(best)) if part)))
        if self.live is None:
            self.live = Progress(
                BarColumn(bar_width=max(6, min(30, self.console.width // 4))),
                TextColumn(
                    "{task.completed}/{task.total}",
                    markup=False,
                    table_column=Column(no_wrap=True, min_width=2 * len(str(total)) + 1),
                ),
                TextColumn("{task.fields[words]}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1)),
                console=self.console,
                transient=True,
                expand=True,
            )
            self.task = self.live.add_task("", total=total, completed=done, words=words)
            self.live.start()
        self.live.update(self.task, completed=done, total=total, words=words)

    def finished(self, result: Any) -> None:
        """Takes the live line away: the answer follows."""
        del result
        self.stop()


def remaining(seconds: float | None) -> str:
    """The time that is left, as exactly as it can be known.

    >>> remaining(4), remaining(95), remaining(7300), remaining(None)
    ('about 4 s left', 'about 2 min left', 'about 2.0 h left', '')
    """
    if seconds is None:
        return ""
    if seconds < 90:
        return f"about {max(1, round(seconds))} s left"
    return f"about {round(seconds / 60)} min left" if seconds < 5400 else f"about {seconds / 3600:.1f} h left"


def best_so_far(best: str) -> str:
    """The leader in a few words."""
    return f"best so far {best}" if best else ""


def described(dataset: Any) -> list[str]:
    """What was found in a table: rows, columns by kind, target, task, what is left out and why."""
    dropped = {reason: count for reason, count in dataset.dropped.items() if count}
    lines = [f"{dataset.name}: {counted(dataset.rows_read, 'row')}, {counted(len(dataset.columns), 'column')}"]
    kinds: dict[str, list[str]] = {}
    for column in dataset.columns:
        if column.used:
            kinds.setdefault(str(column.kind), []).append(column.name)
    lines += [f"  {kind}: {listed(names)}" for kind, names in kinds.items()]
    left_out = [f"{c.name} ({c.reason})" for c in dataset.columns if not c.used and c.name != dataset.target]
    if left_out:
        lines.append(f"  left out: {listed(left_out)}")
    if dropped:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in dropped.items())
        lines.append(f"  rows used: {dataset.rows_used:,}; dropped: {reasons}")
    classes = f", classes {listed(list(dataset.classes))}" if dataset.classes is not None else ""
    lines.append(f"  target: {dataset.target}, task: {dataset.task}{classes}")
    lines += [f"  note: {note}" for note in dataset.notes]
    lines += [f"  warning: {warning}" for warning in dataset.warnings]
    return lines


def counted(number: int, word: str) -> str:
    """A number and its noun.

    >>> counted(1, "row"), counted(20640, "row")
    ('1 row', '20,640 rows')
    """
    return f"{number:,} {word}" + ("" if number == 1 else "s")


def listed(names: list[str]) -> str:
    """The first few names and how many more there are."""
    more = len(names) - MOST_NAMES
    return ", ".join(str(n) for n in names) if more <= 1 else ", ".join(str(n) for n in names[:MOST_NAMES]) + f" and {more} more"
