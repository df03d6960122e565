"""What each loss aims at beside what the metric asks for, and how much of a gap is owed to aiming elsewhere."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from downslope.comparison.controls import median
from downslope.comparison.metrics import Metric
from downslope.comparison.sentences import best_of_losses, cost, named
from downslope.comparison.wording import capital, listed, number, title

EXPLAINS = 0.5  # share of a gap that has to close without the offset
MOST = 2  # losses of which it is told


def offset(
    metric: Metric, targets: Sequence[np.ndarray], predictions: Sequence[np.ndarray], weights: Sequence[np.ndarray | None]
) -> dict[str, float] | None:
    """By how much predictions of judged rows are too high, and the score without that; `None` where a metric asks for neither.

    Of each run the mean residual is looked at where the metric asks for the mean, the median one where it asks for the median.

    >>> from downslope.comparison.metrics import METRICS
    >>> target, high = np.array([1.0, 2.0, 3.0]), np.array([3.0, 4.0, 5.0])
    >>> offset(METRICS["mae"], [target], [high], [None])
    {'too_high': 2.0, 'score': 0.0}
    """
    if metric.asks_for not in ("the mean", "the median"):
        return None
    found, scores = [], []
    for target, prediction, weight in zip(targets, predictions, weights, strict=True):
        residual, heavy = prediction - target, np.ones(len(target)) if weight is None else weight
        shift = median(residual, heavy) if metric.asks_for == "the median" else float(np.average(residual, weights=heavy))
        found.append(shift)
        scores.append(metric.function(target, prediction - shift, weight))
    return {"too_high": float(np.mean(found)), "score": float(np.mean(scores))}


def aims(judged: Sequence[Mapping[str, Any]]) -> str:
    """What each loss would predict for every row if it could say one number only."""
    out: dict[str, str] = {}
    for c in judged:
        if c.get("best_constant") is not None and c["loss"] not in out:
            goal = f"{c['aims_at']} ({number(c['best_constant'])})" if c.get("aims_at") else number(c["best_constant"])
            out[c["loss"]] = f"{title(dict(c), 'loss')} aims at {goal}"
    return capital(", ".join(out.values()) + ".") if len(out) > 1 else ""


def aims_elsewhere(result: Mapping[str, Any], chosen: Mapping[str, Any], judged: Sequence[Mapping[str, Any]]) -> str:
    """Why the chosen loss wins where others aim at another number than the metric asks for, and their gap closes without that.

    Told of losses that are worse beyond chance: taking the offset from their predictions must close half of the gap.
    """
    metric, tied = result["metric"], {c["loss"] for c in judged if c["tied_with_best"]}
    said = []
    for c in best_of_losses(result, judged).values():
        gap, away = cost(result, c) - cost(result, chosen), c.get("offset")
        if c["loss"] in tied or not away or not c.get("aims_at") or gap <= 0:
            continue
        closes = abs(c["score"]["mean"] - away["score"])
        if closes >= EXPLAINS * gap:
            way = "too high" if away["too_high"] > 0 else "too low"
            where = "on average" if metric["asks_for"] == "the mean" else "for the middle row"
            said.append(
                f"{named(c)} aims at {c['aims_at']} and predicts {number(abs(away['too_high']))} {way} {where}, without which "
                f"its {metric['title']} would be {number(away['score'])} in place of {number(c['score']['mean'])}"
            )
    if not said:
        return ""
    mine = f", at which {title(dict(chosen), 'loss')} aims" if chosen.get("aims_at") == metric["asks_for"] else ""
    return capital(f"{metric['title']} asks for {metric['asks_for']}{mine}: {listed(said[:MOST])}.")
