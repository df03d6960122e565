"""What halving costs and saves: the second tier of tuning with draws stopped on the way, and with every draw to its end.

Run it with `python -m benchmarks.validate_halving`, tables beside the checkout; `--seeds 1` gives a first look.
"""

import argparse
import sqlite3
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
from scipy import stats

from benchmarks.peer import ROOT
from benchmarks.validate_reasons import quick
from downslope.comparison import second_tier
from downslope.comparison.compare import compare
from downslope.comparison.rank import MARGIN_SHARE

DATA = ROOT.parent / "shared" / "data"
TABLES = {
    "california_housing.csv": ("median_house_value", "huber"),
    "wine_quality_white.csv": ("quality", "cross_entropy"),
    "adult.csv": ("income", "binary_cross_entropy"),
    "nyc_weather.csv": ("temp", "huber"),
    "bird_strikes.csv": ("Phase of flight", "cross_entropy"),
}
OPTIMIZERS = "adamw, momentum"
LEAST = 2.5


class Found(NamedTuple):
    """A comparison's confirmed costs by contender (lower is better), the updates of its second tier, and the way from the best
    score to the constant predictor's.
    """

    costs: dict[str, float]
    updates: int
    way: float


def searched(table: Path, target: str, loss: str, seed: int, **options: Any) -> Found:
    """One comparison with a second tier."""
    with tempfile.TemporaryDirectory() as place:
        chosen = {"losses": loss, "optimizers": OPTIMIZERS, "thorough": True, "reasons": False} | options
        result = compare(table, target, seed=seed, out=Path(place) / "run", **chosen).data
        with sqlite3.connect(Path(place) / "run" / "ledger.sqlite") as database:
            (updates,) = database.execute("SELECT SUM(updates) FROM runs WHERE phase = ?", (second_tier.PHASE,)).fetchone()
        database.close()
    sign = 1 if result["metric"]["direction"] == "lower" else -1
    costs = {one["id"]: sign * one["score"]["mean"] for one in result["contenders"] if one["score"]}
    return Found(costs, updates, sign * result["controls"]["constant"]["score"] - min(costs.values()))


def main() -> int:
    """Prints for each table how much was saved and how far the confirmed scores are apart; 1 where a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--epochs", type=int, default=10)
    given = parser.parse_args()
    saved: list[float] = []
    apart: list[float] = []
    print(f"{'table':<24} {'seed':>4}  {'fewer gradients':>15}  worse than the full grid by so many per cent of the way")
    with quick():
        for name, (target, loss) in TABLES.items():
            if not (given.data / name).exists():
                print(f"{name}: not there; --data names the folder of the tables")
                continue
            for seed in range(given.seeds):
                halved = searched(given.data / name, target, loss, seed, epochs=given.epochs)
                with mock.patch.object(second_tier, "RUNGS", ()):
                    whole = searched(given.data / name, target, loss, seed, epochs=given.epochs)
                worse = [100 * (halved.costs[one] - whole.costs[one]) / whole.way for one in sorted(whole.costs)]
                saved.append(whole.updates / halved.updates)
                apart.append(float(np.mean(worse)))
                shown = ", ".join(f"{each:+.2f}" for each in worse)
                print(f"{name:<24} {seed:>4}  {saved[-1]:>14.2f}×  {shown}", flush=True)
    if len(apart) < 2:
        return 1
    reach = float(stats.t.ppf(0.975, len(apart) - 1) * np.std(apart, ddof=1) / np.sqrt(len(apart)))
    middle = float(np.mean(apart))
    same = middle - reach <= 0 or middle <= 100 * MARGIN_SHARE
    print(f"{len(saved)} repetitions: {min(saved):.2f}× to {max(saved):.2f}× fewer gradients (at least {LEAST}×)")
    print(f"confirmed scores worse by {middle:+.3f} ± {reach:.3f} per cent of the way to the constant predictor")
    return int(min(saved) < LEAST or not same)


if __name__ == "__main__":
    sys.exit(main())
