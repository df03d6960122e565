"""What will be done, decided before anything runs: budget, batch, model, and the words that say so."""

import math
from dataclasses import dataclass
from typing import Any

from downslope import models, penalties
from downslope.comparison import second_tier
from downslope.comparison.alike import Alike, alike
from downslope.comparison.contender import DRAWS
from downslope.core.errors import OutOfRange
from downslope.data.describe import Dataset
from downslope.data.split import TUNING, Splits
from downslope.models.base import Model
from downslope.penalties.base import Penalty
from downslope.training import budget

LINEAR_BELOW = 1000


@dataclass(frozen=True)
class Protocol:
    """The same for every contender of a comparison.

    Where a time budget left fewer epochs than there would have been, `cut_from` is how many those were.
    """

    model: Model
    alike: Alike
    penalty: Penalty | None
    batch: int
    epochs: int
    draws: int
    seed: int
    thorough: bool = False
    cut_from: int | None = None
    time_budget: float | None = None

    def updates(self, rows: int) -> int:
        """Updates of a run with mini-batches."""
        return math.ceil(rows / self.batch) * self.epochs

    def data(self, rows: int, splits: Splits) -> dict[str, Any]:
        """The budget as it stands in the result."""
        steps = math.ceil(rows / self.batch)
        rates, tuning, confirmation = self.draws, min(TUNING, len(splits.tuning)), len(splits.confirmation)
        drawn = second_tier.runs(len(splits.tuning)) if self.thorough else 0
        runs = rates * tuning + drawn + confirmation
        second = f"{second_tier.words(len(splits.tuning))}, then " if self.thorough else ""
        whole = "every run that is not stopped" if self.thorough else "every run"
        return {
            "updates": steps * self.epochs,
            "epochs": self.epochs,
            "batch": self.batch,
            "examples": rows * self.epochs,
            "learning_rates": rates,
            "tuning_seeds": tuning,
            "confirmation": confirmation,
            **({"time_budget": self.time_budget, "epochs_without": self.cut_from} if self.cut_from else {}),
            **({"draws": second_tier.DRAWS, "thorough_seeds": len(splits.tuning)} if self.thorough else {}),
            "words": (
                f"every contender gets {runs} runs: {rates} learning rates × {tuning} tuning seeds, then {second}"
                f"{confirmation} runs that judge; {whole} sees {self.epochs} epochs of at most {rows:,} rows "
                f"({steps * self.epochs:,} updates in batches of {self.batch})"
            ),
        }


def protocol(
    dataset: Dataset,
    splits: Splits,
    *,
    model: Any,
    schedule: Any,
    penalty: Any,
    epochs: int | None,
    draws: int | None,
    seed: int,
    clip_norm: float | None = None,
    average: Any = None,
    thorough: bool = False,
) -> Protocol:
    """The defaults, where the user decided nothing else."""
    rows = max(len(fit.train) for fit in (*splits.tuning, *splits.confirmation))
    if model is None:
        model = "linear" if dataset.rows_used < LINEAR_BELOW else "mlp"
    if epochs is not None and epochs < 1:
        raise OutOfRange(f"epochs must be at least 1, got {epochs}")
    if draws is not None and draws < 1:
        raise OutOfRange(f"draws must be at least 1, got {draws}")
    batch = min(budget.default_batch(rows), rows)
    return Protocol(
        models.catalogue.make(model),
        alike(schedule, clip_norm, average),
        None if penalty is None else penalties.catalogue.make(penalty),
        batch,
        epochs or budget.default_epochs(rows, batch),
        draws or DRAWS,
        seed,
        thorough,
    )
