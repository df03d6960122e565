"""What the pictures show, as plain numbers: the order of contenders, heat maps, grids of learning rates, curves over seeds."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from downslope.comparison.report.palette import STEPS
from downslope.comparison.report.wording import decimals, is_number

CURVE_POINTS = 48
Curves = dict[tuple[str, str, str], dict[str, list[float]]]
"""By contender, split and metric: examples, median, low, high."""
STATUS_ORDER = ("ok", "diverged", "out_of_budget", "incompatible")


def in_order(result: dict[str, Any]) -> list[dict[str, Any]]:
    """All contenders: the ranked ones best first, then those without a score, each kind together."""
    sign = 1.0 if result["metric"]["direction"] == "lower" else -1.0

    def place(contender: dict[str, Any]) -> tuple[float, ...]:
        score = contender.get("score")
        if score is not None and is_number(score["mean"]):
            rank = contender.get("rank")
            return (0, float("inf") if rank is None else rank, sign * score["mean"])
        status = contender["status"]
        return (1, STATUS_ORDER.index(status) if status in STATUS_ORDER else len(STATUS_ORDER), 0)

    return sorted(result["contenders"], key=place)


def parts(contender: dict[str, Any]) -> tuple[str, str]:
    """What a contender is made of: the loss and the method, as its id says them (settings and batch included)."""
    loss, cross, method = contender["id"].partition(" × ")
    return (loss, method) if cross and loss and method else (contender["loss"], contender["optimizer"])


def unique(labels: Sequence[str]) -> list[str]:
    """Each label once, in the order of first appearance."""
    return list(dict.fromkeys(labels))


def metrics(result: dict[str, Any]) -> list[dict[str, str]]:
    """The ranking metric, then those shown beside it."""
    return [result["metric"], *(m for m in result.get("metrics", []) if m["name"] != result["metric"]["name"])]


def value_of(contender: dict[str, Any], metric: str, ranking: str) -> dict[str, float] | None:
    """A contender's mean and interval on a metric, `None` where there is none."""
    # The ranking's own interval goes before the plain one: page, terminal and picture must say the same.
    found = contender.get("score") if metric == ranking else contender.get("metrics", {}).get(metric)
    if is_number(found):
        return {"mean": float(found), "low": float(found), "high": float(found)}
    return found if isinstance(found, dict) and is_number(found.get("mean")) else None


def control_value(control: dict[str, Any] | None, metric: str, ranking: str) -> float | None:
    """A control's value on a metric."""
    for found in ((control or {}).get("metrics", {}).get(metric), (control or {}).get("score") if metric == ranking else None):
        plain = found.get("mean") if isinstance(found, dict) else found
        if is_number(plain):
            return float(plain)
    return None


