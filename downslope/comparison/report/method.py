"""How it was done: rules, budget, every setting, versions, papers, and what to type to do it again."""

import re
import shlex
from typing import Any

from downslope.comparison.report import series
from downslope.comparison.report.tables import cell, table
from downslope.comparison.report.wording import better, block, clean, is_number, number, settings
from downslope.comparison.wording import percent

WEB = re.compile(r"https://[!-~]+")


def protocol(result: dict[str, Any]) -> dict[str, Any]:
    """How it was done: rules, budget, settings, versions, papers."""
    scale, margin, clip = result.get("target_scale"), result.get("margin"), result.get("clip_norm")
    seconds = result.get("timing", {}).get("total_seconds")
    facts = [
        (
            "Task",
            f"{result['task']}" + (f", classes {', '.join(map(clean, result['classes'][:30]))}" if result.get("classes") else ""),
        ),
        ("Positive class", result.get("positive") or ""),
        ("Ranked by", f"{result['metric']['title']}, {better(result['metric']['direction'])}"),
        ("Split", result.get("split", {}).get("words", "")),
        ("Budget", result.get("budget", {}).get("words", "")),
        ("Model", result.get("model", "")),
        ("Schedule", result.get("schedule", "")),
        ("Clipping", f"gradients to a global norm of {clip:g}" if is_number(clip) else ""),
        ("Predicts with", result.get("average") or ""),
        ("Class weights", f"{result['class_weight']}, while learning, not while judging" if result.get("class_weight") else ""),
        ("Label smoothing", f"{result['label_smoothing']:g}, while learning" if result.get("label_smoothing") else ""),
        ("Numbers", "" if result.get("standardize", True) else "in their own units, not standardised"),
        ("Penalty", result.get("penalty") or "none"),
        ("Target inside", f"minus {number(scale['centre'])}, divided by {number(scale['scale'])}" if scale else ""),
        ("Tied means", "inside the simultaneous 95 % set over all pairs, from a bootstrap over rows and seeds"),
        ("A/A twin", twin(result)),
        ("Seed", str(result.get("seed", ""))),
        ("Devices", result.get("devices", "")),
        (
            "Margin",
            f"{number(margin)} {result['metric']['title']}{margin_share(result)}, fixed beforehand" if is_number(margin) else "",
        ),
        ("Time", f"{number(seconds, 1)} s" if is_number(seconds) else ""),
        ("Versions", ", ".join(f"{name} {version}" for name, version in sorted(result.get("versions", {}).items()))),
    ]
    heads = [("contender", "text"), ("settings", "text"), ("batch", "text"), ("examples seen", "number"), ("updates", "number")]
    heads += [("bytes per parameter", "number"), ("best epoch", "number")]
    rows = []
    for index, one in enumerate(series.in_order(result)):
        memory, best = one.get("bytes_per_parameter"), one.get("epoch_best")
        cells = [
            cell(one["id"]),
            cell(settings(one["settings"], one.get("settings_in_units"))),
            cell(str(one.get("batch", ""))),
            cell(one.get("examples_seen")),
        ]
        cells += [cell(one.get("updates")), cell(number(memory, 1), memory), cell(number(best, 1), best)]
        rows.append({"c": index, "cells": cells, "kind": ""})
    return {
        "fairness": [(label, clean(text, 700)) for label, text in result.get("fairness", [])],
        "facts": [(label, clean(text, 700)) for label, text in facts if text],
        "table": table("settings", heads, rows, "Every setting needed to repeat a contender."),
        "references": references(result),
    }


def margin_share(result: dict[str, Any]) -> str:
    """What the margin is a share of."""
    share = result.get("margin_share")
    return f", {percent(share)} of the way from the best to the constant predictor" if is_number(share) else ""


def twin(result: dict[str, Any]) -> str:
    """What entering one contender twice has shown."""
    found = result.get("controls", {}).get("twin")
    if not found:
        return ""
    if found.get("tied"):
        return f"{found['of']}, entered twice with its own draws, came out tied with itself, as it must"
    return f"{found['of']}, entered twice, differs from itself: the noise exceeds the claims, so read every difference with doubt"


def references(result: dict[str, Any]) -> list[dict[str, str]]:
    """The papers of the losses and optimizers that took part, each with its address where that is one of the web."""
    return [
        {
            "name": clean(paper["name"], 60),
            "text": clean(paper["text"], 300),
            "url": paper["url"] if WEB.fullmatch(paper["url"]) else "",
        }
        for paper in result.get("papers", ())
    ]


def commands(result: dict[str, Any]) -> dict[str, str]:
    """What to type next, and what to type to repeat or continue; "" where a result cannot tell."""
    has_model = bool(result.get("test")) and result.get("finished", True)
    path = result.get("own", {}).get("model", {}).get("path")
    again = f" --model {shlex.quote(path)}" if path else ""
    following = result.get("next") or f"downslope predict model new.csv{again} --out predictions.csv"
    given = block(result.get("command") or "")
    return {"given": given, "repeat": given or in_full(result), "next": block(following) if has_model else ""}


def in_full(result: dict[str, Any]) -> str:
    """The command with every choice written out, where the data came from something that a command can name."""
    source = str(result.get("source", ""))
    entries = result["contenders"]
    if not ("." in source or ":" in source) or result.get("own") or any(each.get("own") for each in entries):
        return ""  # what is the user's own has no name that could be typed
    losses, methods = (series.unique([series.parts(c)[k] for c in entries]) for k in (0, 1))
    budget = result.get("budget", {})
    options = {
        "target": result["target"],
        "positive": result.get("positive"),
        "metric": result["metric"]["name"],
        "losses": ",".join(losses),
        "optimizers": ",".join(methods),
        "model": result.get("model"),
        "schedule": result.get("schedule"),
        "clip-norm": result.get("clip_norm"),
        "average": result.get("average"),
        "class-weight": result.get("class_weight"),
        "label-smoothing": result.get("label_smoothing"),
        "penalty": result.get("penalty"),
        "epochs": budget.get("epochs"),
        "draws": budget.get("learning_rates"),
        "seeds": budget.get("confirmation"),
        "seed": result.get("seed"),
        "margin": result.get("margin_share"),
    }
    words = [f"--{name} {shlex.quote(str(value))}" for name, value in options.items() if value is not None]
    words += [] if result.get("standardize", True) else ["--no-standardize"]
    words += ["--thorough"] if budget.get("thorough_seeds") else []
    return block(" \\\n  ".join([f"downslope compare {shlex.quote(source)}", *words]))
