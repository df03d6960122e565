"""How far the runs are, how long the rest will take, and who leads."""

import time
from collections.abc import Sequence
from typing import Any

from downslope.comparison import second_tier
from downslope.comparison.contender import Contender
from downslope.comparison.problem import Problem
from downslope.comparison.protocol import Protocol
from downslope.comparison.run import Runner
from downslope.comparison.watch import Watcher


class Progress:
    """Counts runs. A run in progress counts as the part of its updates that is done; every run costs about the same."""

    def __init__(self, watcher: Watcher, field: Sequence[Contender], problem: Problem, rules: Protocol) -> None:
        self.watcher, self.problem, self.rules = watcher, problem, rules
        self.field = [one for one in field if not one.reason]
        self.expected: dict[str, float] = {one.id: self.runs(one) for one in self.field}
        self.done: dict[str, float] = dict.fromkeys(self.expected, 0.0)
        self.updates: dict[str, int] = {}
        self.best: tuple[float, str] | None = None
        self.started, self.before = time.monotonic(), 0.0

    def runs(self, contender: Contender) -> int:
        """Runs of a contender whose grid needs no extension."""
        tuned = len(contender.rates) * len(self.problem.tuning) if len(contender.rates) > 1 else 0
        return tuned + len(self.problem.confirmation)

    def drawn(self, runner: Runner, contender: Contender) -> float:
        """The second tier of tuning as so many whole runs."""
        if not self.rules.thorough:
            return 0.0
        fits = len(self.problem.thorough)
        return second_tier.share(runner.cut(contender)) * second_tier.DRAWS * fits + 1

    def start(self, runner: Runner) -> None:
        """Looks up what the ledger has already."""
        for one in self.field:
            self.updates[one.id] = runner.updates(one)
            self.expected[one.id] += self.drawn(runner, one)
            finished = len(runner.ledger.have(one.id, "tuning")) + len(runner.ledger.have(one.id, "confirmation"))
            finished += sum(run.updates for each in runner.draws(one) for run in runner.drawn(one, each)) / self.updates[one.id]
            self.done[one.id] = min(finished, self.expected[one.id])
        self.started, self.before = time.monotonic(), sum(self.done.values())

    def advanced(self, lane_updates: int, contender: str) -> None:
        """Some updates are done."""
        self.done[contender] = min(self.done[contender] + lane_updates / self.updates[contender], self.expected[contender])
        done, total = sum(self.done.values()), sum(self.expected.values())
        worked = done - self.before
        left = (time.monotonic() - self.started) * (total - done) / worked if worked > 0 else None
        self.watcher.advanced(int(done), round(total), left, "" if self.best is None else self.best[1])

    def finished(self, contender: Contender, row: dict[str, Any]) -> None:
        """A contender's last run is written; `row` says how it did so far."""
        self.done[contender.id] = self.expected[contender.id]
        if row["cost"] is not None and contender.twin_of is None and (self.best is None or row["cost"] < self.best[0]):
            self.best = (row["cost"], row["words"])
        if contender.twin_of is None:
            self.watcher.ranked(row)
