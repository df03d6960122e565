"""The controls on the fits that judge: which there must be, who fits them, and what they are worth."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from downslope.comparison.controls import KINDS, Job, Kind, Rows, all_fitted, at_once, fitted, side_by_side
from downslope.comparison.judge import Court, Judged
from downslope.comparison.ledger import Ledger, Run
from downslope.comparison.metrics import Metric
from downslope.comparison.problem import Problem
from downslope.comparison.worker import Worker
from downslope.training.orders import derive

CONTROL_TAG = 11


class References:
    """A control's run for every fit that it is judged on, in the ledger like every other run. No program of the engine runs."""

    def __init__(self, problem: Problem, metric: Metric, seed: int, ledger: Ledger, court: Court) -> None:
        self.problem, self.metric, self.seed, self.ledger, self.court = problem, metric, seed, ledger, court
        self.asked: list[Callable[[], list[Run]]] = []

    def ask(self, worker: Worker) -> None:
        """Has a worker fit what the ledger lacks, one fit after another."""
        missing = self.missing()
        for fit in dict.fromkeys(fit for _, fit in missing):
            self.asked.append(worker.ask(all_fitted, [self.job(kind, fit) for kind, each in missing if each == fit]))

    def complete(self) -> dict[str, Judged]:
        """The judgement of all controls, once the ledger has them."""
        for answer in self.asked:
            self.add(answer())
        self.add(self.fitted(self.missing()))
        return self.judged()

    def add(self, runs: Iterable[Run]) -> None:
        """Writes runs down, one after another as they are finished."""
        for run in runs:
            self.ledger.add([run], run.contender)

    def fitted(self, controls: Sequence[tuple[Kind, int]]) -> Iterator[Run]:
        """The runs of these controls on these fits."""
        numbers = max(train.size for train, _ in self.problem.matrices)
        return side_by_side(lambda kind, fit: fitted(self.job(kind, fit)), controls, at_once(numbers))

    def wanted(self) -> dict[tuple[Kind, int], int]:
        """For each control and each confirmation fit that it is judged on, the fit that is run: equal rows are run once."""
        fits, seen, first = self.problem.fits, {}, {}
        for fit in self.problem.confirmation:
            first[fit] = seen.setdefault((fits[fit].train.tobytes(), fits[fit].judge.tobytes()), fit)
        # One repetition judges every row; trees take as long as all the rest of the controls.
        return {
            (kind, fit): run
            for kind in KINDS
            for fit, run in first.items()
            if kind != "boosted_trees" or fits[run].repetition == 0
        }

    def distinct(self) -> list[tuple[Kind, int]]:
        """Controls and the fits that are run."""
        return list(dict.fromkeys((kind, run) for (kind, _), run in self.wanted().items()))

    def missing(self) -> list[tuple[Kind, int]]:
        """Controls and fits that the ledger does not have."""
        have: set[tuple[Kind, int]] = {(kind, run.fit) for kind in KINDS for run in self.ledger.runs(f"control {kind}")}
        return [each for each in self.distinct() if each not in have]

    def judged(self) -> dict[str, Judged]:
        """The controls' judgement from the ledger."""
        court: dict[str, Judged] = {kind: Judged(f"control {kind}") for kind in KINDS}
        found = {(kind, run.fit): run.arrays for kind in KINDS for run in self.ledger.runs(f"control {kind}")}
        for (kind, fit), run in self.wanted().items():
            self.court.add(court[kind], fit, found[kind, run])
        return court

    def job(self, kind: Kind, fit: int) -> Job:
        """One control on one fit."""
        rows, data = self.problem.fits[fit], self.problem.dataset
        train, stop = self.problem.matrices[self.problem.places[fit]]

        def known(which: np.ndarray, x: np.ndarray) -> Rows:
            return Rows(x, data.y[which], None if data.weight is None else data.weight[which])

        classes = len(data.classes) if data.classes else 2
        judge, seed = self.problem.judged[fit], derive(self.seed, CONTROL_TAG)
        return Job(kind, fit, data.task, known(rows.train, train), known(rows.stop, stop), judge, classes, self.metric, seed)
