"""`downslope losses`, `optimizers` and `metrics`: what there is to choose from."""

import json
import os
from typing import Any

import click

from downslope.cli import terminal
from downslope.cli.options import example

NARROW = 60
SHORT = 10
SLIM = 9
ENDLESS = 1000
JSON = click.option("--json", "as_json", is_flag=True, help="Print strict JSON.")


@click.command(epilog=example("downslope losses"))
@JSON
def losses(as_json: bool) -> None:
    """List the losses: the task of each, and when to use it."""
    from downslope.cli.entry import every

    rows = [
        {
            "name": e.name,
            "short": list(e.aliases),
            "task": e.facts["task"],
            "use": when(e),
            "idea": e.idea,
            "aims_at": e.facts.get("aims at", ""),
            "settings": {s.name: s.default for s in e.settings},
            "default": e.type.about.default,
        }
        for e in every("loss")
    ]
    order = ["regression", "binary", "multiclass"]
    rows.sort(key=lambda row: (order.index(row["task"]), not row["default"], row["name"]))
    table(rows, {"name": "name", "use": "use it", "task": "task"}, as_json, "downslope explain huber")


@click.command(epilog=example("downslope optimizers"))
@JSON
def optimizers(as_json: bool) -> None:
    """List the optimizers: the family of each, when to use it, and what a step costs."""
    from downslope.cli.entry import every, family, memory

    rows = [
        {
            "name": e.name,
            "short": list(e.aliases),
            "family": family(e.type),
            "batch": e.type.about.batch,
            "use": when(e),
            "idea": e.idea,
            "bytes_per_parameter": memory(e.type),
            "gradients_per_step": e.type.about.gradients_per_step,
            "default": e.type.about.default,
        }
        for e in every("optimizer")
    ]
    rows.sort(key=lambda row: (row["bytes_per_parameter"], row["name"]))
    columns = {"name": "name", "use": "use it", "family": "family"}
    columns |= {"bytes_per_parameter": "bytes per parameter", "gradients_per_step": "gradients per step"}
    table(rows, columns, as_json, "downslope explain adam")


@click.command(epilog=example("downslope metrics"))
@JSON
def metrics(as_json: bool) -> None:
    """List the metrics that can decide a comparison."""
    from downslope.comparison.metrics import METRICS
    from downslope.core.about import Task

    rows = [
        {"name": m.name, "title": m.title, "task": str(task), "better": m.direction}
        for task in Task
        for m in METRICS.values()
        if task in m.tasks
    ]
    columns = {"name": "name", "title": "title", "task": "task", "better": "better"}
    table(rows, columns, as_json, "downslope compare demo:diabetes --metric mae")


def when(entry: Any) -> str:
    """When to use it, in one line; the idea of an entry whose author says nothing of it."""
    return entry.use.removeprefix("Use it ").removesuffix(".") or entry.idea


def table(rows: list[dict[str, Any]], shown: dict[str, str], as_json: bool, follow: str) -> None:
    """Rows as a table with the columns `shown`, or everything as JSON. On a pipe every row is one line, for `grep`."""
    if as_json:
        click.echo(json.dumps(rows, indent=2, allow_nan=False))
        return
    screen = terminal.console()
    if not screen.is_terminal and "COLUMNS" not in os.environ:
        screen.width = ENDLESS
    screen.print(listed(rows, shown) if screen.width < NARROW else grid(rows, shown))
    if any("default" in row for row in rows):
        screen.print()
        terminal.say(f"In every comparison unless others are named: {', '.join(row['name'] for row in rows if row['default'])}.")
    terminal.say(f"Try: {follow}")


def grid(rows: list[dict[str, Any]], shown: dict[str, str]) -> Any:
    """Rows as a table with the columns `shown`."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    made = Table(box=box.SIMPLE, pad_edge=False, show_edge=False, collapse_padding=True, header_style="bold")
    for key, title in shown.items():
        whole = key in {"name", "task", "family"}
        made.add_column(title, overflow="fold", no_wrap=whole, max_width=SLIM if "_per_" in key else None)
    for row in rows:
        cells = [brief(row[key]) for key in shown]
        made.add_row(*(Text(terminal.clean(cell)) for cell in cells), style="bold" if row.get("default") else None)
    return made


def listed(rows: list[dict[str, Any]], shown: dict[str, str]) -> Any:
    """The first two columns of `shown`, one below the other, for a terminal too narrow for a table."""
    from rich.console import Group
    from rich.padding import Padding
    from rich.text import Text

    first, second, *_ = shown
    lines = [(Text(terminal.clean(row[first]), style="bold"), Text(terminal.clean(brief(row[second])))) for row in rows]
    return Group(*(part for name, words in lines for part in (name, Padding(words, (0, 0, 0, 2)))))


def brief(value: Any) -> str:
    """A cell: a number in few digits, the shortest of several names."""
    if isinstance(value, list):
        return min((name for name in value if len(name) <= SHORT), key=len, default="")
    if value is None:
        return "varies"
    return f"{value:.3g}" if isinstance(value, float) else str(value)