def featured(result: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The contenders whose curves are worth a picture: the recommended one, the next best, the last with a score."""
    scored = [c for c in in_order(result) if c.get("score")]
    recommended = [c for c in scored if c["id"] == result["recommendation"].get("id")] or scored[:1]
    others = [c for c in scored if c not in recommended]
    named = [("Recommended" if result["recommendation"].get("id") else "Best so far", c) for c in recommended]
    ahead = bool(others) and scored.index(others[0]) < scored.index(
        recommended[0]
    )  # the recommended one is the simplest of equals
    named += [("Best mean" if ahead else "Runner-up", c) for c in others[:1]]
    return named + [("Last of the ranking", c) for c in others[1:][-1:]]


def seconds(result: dict[str, Any], contender: str) -> float | None:
    """How long one run of a contender took, `None` where nobody knows."""
    found = result.get("timing", {}).get("contender_seconds", {}).get(contender)
    return float(found) if is_number(found) and found > 0 else None


def along(result: dict[str, Any], contender: str, curve: dict[str, list[float]], by: str) -> list[float]:
    """Where the points of a curve lie: by "examples" seen, or by "seconds", which pass evenly over a run."""
    if by == "examples":
        return curve["examples"]
    whole = seconds(result, contender) or 0.0
    return [whole * (examples / (curve["examples"][-1] or 1.0)) for examples in curve["examples"]]  # exactly `whole` at the end


def curves(runs: list[dict[str, Any]], contenders: Sequence[str]) -> Curves:
    """Median and spread over the confirmation runs by (contender, split, metric): examples, median, low, high.

    Low and high are the 10 % and 90 % points; at most `CURVE_POINTS` epochs are kept, the last one among them.
    """
    wanted = set(contenders)
    found: dict[tuple[str, str, str], dict[float, list[tuple[float, float]]]] = {}
    for row in runs:
        if row["phase"] == "confirmation" and row["contender"] in wanted and row["split"] != "judge" and is_number(row["value"]):
            epochs = found.setdefault((row["contender"], row["split"], row["metric"]), {})
            epochs.setdefault(float(row["epoch"]), []).append((row["examples_seen"], row["value"]))
    thinned = {}
    for key, epochs in sorted(found.items()):
        order = np.array(sorted(epochs))
        kept = order[np.unique(np.linspace(0, len(order) - 1, min(CURVE_POINTS, len(order))).round().astype(int))]
        table = [
            (np.mean(pairs[:, 0]), *np.quantile(pairs[:, 1], [0.5, 0.1, 0.9])) for pairs in (np.array(epochs[e]) for e in kept)
        ]
        names = ("examples", "median", "low", "high")
        thinned[key] = {name: [float(v) for v in column] for name, column in zip(names, zip(*table, strict=True), strict=True)}
    return thinned


def learning_rates(result: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """By method: its contenders with a grid, in the order of the ranking."""
    grouped: dict[str, list[dict[str, Any]]] = {}
    for contender in in_order(result):
        if contender.get("grid"):
            grouped.setdefault(parts(contender)[1], []).append(contender)
    return grouped


def rate_losses(result: dict[str, Any]) -> list[str]:
    """The losses that have a line in the pictures of learning rates, sorted: their places give colour and dash."""
    return unique(sorted(parts(c)[0] for c in result["contenders"] if c.get("grid")))


def score_window(result: dict[str, Any]) -> tuple[float, float]:
    """The scores worth showing in detail, good end first: from the best to where most contenders and the useful controls lie.

    One hopeless contender or a constant predictor far away must not squeeze the others together.
    """
    scored = [c["score"] for c in in_order(result) if c.get("score")]
    sign = 1.0 if result["metric"]["direction"] == "lower" else -1.0
    ranking = result["metric"]["name"]
    controls = [control_value(c, ranking, ranking) for name, c in result.get("controls", {}).items() if name != "twin"]
    known = [sign * v for v in controls if v is not None]
    means = sorted(sign * s["mean"] for s in scored) or sorted(known) or [0.0, 1.0]
    spread = float(np.median([abs(s["high"] - s["low"]) for s in scored])) if scored else 0.0
    best = min([*means, *(v for v in known if v > means[0] - 3 * max(means[-1] - means[0], spread))])
    reach = max(5 * (float(np.median(means)) - means[0]), 3 * spread, 1e-3 * abs(means[0]), 1e-9)
    worst = max(v for v in [means[0] + spread, *means, *known] if v <= means[0] + reach)
    edge = 0.06 * (worst - best) + spread / 2
    return sign * (best - edge), sign * (worst + edge)


def rate_window(result: dict[str, Any]) -> tuple[float, float]:
    """The scores worth showing against learning rates, good end first: deep enough to see each valley's walls."""
    sign = 1.0 if result["metric"]["direction"] == "lower" else -1.0
    reached = [s for c in result["contenders"] for p in c.get("grid", []) for s in p["scores"] if is_number(s)]
    if not reached:
        return score_window(result)
    signed = np.sort(sign * np.array(reached, dtype=float))
    constant = control_value(result.get("controls", {}).get("constant"), result["metric"]["name"], result["metric"]["name"])
    worst = float(signed[0] + 2.2 * (np.median(signed) - signed[0]))
    worst = min(worst, float(signed[-1])) if constant is None else min(worst, float(signed[-1]), max(sign * constant, signed[0]))
    worst = max(worst, float(signed[0]) + max(1e-9, 1e-3 * abs(float(signed[0]))))
    edge = 0.08 * (worst - float(signed[0]))
    return sign * (float(signed[0]) - edge), sign * (worst + edge)


class Cell(NamedTuple):
    """One place in a heat map: the contender's place in the ranking, its value, a level of colour, its status."""

    contender: int
    value: dict[str, float] | None
    level: int
    best: bool
    status: str


class Heat(NamedTuple):
    """A heat map: names of rows and columns, what stands where, and the digits that the intervals carry."""

    losses: list[str]
    methods: list[str]
    cells: dict[tuple[str, str], Cell]
    places: int


def heat(result: dict[str, Any], metric: dict[str, str]) -> Heat:
    """Loss × method on one metric; where two contenders share a place, the better one stands there."""
    rows = in_order(result)
    at = {parts(c): (i, c) for i, c in reversed(list(enumerate(rows)))}
    found = {key: value_of(c, metric["name"], result["metric"]["name"]) for key, (_, c) in at.items()}
    sign = 1.0 if metric["direction"] == "lower" else -1.0
    means = sorted(sign * value["mean"] for value in found.values() if value) or [0.0]
    # One hopeless contender must not take all the colour, so the scale ends at four times the median's distance to the best.
    reach = min(means[-1] - means[0], 4 * (float(np.median(means)) - means[0])) or means[-1] - means[0] or 1.0
    cells = {}
    for key, (index, contender) in at.items():
        value = found[key]
        badness = min(1.0, (sign * value["mean"] - means[0]) / reach) if value else 1.0
        best = value is not None and sign * value["mean"] == means[0]
        cells[key] = Cell(index, value, round((STEPS - 1) * (1 - badness)), best, contender["status"].replace("_", " "))
    losses, methods = (unique([parts(c)[k] for c in rows]) for k in (0, 1))
    return Heat(losses, methods, cells, decimals(value["high"] - value["low"] for value in found.values() if value))


def tuning(result: dict[str, Any]) -> dict[str, tuple[str, list[dict[str, Any]]]]:
    """By method: its best contender, and the best score to expect after trying 1, 2, 3 … of its learning rates at random."""
    known = {record["id"]: record["expected_best"] for record in result.get("tunability", [])}
    best = {method: one for method, (one, *_) in learning_rates(result).items() if one.get("score")}
    return {method: (one["id"], known[one["id"]]) for method, one in best.items() if known.get(one["id"])}


def regularised(result: dict[str, Any]) -> list[dict[str, Any]]:
    """What none, L2 and dropout reach on training and on judged rows; nothing where they were not run."""
    return next((reason["sides"] for reason in result.get("reasons") or [] if reason.get("sides")), [])
