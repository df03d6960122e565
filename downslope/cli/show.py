"""`downslope losses`, `optimizers` and `metrics`: what there is to choose from."""

import json
from typing import Any

import click

from downslope.cli import terminal
from downslope.cli.options import example

NARROW = 60
SHORT = 10
JSON = click.option("--json", "as_json", is_flag=True, help="Print strict JSON.")


@click.command(epilog=example("downslope losses"))
@JSON
def losses(as_json: bool) -> None:
    """List the losses: what each is for, and what it aims at."""
    from downslope.cli.entry import every

    rows = [
        {
            "name": e.name,
            "short": list(e.aliases),
            "task": e.facts["task"],
            "idea": e.idea,
            "aims_at": e.facts.get("aims at", ""),
            "settings": {s.name: s.default for s in e.settings},
            "default": e.type.about.default,
        }
        for e in every("loss")
    ]
    order = ["regression", "binary", "multiclass"]
    rows.sort(key=lambda row: (order.index(row["task"]), not row["default"], row["name"]))
    table(rows, {"name": "name", "idea": "idea", "short": "short", "aims_at": "aims at"}, as_json, "downslope explain huber")


@click.command(epilog=example("downslope optimizers"))
@JSON
def optimizers(as_json: bool) -> None:
    """List the optimizers: what each does, and what a step costs."""
    from downslope.cli.entry import every, memory

    rows = [
        {
            "name": e.name,
            "short": list(e.aliases),
            "batch": e.type.about.batch,
            "idea": e.idea,
            "bytes_per_parameter": memory(e.type),
            "gradients_per_step": e.type.about.gradients_per_step,
            "default": e.type.about.default,
        }
        for e in every("optimizer")
    ]
    rows.sort(key=lambda row: (row["bytes_per_parameter"], row["name"]))
    columns = {"name": "name", "idea": "idea", "short": "short"}
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
    table(rows, {"name": "name", "title": "title", "better": "better"}, as_json, "downslope compare demo:diabetes --metric mae")


def table(rows: list[dict[str, Any]], shown: dict[str, str], as_json: bool, follow: str) -> None:
    """Rows as a table with the columns `shown`, or everything as JSON; a change of `group` starts a section with its name."""
    if as_json:
        click.echo(json.dumps(rows, indent=2, allow_nan=False))
        return
    from rich import box
    from rich.table import Table
    from rich.text import Text

    screen = terminal.console()
    if screen.width < NARROW:
        shown = dict(list(shown.items())[:2])
    grid = Table(box=box.SIMPLE, pad_edge=False, show_edge=False, collapse_padding=True, header_style="bold")
    for key, title in shown.items():
        grid.add_column(title, overflow="fold", no_wrap=key == "name", max_width=10 if "_per_" in key else None)
    group = None
    for row in rows:
        if row.get("task") != group:
            group = row.get("task")
            grid.add_section()
            grid.add_row(Text(str(group), style="italic"))
        cells = [brief(row[key]) for key in shown]
        grid.add_row(*(Text(terminal.clean(cell)) for cell in cells), style="bold" if row.get("default") else None)
    screen.print(grid)
    if any("default" in row for row in rows):
        screen.print()
        terminal.say(f"In every comparison unless others are named: {', '.join(row['name'] for row in rows if row['default'])}.")
    terminal.say(f"Try: {follow}")


def brief(value: Any) -> str:
    """A cell: a number in few digits, the shortest of several names."""
    if isinstance(value, list):
        return min((name for name in value if len(name) <= SHORT), key=len, default="")
    if value is None:
        return "varies"
    return f"{value:.3g}" if isinstance(value, float) else str(value)
