"""The result on stdout: the ranking, the recommendation, where everything lies, what to type next."""

import json
import shlex
from typing import Any

from downslope.cli import terminal
from downslope.cli.main import FAILED, OK
from downslope.comparison.needs import in_order
from downslope.comparison.report import wording
from downslope.comparison.sentences import measured

NARROW = 60
TIED, CHOSEN = "•", "→"


def as_json(data: dict[str, Any]) -> str:
    """Strict JSON, in ASCII, so that every terminal and every parser takes it."""
    return json.dumps(data, indent=2, allow_nan=False)


def exit_code(data: dict[str, Any]) -> int:
    """Success if at least one contender finished."""
    return OK if any(c["status"] == "ok" for c in data["contenders"]) else FAILED


def show(result: Any) -> None:
    """Ranking, recommendation, places and the next command."""
    data = result.data
    screen = terminal.console()
    screen.print(ranking(data, screen.width))
    text = data["recommendation"]["text"]
    tied = sum(1 for c in data["contenders"] if c["tied_with_best"])
    if tied > 1:
        terminal.say(f"{TIED} tied with the best: no difference found between these {tied}; {CHOSEN} recommended.")
    for warning in data.get("warnings", []):
        if warning[1:] not in text:  # its first letter is large there
            terminal.say(f"Warning: {warning}", style="yellow")
    screen.print()
    terminal.say(text, style="bold" if data["recommendation"].get("id") else "")
    reasons = measured(data, "confirmed")
    for reason in reasons:
        terminal.say(f"Why: {reason}")
    if reasons:
        screen.print()
    by_need = [f"  {found['title']}: {found['text']}." for found in in_order(data)]
    for text in ["By need:", *by_need] if by_need else []:
        terminal.say(text)
    if by_need:
        screen.print()
    for text in next_steps(data, result.folder):
        terminal.say(text)


def ranking(data: dict[str, Any], width: int) -> Any:
    """The table of contenders and controls; fewer columns where there is little room."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    metric = data["metric"]
    better = f"{metric['title']}, {wording.better(metric['direction'])}"
    places = wording.decimals(c["score"]["high"] - c["score"]["low"] for c in data["contenders"] if c["score"])
    table = Table(box=box.SIMPLE, pad_edge=False, show_edge=False, collapse_padding=True, header_style="bold")
    wide = width >= NARROW
    longest = max((len(scored(c["score"], places)) for c in data["contenders"] if c["score"]), default=0)
    table.add_column("", no_wrap=True)
    fits = (
        max((len(c["id"]) for c in data["contenders"]), default=0)
        + longest
        + len("10 •  contender  0.000316  ")
        - len("contender")
        <= width
    )
    table.add_column("contender", overflow="fold", no_wrap=wide and fits)
    if wide:
        table.add_column("rate", justify="right", no_wrap=True)
    table.add_column(Text(terminal.clean(better)), justify="right", overflow="fold", min_width=longest if wide else None)
    for c in ordered(data["contenders"]):
        recommended = c["id"] == data["recommendation"].get("id")
        mark = CHOSEN if recommended else TIED if c["tied_with_best"] else ""
        cells = [f"{c['rank'] or '':>2} {mark}", c["id"]]
        if wide:
            cells.append(wording.rate(c["settings"].get("learning_rate", "")))
        cells.append(scored(c["score"], places) if c["score"] else f"{c['status'].replace('_', ' ')}: {c['reason']}".rstrip(": "))
        table.add_row(*(Text(terminal.clean(cell)) for cell in cells), style="bold" if recommended else None)
    table.add_section()
    for name, score in controls(data, places):
        table.add_row("", Text(name), *([Text("")] if wide else []), Text(terminal.clean(score)), style="dim")
    return table


def ordered(contenders: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """By rank; those without one last, in the order of the plan."""
    return sorted(contenders, key=lambda c: (c.get("rank") is None, c.get("rank") or 0))


def controls(data: dict[str, Any], places: int) -> list[tuple[str, str]]:
    """The outside references that were scored, with their score."""
    titles = {"constant": "always the same guess", "linear": "linear model", "boosted_trees": "boosted trees"}
    known = data.get("controls") or {}
    return [
        (title, scored(known[name]["score"], places))
        for name, title in titles.items()
        if known.get(name, {}).get("score") is not None
    ]


def scored(score: dict[str, float] | float, places: int) -> str:
    """A score with its interval, if it has one."""
    if isinstance(score, dict):
        return f"{wording.number(score['mean'], places)} ({wording.between(score, places)})"
    return wording.number(score, places)


def next_steps(data: dict[str, Any], folder: Any) -> list[str]:
    """Where report and model lie, and the next command to type."""
    steps = [f"Report: {folder}/report.html"]
    if data["recommendation"].get("id") or any(c["status"] == "ok" for c in data["contenders"]):
        steps.append(f"Model:  {folder}/model")
        path = data.get("own", {}).get("model", {}).get("path")
        again = ["--model", path] if path else []
        command = shlex.join(["downslope", "predict", f"{folder}/model", "new.csv", *again, "--out", "predictions.csv"])
        steps.append(f"Next:   {command}")
    return steps
