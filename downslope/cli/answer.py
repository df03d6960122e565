"""The result on stdout: the ranking, the recommendation, where everything lies, what to type next."""

import json
import shlex
from typing import Any

from downslope.cli import terminal
from downslope.cli.main import FAILED, OK

NARROW = 60
MARK = "•"


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
    tied = sum(1 for c in data["contenders"] if c["tied_with_best"])
    if tied > 1:
        terminal.say(f"{MARK} tied with the best: no difference found between these {tied}.")
    for warning in data.get("warnings", []):
        terminal.say(f"Warning: {warning}", style="yellow")
    screen.print()
    terminal.say(data["recommendation"]["text"], style="bold" if data["recommendation"].get("id") else "")
    screen.print()
    for text in next_steps(data, result.folder):
        terminal.say(text)


def ranking(data: dict[str, Any], width: int) -> Any:
    """The table of contenders and controls; fewer columns where there is little room."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    metric = data["metric"]
    better = f"{metric.get('title') or metric['name']}, {metric['direction']} is better"
    table = Table(box=box.SIMPLE, pad_edge=False, show_edge=False, header_style="bold")
    wide = width >= NARROW
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("contender", overflow="fold")
    if wide:
        table.add_column("settings", overflow="fold")
    table.add_column(better, justify="right", overflow="fold")
    for c in ordered(data["contenders"]):
        recommended = c["id"] == data["recommendation"].get("id")
        cells = [str(c["rank"]) if c.get("rank") else "", MARK if c["tied_with_best"] else "", c["id"]]
        if wide:
            cells.append(settings(c.get("settings") or {}))
        cells.append(
            interval(c["score"])
            if c["status"] == "ok"
            else f"{c['status'].replace('_', ' ')}: {c.get('reason', '')}".rstrip(": ")
        )
        table.add_row(*(Text(terminal.clean(cell)) for cell in cells), style="bold" if recommended else None)
    table.add_section()
    for name, score in controls(data):
        table.add_row("", "", Text(name), *([Text("")] if wide else []), Text(score), style="dim")
    return table


def ordered(contenders: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """By rank; those without one last, in the order of the plan."""
    return sorted(contenders, key=lambda c: (c.get("rank") is None, c.get("rank") or 0))


def controls(data: dict[str, Any]) -> list[tuple[str, str]]:
    """The outside references that were scored, with their score."""
    titles = {"constant": "always the same guess", "linear": "linear model", "boosted_trees": "boosted trees"}
    rows = []
    for name, title in titles.items():
        score = (data.get("controls") or {}).get(name, {}).get("score")
        if isinstance(score, dict):
            rows.append((title, interval(score)))
        elif score is not None:
            rows.append((title, number(score)))
    return rows


def settings(values: dict[str, Any]) -> str:
    """Settings as one reads them: the learning rate first."""
    first = sorted(values.items(), key=lambda item: item[0] != "learning_rate")
    return ", ".join(
        f"{name.replace('_', ' ')} {value:.4g}" if isinstance(value, float) else f"{name} {value}" for name, value in first
    )


def interval(score: dict[str, float]) -> str:
    """A mean and its interval, with no more digits than the interval bears out.

    >>> interval({"mean": 49012.3, "low": 48110.0, "high": 49900.0})
    '49,010 (48,110 … 49,900)'
    """
    width = abs(score["high"] - score["low"])
    return f"{number(score['mean'], width)} ({number(score['low'], width)} … {number(score['high'], width)})"


def number(value: float, width: float | None = None) -> str:
    """A number rounded to a hundredth of `width`, or to four digits.

    >>> number(0.912345, 0.01), number(123456.0), number(1.5e-9)
    ('0.9123', '123,500', '1.5e-09')
    """
    import math

    if not math.isfinite(value):
        return str(value)
    size = abs(value)
    if size and (size < 1e-4 or size >= 1e12):
        return f"{value:.4g}"
    step = math.floor(math.log10(width)) - 2 if width else (math.floor(math.log10(size)) - 3 if size else 0)
    rounded = round(value, -step)
    return f"{rounded:,.{max(0, -step)}f}"


def next_steps(data: dict[str, Any], folder: Any) -> list[str]:
    """Where report and model lie, and the next command to type."""
    steps = [f"Report: {folder}/report.html"]
    if data["recommendation"].get("id") or any(c["status"] == "ok" for c in data["contenders"]):
        steps.append(f"Model:  {folder}/model")
        command = shlex.join(["downslope", "predict", f"{folder}/model", "new.csv", "--out", "predictions.csv"])
        steps.append(f"Next:   {command}")
    return steps
