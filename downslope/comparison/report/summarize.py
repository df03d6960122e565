"""What the page says: every sentence, list and table as plain data, made from a result alone."""

from typing import Any

from downslope.comparison import sentences as say
from downslope.comparison.needs import in_order as needs_in_order
from downslope.comparison.report import series
from downslope.comparison.report.drawn import drawn
from downslope.comparison.report.method import commands, protocol
from downslope.comparison.report.tables import cell, table
from downslope.comparison.report.tuning import tuning
from downslope.comparison.report.wording import (
    better,
    between,
    block,
    clean,
    decimals,
    is_number,
    number,
    opening,
    rate,
    sentence,
    several,
)
from downslope.comparison.wording import capital, listed

CONTROLS = {
    "constant": "constant predictor",
    "linear": "linear model",
    "boosted_trees": "boosted trees",
}
MOST_COLUMNS = 250
FRAMEWORKS = {"downslope": "downslope", "pytorch": "PyTorch", "scikit-learn": "scikit-learn", "keras": "Keras", "optax": "optax"}


def summarize(result: dict[str, Any]) -> dict[str, Any]:
    """Everything in words and tables, in the order of the page."""
    return {
        "title": clean(f"{result['target']} in {result['name']}", 120),
        "target": clean(result["target"], 60),
        "name": clean(result["name"], 60),
        "several": len(result["contenders"]) > 1,
        "answer": answer(result),
        "needs": by_need(result),
        "ranking": ranking(result),
        "losses": losses(result),
        "rates": rates(result),
        "tuning": tuning(result),
        "drawn": drawn(result),
        "data": data(result),
        "protocol": protocol(result),
        "commands": commands(result),
    }


def places_of(result: dict[str, Any]) -> dict[str, int]:
    """For each metric the digits that its intervals carry."""
    ranking_metric = result["metric"]["name"]
    found = {}
    for metric in series.metrics(result):
        known = [series.value_of(c, metric["name"], ranking_metric) for c in result["contenders"]]
        found[metric["name"]] = decimals(value["high"] - value["low"] for value in known if value)
    return found


def answer(result: dict[str, Any]) -> dict[str, Any]:
    """The recommendation, its score and what stands beside it."""
    advice, metric, places = result["recommendation"], result["metric"], places_of(result)
    ranked = series.in_order(result)
    chosen = next((c for c in ranked if c["id"] == advice.get("id")), None)
    tied = [c for c in ranked if c["tied_with_best"]]
    digits = places[metric["name"]]
    facts = []
    if chosen and chosen.get("score"):
        note = f"{between(chosen['score'], digits)} (95\u202f%), {better(metric['direction'])}; on rows the models never saw"
        facts.append(
            {"label": metric["title"], "value": number(chosen["score"]["mean"], digits), "note": sentence(note), "kind": "main"}
        )
    if tied:
        note = "the data cannot tell these apart" if len(tied) > 1 else "no other comes close enough to be called equal"
        note = note if len(ranked) > 1 else "the only contender"
        facts.append(
            {"label": "Tied with the best", "value": f"{len(tied)} of {len(ranked)}", "note": sentence(note), "kind": ""}
        )
    tested = result.get("test", {}).get(metric["name"])
    if is_number(tested):
        note = "the delivered model, on rows set aside and opened once"
        facts.append({"label": "Test part", "value": number(tested, digits), "note": sentence(note), "kind": ""})
    for name, title in CONTROLS.items():
        control = result.get("controls", {}).get(name)
        value = series.control_value(control, metric["name"], metric["name"])
        if control is None or value is None:
            continue
        note = {"constant": "what guessing without any column gives", "linear": "the simplest model, for reference"}.get(
            name, "an outside reference"
        )
        if control.get("tied_with_best"):
            note = "tied with the best: a linear model is enough"
        if control.get("better"):
            note = "better, if you only want predictions"
        facts.append({"label": title.capitalize(), "value": number(value, digits), "note": sentence(note), "kind": ""})
    warnings = [sentence(warning, 600) for warning in result.get("warnings", [])]
    code = [{"name": clean(FRAMEWORKS.get(k, k), 40), "text": block(v)} for k, v in (advice.get("code") or {}).items() if v]
    text = sentence(advice["text"], 2400)
    for warning in warnings:  # they stand below on their own
        text = text.replace(f" {capital(warning).removesuffix('.')}.", "")
    missing = [f"{FRAMEWORKS.get(k, k)}: {v}" for k, v in (advice.get("code_missing") or {}).items()]
    lede, more = opening(text)
    return {
        "lede": lede,
        "more": more,
        "reasons": [sentence(reason, 600) for reason in advice.get("reasons", [])],
        "measured": [clean(words, 600) for words in say.measured(result, "confirmed", "refuted")],
        "not_tested": [clean(words, 300) for words in say.not_tested(result)],
        "trials": trials(result),
        "warnings": warnings,
        "facts": facts,
        "tied": [{"c": ranked.index(c), "text": clean(c["id"], 60), "chosen": c is chosen} for c in tied],
        "code": code,
        "missing": sentence(f"Not written for {'; '.join(missing)}.", 900) if code and missing else "",
        "unfinished": unfinished(result),
    }


