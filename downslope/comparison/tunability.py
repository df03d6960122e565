"""How hard each contender is to tune, told from the learning rates that were tried anyway; nothing runs for it.

Costs are lower for better and infinite where a run was lost. The low and high ends of every figure are those of the tuning
seeds, each taken alone: two seeds give no interval that deserves a level.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from downslope.comparison.rank import practical_margin

GOOD_SHARE = 0.05  # of the way from the best of all contenders to the constant predictor
Costs: TypeAlias = np.ndarray  # (seeds, rates), or (rates,) for one of them


def tunability(
    contenders: Sequence[Mapping[str, Any]],
    sign: int,
    constants: Sequence[float],
    defaults: Mapping[str, float],
    margin: float,
) -> list[dict[str, Any]]:
    """One record for each contender that tried several learning rates, in the order given.

    `contenders` are entries of the result, `sign` is 1 where lower scores are better. `constants` are the constant predictor's
    costs on the rows that tuned, one for each seed. `defaults` are the learning rates that the classes propose, by contender,
    `margin` the practical margin as a share. Scores are in the metric's own direction.
    """
    tried = {one["id"]: costs(one["grid"], sign) for one in contenders if len(one.get("grid", [])) > 1}
    if not tried:
        return []
    constant = np.array(constants, np.float64)
    lowest = np.min([table.min(axis=1) for table in tried.values()], axis=0)
    best = min(float(table.mean(axis=0).min()) for table in tried.values())
    out = []
    for one in contenders:
        if one["id"] not in tried:
            continue
        table, rates = tried[one["id"]], [point["learning_rate"] for point in one["grid"]]
        each = [
            Look(rates, costs_, best_, constant_)
            for costs_, best_, constant_ in zip(table, lowest.tolist(), constant.tolist(), strict=True)
        ]
        whole = Look(rates, table.mean(axis=0), best, float(constant.mean()))
        record: dict[str, Any] = {"id": one["id"], "loss": one["loss"], "optimizer": one["optimizer"]}
        record |= {"rates": len(rates), "seeds": len(table), "expected_best": expected_best(table, constant, sign)}
        record |= {"plateau": plateau(whole, each), "dead_zone": dead_zone(whole, each, margin)}
        record |= {"divergence_edge": divergence_edge(rates, table)}
        chosen = first_choice(one)
        record["default"] = default(rates, table, sign, defaults[one["id"]], chosen) if one["id"] in defaults else None
        out.append(record)
    return out


def first_choice(contender: Mapping[str, Any]) -> float | None:
    """The learning rate that was chosen when it alone was tuned.

    >>> first_choice({"settings": {"learning_rate": 0.1}, "second_tier": None})
    0.1
    """
    drawn = (contender.get("second_tier") or {}).get("draws", [])
    first = next((draw["settings"].get("learning_rate") for draw in drawn if draw["number"] == 0), None)
    return contender["settings"].get("learning_rate") if first is None else first


def tuned(entry: Mapping[str, Any]) -> dict[str, float]:
    """The settings beside the learning rate that the second tier chose for a contender's entry in the result."""
    second = entry.get("second_tier") or {"chosen": 0, "draws": []}
    draw = next((each for each in second["draws"] if each["number"] == second["chosen"] != 0), None)
    return {} if draw is None else {name: value for name, value in draw["settings"].items() if name != "learning_rate"}


def costs(grid: Sequence[Mapping[str, Any]], sign: int) -> Costs:
    """Costs of each tuning seed at each learning rate.

    >>> costs([{"scores": [3.0, 4.0]}, {"scores": [None, 2.0]}], sign=1).tolist()
    [[3.0, inf], [4.0, 2.0]]
    """
    return np.array([[np.inf if score is None else sign * score for score in point["scores"]] for point in grid], np.float64).T


def over_seeds(middle: float | None, each: Sequence[float]) -> dict[str, float | None]:
    """A figure with the lowest and the highest that one seed alone would give."""
    return {"mean": finite(middle), "low": finite(min(each)), "high": finite(max(each))}


def finite(value: float | None) -> float | None:
    """The number, or nothing where it is none."""
    return float(value) if value is not None and math.isfinite(value) else None


