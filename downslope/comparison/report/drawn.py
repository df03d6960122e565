"""What the second tier of tuning brought, as a table: the first tier's score, the best draw's, the settings that were chosen."""

from typing import Any

from downslope.comparison.report import series
from downslope.comparison.report.tables import cell, table
from downslope.comparison.report.wording import better, decimals, number, rate

FIRST = 0  # the number of the first tier's choice among the draws


def drawn(result: dict[str, Any]) -> dict[str, Any] | None:
    """One row for each contender whose settings were drawn, in the order of the ranking; `None` where there was one tier."""
    found = [(place, one, one["second_tier"]) for place, one in enumerate(series.in_order(result)) if one.get("second_tier")]
    if not found:
        return None
    metric = result["metric"]
    places = decimals(spans(second) for _, _, second in found)
    columns = [("optimizer", "text"), ("loss", "text"), ("rate alone", "number"), ("all settings", "number")]
    columns += [("chosen", "text"), ("whole draws", "number")]
    rows = []
    for place, one, second in found:
        loss, method = series.parts(one)
        first, best = ends(second, metric["direction"])
        whole = sum(draw["status"] == "ok" for draw in second["draws"] if draw["number"] != FIRST)
        cells = [cell(method), cell(loss), score(first, places), score(best, places), cell(chosen(second)), cell(whole)]
        rows.append({"c": place, "cells": cells, "kind": ""})
    words = (
        f"{metric['title']}, {better(metric['direction'])}, on the rows that tune, over all seeds of the second tier: of the "
        "first tier's choice, and of the best among the draws that went on to the end. The latter's settings are chosen where "
        "they are better by more than the practical margin."
    )
    return table("second-tier", columns, rows, words)


def ends(second: dict[str, Any], direction: str) -> tuple[float | None, float | None]:
    """The score of the first tier's choice and the best of the draws that were not stopped."""
    scores = {draw["number"]: draw["score"] for draw in second["draws"] if draw["status"] == "ok" and draw["score"] is not None}
    first = scores.pop(FIRST, None)
    return first, (min if direction == "lower" else max)(scores.values(), default=None)


def spans(second: dict[str, Any]) -> float:
    """By how much the seeds of the chosen draw differ: what decides how many digits are worth showing."""
    scores = next((draw["scores"] for draw in second["draws"] if draw["number"] == second["chosen"]), [])
    known = [value for value in scores if value is not None]
    return max(known) - min(known) if known else 0.0


def score(value: float | None, places: int | None) -> dict[str, Any]:
    """A score, or a dash where there is none."""
    return cell("–") if value is None else cell(number(value, places), value)


def chosen(second: dict[str, Any]) -> str:
    """The settings that were confirmed, in words."""
    draw = next((draw for draw in second["draws"] if draw["number"] == second["chosen"]), None)
    if draw is None or draw["number"] == FIRST:
        return "as in the first tier"
    return ", ".join(f"{name.replace('_', ' ')} {rate(value)}" for name, value in draw["settings"].items())
