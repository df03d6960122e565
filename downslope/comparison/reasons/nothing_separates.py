"""Nothing separates them: are the contenders so close that the cheapest is the one to take?"""

from downslope.comparison.assemble import state_bytes
from downslope.comparison.contender import Contender
from downslope.comparison.counterfactual import where
from downslope.comparison.judge import interval
from downslope.comparison.reasons.base import (
    CONFIRMED,
    REFUTED,
    Case,
    Cause,
    Record,
    called,
    measured,
    opened,
    share_of,
    untested,
)
from downslope.comparison.wording import number
from downslope.optimizers.base import gradients_per_step

CLOSE = 0.05  # of the way from the constant predictor to the best


class NothingSeparates(Cause):
    """The sign is that all contenders are tied. Tied may mean alike, or that the table is too small to tell; which of the two is
    read from the simultaneous interval of the widest difference: alike if even its far end is small. No run is needed.
    """

    title = "nothing separates them"
    rank = 9

    def examine(self, case: Case) -> Record | None:
        ranking, metric = case.ranking, case.evidence.metric
        if len(ranking.order) < 2:
            return None
        tied, constant = sum(ranking.tied.values()), case.constants.get(metric.name)
        first, last = case.ranked[0], case.ranked[-1]
        share = measured("share of the contenders that are tied with the best", share_of(tied, len(ranking.order)))
        record = opened(self, case, [first, last], share, 1.0)
        if tied < len(ranking.order):
            return untested(record, f"{tied} of {len(ranking.order)} contenders are tied with the best")
        if constant is None:
            return untested(record, "there is no constant predictor to measure differences by")
        cheapest = min(case.ranked, key=lambda one: cost(case, one))
        gap = ranking.difference(last.id, first.id)
        needed = CLOSE * abs(constant - ranking.intervals[first.id].mean)
        return record | {
            "metric": {name: getattr(metric, name) for name in ("name", "title", "direction")},
            "plain": {
                "runs": [entry for one in (first, last) for entry in where(case.runs(one))],
                "score": ranking.intervals[first.id].mean,
            },
            "gap": interval(gap),
            "needed": float(needed),
            "contenders_tied": tied,
            "cheapest": {"name": called(cheapest), "gradients": cost(case, cheapest)[0], "bytes": cost(case, cheapest)[1]},
            "verdict": CONFIRMED if gap.high <= needed else REFUTED,
        }

    def sentence(self, record: Record) -> str:
        gap, title, count = record["gap"], record["metric"]["title"], record["contenders_tied"]
        ends = f"95 % interval {number(gap['low'])} to {number(gap['high'])}"
        if record["verdict"] == CONFIRMED:
            cheap = record["cheapest"]
            price = f"{cheap['name']} asks for {cheap['gradients']:g} gradient{'s' if cheap['gradients'] != 1 else ''} a step and"
            return (
                f"Nothing separates the {count} contenders: the last is {number(gap['mean'])} {title} behind the first ({ends}). "
                f"Choose by cost: {price} remembers {cheap['bytes']:g} bytes for each parameter."
            )
        return (
            f"All {count} contenders are tied because the table cannot tell them apart, not because they are alike: the last may "
            f"be up to {number(gap['high'])} {title} behind the first ({ends})."
        )


def cost(case: Case, one: Contender) -> tuple[float, float]:
    """Gradients that a step takes and bytes that the optimizer remembers for each parameter."""
    return float(gradients_per_step(one.optimizer) or 1), round(state_bytes(case.evidence, one), 2)
