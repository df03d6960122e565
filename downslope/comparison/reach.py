"""How soon each contender is as good as the best, from the curves of its confirmation runs."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

MOST = 0.9  # figures come with the ends between which eight of ten runs lie


class Curve(NamedTuple):
    """One run: its cost on the stopping slice after each round (lower is better), its updates and its seconds in all."""

    costs: np.ndarray
    updates: int
    seconds: float


def reached(curves: Mapping[str, Sequence[Curve]], margin: float) -> dict[str, np.ndarray]:
    """For each contender and run the share of its rounds after which it is within `margin` of the best, infinite if never.

    The best is the contender whose best rounds have the lowest mean. Each run is held against the best contender's run on the
    same rows; all contenders have their runs in the same order.
    """
    best_rounds = {name: np.array([lowest(run.costs) for run in runs]) for name, runs in curves.items() if runs}
    known = {name: float(costs.mean()) for name, costs in best_rounds.items() if np.isfinite(costs).all()}
    if not known:
        return {}
    level = best_rounds[min(known, key=lambda name: known[name])] + margin
    return {
        name: np.array([share(run.costs, limit) for run, limit in zip(curves[name], level, strict=True)]) for name in best_rounds
    }


def lowest(costs: np.ndarray) -> float:
    """The lowest cost of a run, infinite where there is none."""
    return float(np.min(costs[np.isfinite(costs)], initial=np.inf))


def share(costs: np.ndarray, limit: float) -> float:
    """The share of a run's rounds after which its cost was first at or below a limit.

    >>> share(np.array([9.0, 5.0, 4.0, 4.5]), 5.0), share(np.array([9.0, 8.0]), 5.0)
    (0.5, inf)
    """
    there = np.flatnonzero(costs <= limit)
    return (int(there[0]) + 1) / len(costs) if len(there) else float("inf")


def spread(values: Sequence[float]) -> dict[str, Any]:
    """The median of several runs and the ends between which eight of ten lie, nothing where that run never came there.

    >>> spread([1.0, 2.0, 3.0, float("inf")])
    {'mean': 2.0, 'low': 1.0, 'high': None, 'runs': 3, 'of': 4}
    """
    known = np.asarray(values, np.float64)
    # Order statistics, not means of two: half of infinity is no number of updates.
    ends = np.quantile(known, [0.5, 1 - MOST, MOST], method="inverted_cdf").tolist()
    found = {name: end if np.isfinite(end) else None for name, end in zip(("mean", "low", "high"), ends, strict=True)}
    return found | {"runs": int(np.isfinite(known).sum()), "of": len(known)}


def updates(curves: Mapping[str, Sequence[Curve]], shares: Mapping[str, np.ndarray]) -> dict[str, dict[str, Any]]:
    """Updates of each contender until it is as good as the best."""
    return {
        name: spread(
            [
                round(part * run.updates) if np.isfinite(part) else part
                for part, run in zip(shares[name], curves[name], strict=True)
            ]
        )
        for name in shares
    }


def seconds(curves: Mapping[str, Sequence[Curve]], shares: Mapping[str, np.ndarray]) -> dict[str, dict[str, Any]]:
    """Seconds of each contender until then, of this machine and of runs side by side; compilation is not among them."""
    return {
        name: spread(
            [part * run.seconds if np.isfinite(part) else part for part, run in zip(shares[name], curves[name], strict=True)]
        )
        for name in shares
    }