def by_need(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Who serves which need, in the words of the result."""
    places = {c["id"]: place for place, c in enumerate(series.in_order(result))}
    return [
        {"c": places[need["id"]], "title": clean(need["title"], 60), "text": clean(need["text"], 400)}
        for need in needs_in_order(result)
        if need["id"] in places
    ]


def trials(result: dict[str, Any]) -> dict[str, Any] | None:
    """Every change that was tried, beside the same runs without it; `None` where none was."""
    columns = [("reason", "text"), ("contender", "text"), ("change", "text"), ("metric", "text"), ("pairs", "number")]
    columns += [("without", "number"), ("with", "number"), ("better by", "number"), ("95 % interval", "number")]
    rows = []
    for reason in result.get("reasons") or []:
        for arm in reason["arms"]:
            effect, title = arm["effect"], reason["metric"]["title"]
            digits = decimals([effect["high"] - effect["low"]])
            cells = [cell(reason["title"]), cell(reason["contenders"][0]), cell(arm["name"]), cell(title), cell(arm["pairs"])]
            cells += [cell(number(value, digits), value) for value in (reason["plain"]["score"], arm["score"], effect["mean"])]
            rows.append({"c": None, "cells": [*cells, cell(between(effect, digits), effect["low"])], "kind": ""})
    words = "Runs with one thing changed, each paired with a confirmation run of the same rows and seed."
    return table("trials", columns, rows, words) if rows else None


def unfinished(result: dict[str, Any]) -> str:
    """What is missing when the comparison was stopped, "" when nothing is."""
    if result.get("finished", True):
        return ""
    done = sum(1 for c in result["contenders"] if c.get("score"))
    total = several(len(result["contenders"]), "contender")
    return f"Stopped before its end: {done} of {total} finished. The rest may change the answer."


def ranking(result: dict[str, Any]) -> dict[str, Any]:
    """Every contender with what it scored and cost, or why it has no score."""
    places, ranking_metric = places_of(result), result["metric"]["name"]
    shown = series.metrics(result)
    columns = [("#", "number"), ("loss", "text"), ("optimizer", "text"), ("rate", "number")]
    columns += [(metric["title"], "number") for metric in shown[:1]] + [("95 % interval", "number"), ("worse by", "number")]
    columns += [("state", "text"), ("good rates", "number"), ("updates", "number")]
    columns += [(metric["title"], "number") for metric in shown[1:]]
    rows = []
    for index, one in enumerate(series.in_order(result)):
        loss, method = series.parts(one)
        digits, step = places[ranking_metric], one["settings"].get("learning_rate")
        gap = one.get("difference")
        cells = [
            cell(one["rank"] if one.get("rank") else "–", one.get("rank")),
            cell(loss),
            cell(method),
            cell(rate(step), step),
        ]
        values = [series.value_of(one, metric["name"], ranking_metric) for metric in shown]
        means = [
            cell(number(v["mean"], places[m["name"]]), v["mean"]) if v else cell("–") for m, v in zip(shown, values, strict=True)
        ]
        score = values[0]
        worse = "–" if not gap else "±0" if one["id"] == result["recommendation"].get("id") else number(gap["mean"], digits)
        cells += [means[0], cell(between(score, digits), score["low"] if score else None)]
        cells += [cell(worse, gap["mean"] if gap and is_number(gap["mean"]) else None), state(one)]
        tried, good = len(one.get("grid", [])), one.get("good_rates")
        cells += [
            cell(f"{good} of {tried}" if is_number(good) and tried else "–", good),
            cell(one.get("updates") or "–"),
            *means[1:],
        ]
        rows.append({"c": index, "cells": cells, "kind": "tied" if one["tied_with_best"] else "failed" if not score else ""})
    tied = sum(bool(c["tied_with_best"]) for c in result["contenders"])
    words = f"{several(len(rows), 'contender')}, {tied} tied with the best."
    return {"table": table("ranking", columns, rows, words), "failed": sum(1 for row in rows if row["kind"] == "failed")}


def state(one: dict[str, Any]) -> dict[str, Any]:
    """How a contender ended, in words."""
    if one["status"] != "ok":
        reason = f": {one['reason']}" if one.get("reason") else ""
        return cell(f"{one['status'].replace('_', ' ')}{reason}", kind="bad")
    words = ["tied"] if one["tied_with_best"] else []
    words += ["rate on the border"] if one.get("at_border") else []
    return cell(", ".join(words) or "ok")


def losses(result: dict[str, Any]) -> dict[str, Any]:
    """Each loss with its best optimizer on every metric, and what it aims at."""
    places, ranking_metric, shown = places_of(result), result["metric"]["name"], series.metrics(result)
    best: dict[str, tuple[int, dict[str, Any]]] = {}
    for index, one in enumerate(series.in_order(result)):
        best.setdefault(series.parts(one)[0], (index, one))
    columns = [("loss", "text"), ("its best optimizer", "text")]
    columns += [(metric["title"], "number") for metric in shown] + [("aims at", "text")]
    ahead: dict[str, str] = {}
    tops = {}
    for metric in shown:
        sign = 1 if metric["direction"] == "lower" else -1
        known = {loss: series.value_of(one, metric["name"], ranking_metric) for loss, (_, one) in best.items()}
        order = sorted((sign * value["mean"], loss) for loss, value in known.items() if value)
        if order:
            ahead[metric["title"]], tops[metric["name"]] = order[0][1], order[0][1]
    rows = []
    for loss, (index, one) in best.items():
        cells = [cell(loss), cell(series.parts(one)[1])]
        for metric in shown:
            value = series.value_of(one, metric["name"], ranking_metric)
            top = "best" if tops.get(metric["name"]) == loss and len(best) > 1 else ""
            text = number(value["mean"], places[metric["name"]]) if value else one["status"].replace("_", " ")
            cells.append(cell(text, value["mean"] if value else None, top))
        rows.append({"c": index, "cells": [*cells, cell(aim(one))], "kind": ""})
    for name, title in CONTROLS.items():
        control = result.get("controls", {}).get(name)
        if control:
            values = [series.control_value(control, metric["name"], ranking_metric) for metric in shown]
            cells = [cell(number(v, places[m["name"]]), v) for m, v in zip(shown, values, strict=True)]
            rows.append({"c": None, "cells": [cell(title), cell("–"), *cells, cell("")], "kind": "control"})
    winners = series.unique(list(ahead.values()))
    tied = {series.parts(one)[0] for one in result["contenders"] if one["tied_with_best"]}
    if len(best) < 2 or not winners:
        lead = ""
    elif len(winners) == 1:
        lead = f"On every metric shown {winners[0]} has the best mean."
    else:
        having = [(listed([title for title, top in ahead.items() if top == loss]), loss) for loss in winners]
        lead = "By " + "; by ".join(f"{titles} {loss} has the best mean" for titles, loss in having) + "."
    if lead and len(tied & best.keys()) > 1:
        names = listed([loss for loss in best if loss in tied])
        lead += f" By {shown[0]['title']} no difference was found between {names}."
    return {
        "table": table("losses", columns, rows, f"Each loss with the optimizer that served it best. {directions(shown)}"),
        "lead": sentence(lead, 600),
    }


def directions(metrics: list[dict[str, str]]) -> str:
    """Which metrics are better lower and which higher, in a sentence each."""
    found = []
    for direction in ("lower", "higher"):
        titles = [metric["title"] for metric in metrics if metric["direction"] == direction]
        found += [f"{direction.capitalize()} is better: {', '.join(titles)}."] if titles else []
    return " ".join(found)


def aim(one: dict[str, Any]) -> str:
    """What a loss aims at, with the constant that it would predict."""
    words = one.get("aims_at") or ""
    constant = one.get("best_constant")
    if not is_number(constant):
        return words
    return f"{words} ({number(constant)})" if words else number(constant)


def rates(result: dict[str, Any]) -> str:
    """Whether the best learning rates were found, and what equal cost means for full-batch methods."""
    border = [c["id"] for c in series.in_order(result) if c.get("at_border") and c.get("score")]
    if not any(len(c.get("grid", [])) > 1 for c in result["contenders"]):
        return "No learning rates were compared."
    words = "No chosen rate lies on the border of its range."
    if border:
        count, names = several(len(border), "contender"), clean(", ".join(border), 300)
        words = f"{count} chose a rate on the border of its range, so a better one may lie beyond: {names}."
    full = [c for c in result["contenders"] if c.get("batch") == "full" and c.get("updates")]
    mini = [c["updates"] for c in result["contenders"] if c.get("batch") != "full" and c.get("updates")]
    if full and mini:
        name = clean(series.parts(full[0])[1], 40)
        words += f" At the same cost {name} took {several(full[0]['updates'], 'step')}, mini-batches {number(max(mini))}."
    words += f" The vertical axes show {result['metric']['title']}, {better(result['metric']['direction'])}."
    return sentence(words)


def data(result: dict[str, Any]) -> dict[str, Any]:
    """What was read, typed, dropped and flagged."""
    rows, columns = result["rows"], result.get("columns", [])
    dropped = [f"{number(count)} dropped ({clean(reason, 120)})" for reason, count in rows.get("dropped", {}).items() if count]
    words = f"{several(rows['read'], 'row')} read, {number(rows['used'])} used" + "".join(f", {d}" for d in dropped)
    words += f"; {number(rows.get('development'))} to learn and judge on, {number(rows.get('test'))} set aside for the test."
    inputs = [column for column in columns if column["name"] != result["target"]]
    used = sum(1 for column in inputs if column["used"])
    words += f" {several(used, 'column')} used, {number(len(inputs) - used)} left out."
    order = sorted(columns, key=lambda column: (column["name"] != result["target"], bool(column["used"])))
    body = []
    for column in order[:MOST_COLUMNS]:
        use = cell("used")
        if column["name"] == result["target"]:
            use = cell("the target")
        elif not column["used"]:
            use = cell(f"left out: {column['reason']}" if column.get("reason") else "left out", kind="bad")
        counts = [cell(column.get("missing")), cell(column.get("distinct"))]
        body.append({"c": None, "cells": [cell(clean(column["name"], 60)), cell(column["kind"]), use, *counts], "kind": ""})
    heads = [("column", "text"), ("kind", "text"), ("use", "text"), ("missing", "number"), ("distinct values", "number")]
    more = f" The first {MOST_COLUMNS} of {number(len(columns))} are listed." if len(columns) > MOST_COLUMNS else ""
    return {
        "words": sentence(words),
        "notes": [sentence(note, 600) for note in result.get("notes", [])],
        "table": table("columns", heads, body, f"Columns, those left out first.{more}"),
    }
