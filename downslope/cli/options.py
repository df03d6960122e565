"""Options that several commands share, and what can be refused before the work begins."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from downslope.core.errors import BadData

ENDINGS = {".csv", ".tsv", ".txt", ".gz", ".parquet", ".arrow", ".feather", ".ipc", ".npz"}
WHOLE = {"schedule", "average", "class_weight"}  # what may name several settings in one text
Command = Callable[..., Any]

DATA = [
    click.argument("source"),
    click.option("--target", metavar="COL", help="The column to predict. A demo table knows its own."),
    click.option("--task", type=click.Choice(["regression", "binary", "multiclass"]), help="Overrules what the target suggests."),
    click.option("--positive", metavar="CLASS", help="For two classes: the one whose probability is meant."),
    click.option("--drop", metavar="COL", multiple=True, help="Leave a column out; may be given several times."),
    click.option("--keep", metavar="COL", multiple=True, help="Use a column although it looks like row numbers; repeatable."),
    click.option("--weight", metavar="COL", help="A column that says how much each row counts."),
    click.option("--test", metavar="FILE", help="A table for the final test instead of a part set aside."),
    click.option("--split", metavar="HOW", help="time:COL judges on later rows, group:COL on other groups."),
]
TRAINING = [
    click.option("--metric", metavar="NAME", help="What decides; `downslope metrics` lists them."),
    click.option("--model", metavar="MODEL", help='For example linear or "mlp(widths=[64, 64])".'),
    click.option("--schedule", metavar="SCHEDULE", help='How the rate falls: cosine, or "learning_rate=cosine, b1=linear".'),
    click.option("--clip-norm", type=click.FloatRange(0, min_open=True), help="Greatest length of a gradient."),
    click.option("--average", metavar="AVERAGE", help='Predict with averaged parameters: uniform, "exponential(decay=0.9)".'),
    click.option("--class-weight", metavar="WEIGHTS", help='How classes count while learning: balanced, or "no=1, yes=5".'),
    click.option("--label-smoothing", type=click.FloatRange(0, 1, max_open=True), help="Share of a label that all classes get."),
    click.option("--standardize/--no-standardize", default=True, help="Whether numbers are scaled to mean 0 and variance 1."),
    click.option("--penalty", metavar="PENALTY", help='For example "l2(strength=0.001)".'),
    click.option("--epochs", type=click.IntRange(min=1), help="Passes over the data; otherwise planned by updates."),
    click.option("--time", "time_budget", metavar="TIME", help='Plan fewer epochs, the same for all: "90 s", "10 min".'),
    click.option("--draws", type=click.IntRange(min=1), help="Learning rates tried for each contender."),
    click.option("--thorough", is_flag=True, help="Then tune all settings, with as many draws for everyone."),
    click.option("--seeds", type=click.IntRange(min=2), help="How many runs, each with its own seed, judge a contender."),
    click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Where all randomness starts."),
    click.option(
        "--margin", type=click.FloatRange(0, 1, max_open=True), help="Smallest share by which a score must differ to matter."
    ),
    click.option("--single", is_flag=True, help="Keep the median model instead of the mean of all."),
]
WRITING = [
    click.option("--out", metavar="FOLDER", help="Where to write; otherwise NAME-downslope."),
    click.option("--fresh", is_flag=True, help="Start anew instead of continuing what is in the folder."),
    click.option("--json", "as_json", is_flag=True, help="Print the result as strict JSON and nothing else on stdout."),
    click.option("--quiet", is_flag=True, help="No plan and no progress on stderr."),
]


def shared(*groups: list[Command]) -> Callable[[Command], Command]:
    """Gives a command all options of some groups, in their order."""

    def decorate(command: Command) -> Command:
        for option in reversed([option for group in groups for option in group]):
            command = option(command)
        return command

    return decorate


def example(command: str) -> str:
    """The last lines of a command's help: a command to paste."""
    return f"\b\nExample:\n  {command}"


def folder_for(source: str) -> str:
    """The folder of a run whose user names none.

    >>> folder_for("data/sales.csv.gz"), folder_for("demo:iris")
    ('sales-downslope', 'iris-downslope')
    """
    path = Path(source.removeprefix("demo:"))
    while path.suffix.lower() in ENDINGS:
        path = path.with_suffix("")
    return f"{path.name}-downslope"


def check_source(source: str) -> None:
    """Refuses a file that is not there before anything heavy is loaded."""
    if source.startswith("demo:"):
        return
    if not Path(source).exists():
        near = sorted(p.name for p in Path(source).parent.glob("*") if p.suffix.lower() in ENDINGS)
        seen = f"; tables here: {', '.join(near[:8])}" if near else ""
        raise BadData(f"no such file: {source}{seen}. A file, or demo:diabetes, is expected")


def check_names(kind: str, text: str | None) -> None:
    """Refuses an unknown loss, optimizer, model or setting before the table is read."""
    if not text:
        return
    from downslope.cli.entry import catalogue
    from downslope.comparison.alike import averaged, scheduled
    from downslope.comparison.contender import method, split_names
    from downslope.comparison.labels import named

    if kind in WHOLE:
        {"schedule": scheduled, "average": averaged, "class_weight": named}[kind](text)
        return
    for name in split_names(text):
        if kind == "optimizer" and name.lower() != "all":
            method(name, batch=1)  # understands sgd@32
        elif name.lower() != "all" or kind not in {"loss", "optimizer"}:
            catalogue(kind).parse(name, files=True)
