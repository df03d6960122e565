"""Which contender serves which need, from the result alone: the same records and words for file, terminal, report and object."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from downslope.comparison.sentences import FEW, cost, named, sign
from downslope.comparison.wording import listed, number, plus_minus

Result = Mapping[str, Any]
Contender = Mapping[str, Any]
Record = dict[str, Any]

TITLES = {
    "best_score": "Best score",
    "untuned": "Best at its default rate",
    "fewest_updates": "Fewest updates",
    "fewest_seconds": "Fewest seconds",
    "least_memory": "Least memory",
    "widest_rates": "Widest good rates",
}


def needs(result: Result) -> list[Record]:
    """One record for each need that the result can answer; none of them needs another run.

    Each has `need`, `title`, the contender's `id`, `loss`, `optimizer` and `learning_rate`, the `figure` with `low` and `high`
    and its `unit`, `tied` (ids of others that serve as well) and `text`, which says it all.
    """
    found = [best_score(result), untuned(result), fewest(result, "updates"), least_memory(result), widest_rates(result)]
    return [record for record in found if record is not None]


def in_order(result: Mapping[str, Any]) -> list[Record]:
    """All needs as they are shown; behind the updates the one in seconds, which stands under `timing`."""
    records = list(result.get("needs", []))
    timed = result.get("timing", {}).get("needs", [])
    place = next((i + 1 for i, record in enumerate(records) if record["need"] == "fewest_updates"), len(records))
    return [*records[:place], *timed, *records[place:]]


def judged(result: Result) -> list[Contender]:
    """Contenders with a score, best first."""
    return sorted((c for c in result["contenders"] if c["score"] is not None), key=lambda c: cost(result, c))


def record(
    need: str,
    one: Contender,
    figure: float,
    low: float | None,
    high: float | None,
    unit: str,
    others: Sequence[Contender],
    words: str,
) -> Record:
    """A need with its answer in numbers and in words."""
    rate = one["settings"].get("learning_rate")
    return {
        "need": need,
        "title": TITLES[need],
        **{name: one[name] for name in ("id", "loss", "optimizer")},
        "learning_rate": rate,
        "figure": figure,
        "low": low,
        "high": high,
        "unit": unit,
        "tied": [c["id"] for c in others],
        "text": f"{named(one)}{words}{tie(others)}",
    }


def tie(others: Sequence[Contender]) -> str:
    """Who serves as well."""
    if not others:
        return ""
    return f"; a tie with {listed([named(c) for c in others]) if len(others) < FEW else f'{len(others)} others'}"


def best_score(result: Result) -> Record | None:
    """The best mean on the judged rows, and who is tied with it."""
    known = judged(result)
    if not known:
        return None
    one, score, title = known[0], known[0]["score"], result["metric"]["title"]
    others = [c for c in known[1:] if c["tied_with_best"]]
    words = f": {title} {plus_minus(score)}"
    return record("best_score", one, score["mean"], score["low"], score["high"], title, others, words)


def untuned(result: Result) -> Record | None:
    """Who does best at the learning rate that its class proposes: the nearest that was tried, on the rows that tuned.

    Tied is who is worse by no more than the practical margin, or not on every tuning seed.
    """
    tried = {r["id"]: r["default"] for r in result.get("tunability", []) if r["default"] and r["default"]["score"]}
    known = sorted((c for c in judged(result) if c["id"] in tried), key=lambda c: sign(result) * tried[c["id"]]["score"]["mean"])
    if not known:
        return None
    one, best, title = known[0], tried[known[0]["id"]], result["metric"]["title"]

    def close(other: Contender) -> bool:
        theirs = tried[other["id"]]
        behind = sign(result) * (theirs["score"]["mean"] - best["score"]["mean"])
        pairs = zip(theirs["scores"], best["scores"], strict=True)
        return behind <= (result.get("margin") or 0.0) or any(sign(result) * (a - b) <= 0 for a, b in pairs)

    score, near, proposed = best["score"], best["learning_rate"], best["proposed"]
    at = f"{near:.3g}" if f"{near:.3g}" == f"{proposed:.3g}" else f"{near:.3g}, the nearest tried to its default {proposed:.3g}"
    reach = score["high"] - score["low"]
    words = f" at {at}: {title} {number(score['mean'], reach or None)} on the rows that tuned"
    others = [c for c in known[1:] if close(c)]
    return record("untuned", one, score["mean"], score["low"], score["high"], title, others, words) | {"learning_rate": near}


def fewest(result: Result, unit: str) -> Record | None:
    """Who is soonest within the practical margin of the best, in updates or in seconds; tied is whose runs overlap with it."""
    found = result.get("timing", {}).get("seconds_to_best", {}) if unit == "seconds" else updates_to_best(result)
    known = [c for c in judged(result) if (found.get(c["id"]) or {}).get("mean") is not None]
    known.sort(key=lambda c: (found[c["id"]]["mean"], cost(result, c)))
    if not known:
        return None
    one, mine = known[0], found[known[0]["id"]]
    others = [c for c in known[1:] if mine["high"] is None or found[c["id"]]["low"] <= mine["high"]]
    say: Callable[[float], str] = (lambda v: f"{v:,.0f}") if unit == "updates" else number
    ends = (
        f"{say(mine['low'])} to {say(mine['high'])}" if mine["high"] is not None else f"from {say(mine['low'])}, some runs never"
    )
    whole = ", each with all rows" if one.get("batch") == "full" and unit == "updates" else ""
    words = f": {say(mine['mean'])} {unit}{whole} ({ends}) to within the margin of the best"
    return record(f"fewest_{unit}", one, mine["mean"], mine["low"], mine["high"], unit, others, words)


def updates_to_best(result: Result) -> dict[str, Any]:
    """Updates until each contender is as good as the best."""
    return {c["id"]: c["updates_to_best"] for c in result["contenders"] if c.get("updates_to_best")}


def least_memory(result: Result) -> Record | None:
    """Among those tied with the best, who remembers least for each parameter; exact, so it has no interval."""
    known = [c for c in judged(result) if c["tied_with_best"] and c.get("bytes_per_parameter") is not None]
    if not known:
        return None
    least = min(c["bytes_per_parameter"] for c in known)
    one, *others = [c for c in known if c["bytes_per_parameter"] == least]
    words = (
        f": {number(least) if least else 'no'} bytes for each parameter beside the model's own, among those tied with the best"
    )
    return record("least_memory", one, least, least, least, "bytes per parameter", others, words)


def widest_rates(result: Result) -> Record | None:
    """Whose good learning rates reach farthest; tied is whose width reaches, on some tuning seed, what this one has on each."""
    wide = {r["id"]: r["plateau"] for r in result.get("tunability", []) if r["plateau"]["decades"]["mean"] is not None}
    known = [c for c in judged(result) if c["id"] in wide]
    known.sort(key=lambda c: (-wide[c["id"]]["decades"]["mean"], cost(result, c)))
    if not known:
        return None
    one, mine = known[0], wide[known[0]["id"]]
    width = mine["decades"]
    others = [c for c in known[1:] if wide[c["id"]]["decades"]["high"] >= width["low"]]
    least = "at least " if mine["at_least"] else ""
    ends = f"{mine['from']:.3g} to {mine['to']:.3g}"
    unit = "decade" if width["mean"] == 1 else "decades"
    words = f": {least}{number(width['mean'])} {unit}, {ends} ({number(width['low'])} to {number(width['high'])} by seed)"
    return record("widest_rates", one, width["mean"], width["low"], width["high"], "decades", others, words)
