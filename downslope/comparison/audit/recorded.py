"""The extra runs of reasons as the ledger holds them: nothing is trained, and what is not as it should be is said."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from downslope.comparison import fairness
from downslope.comparison.audit.columns import of_predictions
from downslope.comparison.contender import Contender
from downslope.comparison.counterfactual import Changed, Trials
from downslope.comparison.fairness import listed
from downslope.comparison.run import COUNTERFACTUAL, JUDGED, TRIED
from downslope.core.errors import BadData


@dataclass
class Recorded(Trials):
    """Trials of an audit. `seen` holds whom the reasons ask for, `problems` a line for each run that is not as it should be."""

    seen: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)

    def made(self, changed: Changed, one: Contender, wanted: Sequence[tuple[float, int]], phase: str = COUNTERFACTUAL) -> None:
        """Looks at the runs in place of making them."""
        self.seen.add(one.id)
        runs = self.runner.ledger.runs(one.id, phase)
        have = [(run.learning_rate, run.fit) for run in runs]
        missing = [fit for rate, fit in wanted if (rate, fit) not in have]
        if missing:
            raise BadData(f"{one.id}: {len(missing)} of {len(wanted)} extra runs are missing (fit {listed(set(missing))})")
        if len(have) > len(wanted):
            raise BadData(f"{one.id}: {len(have)} extra runs, and {len(wanted)} were asked for")
        self.problems += [f"{one.id}: {words}" for words in fairness.of_each(changed, one, runs, (phase,))]
        if not changed.problem.blank and phase in JUDGED:
            self.problems += of_predictions(changed, one.loss, runs)
            self.problems += [
                f"{one.id}: the run of fit {run.fit} learned with other weights of rows than the reason gives"
                for run in runs
                if not np.array_equal(run.arrays.get("weighed", ()), changed.marks(one.loss, run.fit)["weighed"])
            ]

    def unasked(self) -> list[str]:
        """Extra runs that no reason asks for."""
        others = {run.contender for phase in (COUNTERFACTUAL, TRIED) for run in self.runner.ledger.runs(phase=phase)} - self.seen
        return [f"{name}: extra runs that no reason asks for" for name in sorted(others)]
