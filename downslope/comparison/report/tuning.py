"""What tuning costs, as a table: expected scores, the width of good rates, dead rates, divergence, defaults against tuned."""

from typing import Any

from downslope.comparison.report import series
from downslope.comparison.report.tables import cell, table
from downslope.comparison.report.wording import better, between, decimals, number, rate

DRAWS = (1, 3, 9, 27)


def tuning(result: dict[str, Any]) -> dict[str, Any]:
    """One row for each method with its best loss; the ends in parentheses are those of the tuning seeds, each taken alone."""
    records = {record["id"]: record for record in result.get("tunability", [])}
    shown = {method: records[one] for method, (one, _) in series.tuning(result).items()}
    most = max((record["rates"] for record in shown.values()), default=0)
    counts = [count for count in DRAWS if count <= most]
    places = decimals(
        point["high"] - point["low"] for record in shown.values() for point in record["expected_best"] if point["draws"] in counts
    )
    index = {c["id"]: i for i, c in enumerate(series.in_order(result))}
    columns = [("optimizer", "text"), *((f"after {count}", "number") for count in counts), ("at its default", "number")]
    columns += [
        ("tuned", "number"),
        ("good decades", "number"),
        ("no better than constant", "number"),
        ("diverges from", "number"),
    ]
    rows = []
    for method, record in shown.items():
        points = {point["draws"]: point for point in record["expected_best"]}
        default = record["default"] or {}
        cells = [cell(method), *(spread(points.get(count), places) for count in counts)]
        cells += [spread(default.get("score"), places), spread(default.get("tuned_score"), places)]
        cells += [decades(record["plateau"]), dead(record), edge(record["divergence_edge"])]
        rows.append({"c": index[record["id"]], "cells": cells, "kind": ""})
    metric = result["metric"]
    words = (
        f"{metric['title']}, {better(metric['direction'])}: the best to expect after so many learning rates, at the tried rate "
        "nearest to the optimizer's own default, and at the chosen one. Good is within a twentieth of the way from the best of "
        "all to the constant predictor. In parentheses what each tuning seed alone would say, from the lowest to the highest."
    )
    return table("tuning-cost", columns, rows, words)


def spread(value: dict[str, Any] | None, places: int | None) -> dict[str, Any]:
    """A figure with its ends over the seeds."""
    if value is None or value["mean"] is None:
        return cell("–")
    return cell(f"{number(value['mean'], places)} ({between(value, places)})", value["mean"])


def decades(plateau: dict[str, Any]) -> dict[str, Any]:
    """The width of the good rates."""
    width = plateau["decades"]
    if width["mean"] is None:
        return cell("none")
    least = "≥ " if plateau["at_least"] else ""
    return cell(f"{least}{number(width['mean'], 1)} ({between(width, 1)})", width["mean"])


def dead(record: dict[str, Any]) -> dict[str, Any]:
    """How many of the tried rates learned nothing."""
    count = record["dead_zone"]["count"]
    return cell(f"{number(count['mean'])} of {record['rates']} ({between(count, 0)})", count["mean"])


def edge(ends: dict[str, float | None]) -> dict[str, Any]:
    """Where runs are lost: from the first rate that lost a seed to the first that lost all."""
    if ends["low"] is None:
        return cell("no rate tried")
    whole = "" if ends["high"] == ends["low"] else f", all from {rate(ends['high'])}" if ends["high"] is not None else ", not all"
    return cell(f"{rate(ends['low'])}{whole}", ends["low"])