def expected_best(table: Costs, constant: np.ndarray, sign: int) -> list[dict[str, Any]]:
    """The best score to expect after 1, 2, 3 … learning rates drawn at random from those that were tried, and the best kept.

    Exact, over all choices of so many rates; the best is the one with the best mean over the seeds. A rate at which a seed was
    lost, or that does worse than the constant predictor, counts as that: nobody is made to use it.
    """
    if not np.isfinite(constant).all():  # a metric that has no value for a constant: the worst rate that was not lost
        constant = np.array([row[np.isfinite(row)].max(initial=-np.inf) for row in table])
    if not np.isfinite(constant).all():
        return []
    useful = table.mean(axis=0) < constant.mean()
    kept = np.where(useful, table, constant[:, None])
    kept = kept[:, np.argsort(kept.mean(axis=0), kind="stable")]
    rates = kept.shape[1]
    out = []
    for draws in range(1, rates + 1):
        # The place-th best is the best of the drawn ones where all others are drawn from behind it.
        ways = np.array([math.comb(rates - 1 - place, draws - 1) / math.comb(rates, draws) for place in range(rates)])
        known = kept @ ways * sign
        out.append({"draws": draws, **over_seeds(float(known.mean()), known.tolist())})
    return out


class Look:
    """A grid as one seed sees it, or as all seeds together do: costs by rate, the best of all contenders, the constant."""

    def __init__(self, rates: Sequence[float], costs: Costs, best: float, constant: float) -> None:
        self.rates, self.costs, self.best, self.constant = list(rates), costs, best, constant

    def good(self) -> tuple[int, int] | None:
        """First and last place of the good rates around the best one, without a gap."""
        way = abs(self.constant - self.best)
        limit = self.best + (GOOD_SHARE * way if math.isfinite(way) else 0.0)
        low = high = int(np.argmin(self.costs))
        if not (math.isfinite(self.costs[low]) and self.costs[low] <= limit):
            return None
        while low > 0 and self.costs[low - 1] <= limit:
            low -= 1
        while high < len(self.costs) - 1 and self.costs[high + 1] <= limit:
            high += 1
        return low, high

    def decades(self) -> float | None:
        """Width of the good rates in powers of ten; 0 for a single one, nothing where none is good."""
        found = self.good()
        return None if found is None else round(math.log10(self.rates[found[1]] / self.rates[found[0]]), 2)

    def dead(self, margin: float) -> list[float]:
        """Rates that are no better than the constant predictor by more than the practical margin; lost ones are none of them."""
        reach = self.constant - practical_margin(self.best, self.constant, margin)
        return [rate for rate, cost in zip(self.rates, self.costs, strict=True) if np.isfinite(cost) and not cost < reach]


def plateau(whole: Look, each: Sequence[Look]) -> dict[str, Any]:
    """How wide the good learning rates reach: decades, the rates at both ends, and whether an end is that of the grid."""
    found = whole.good()
    ends = [None, None] if found is None else [whole.rates[found[0]], whole.rates[found[1]]]
    open_ended = found is not None and (found[0] == 0 or found[1] == len(whole.rates) - 1)
    width = over_seeds(whole.decades(), [look.decades() or 0.0 for look in each])
    return {"decades": width, "from": ends[0], "to": ends[1], "at_least": open_ended}


def dead_zone(whole: Look, each: Sequence[Look], margin: float) -> dict[str, Any]:
    """Which of the rates do no better than the constant predictor, and how many by seed."""
    dead = whole.dead(margin)
    return {"learning_rates": dead, "count": over_seeds(float(len(dead)), [float(len(look.dead(margin))) for look in each])}


def divergence_edge(rates: Sequence[float], table: Costs) -> dict[str, float | None]:
    """The lowest rate at which a seed was lost and the lowest at which all were; nothing where that never happened."""
    lost = ~np.isfinite(table)
    counts = lost.sum(axis=0).tolist()
    low, high = (
        next((rate for rate, count in zip(rates, counts, strict=True) if count >= many), None) for many in (1, len(lost))
    )
    return {"low": low, "high": high}


def default(rates: Sequence[float], table: Costs, sign: int, proposed: float, chosen: float | None) -> dict[str, Any]:
    """The rate nearest to the class's own proposal, on the log scale and the lower of two, against the one that was chosen."""
    near = min(rates, key=lambda rate: (round(abs(math.log(rate / proposed)), 9), rate))
    out: dict[str, Any] = {"proposed": proposed, "learning_rate": near, "tuned": chosen}
    for end, rate in (("", near), ("tuned_", chosen)):
        place = next((place for place, each in enumerate(rates) if each == rate), None)
        column = np.full(len(table), np.inf) if place is None else sign * table[:, place]
        whole = bool(np.isfinite(column).all())
        out[f"{end}score"] = over_seeds(float(column.mean()), column.tolist()) if whole else None
        out[f"{end}scores"] = [finite(score) for score in column.tolist()]
    return out
