"""Options that several commands share, and how lists of names are read."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click

from downslope.core.errors import BadData, DownslopeError

Command = Callable[..., Any]

DATA = [
    click.argument("source"),
    click.option("--target", metavar="COL", help="The column to predict. A demo table knows its own."),
    click.option("--task", type=click.Choice(["regression", "binary", "multiclass"]), help="Overrules what the target suggests."),
    click.option("--positive", metavar="CLASS", help="For two classes: the one whose probability is meant."),
    click.option("--drop", metavar="COL", multiple=True, help="Leave a column out; may be given several times."),
    click.option("--weight", metavar="COL", help="A column that says how much each row counts."),
    click.option("--test", metavar="FILE", help="A table for the final test instead of a part set aside."),
    click.option("--split", metavar="HOW", help="time:COL judges on later rows, group:COL on other groups."),
]
TRAINING = [
    click.option("--metric", metavar="NAME", help="What decides; `downslope metrics` lists them."),
    click.option("--model", metavar="MODEL", help='For example linear or "mlp(widths=[64, 64])".'),
    click.option("--schedule", metavar="SCHEDULE", help="How the learning rate falls: linear, cosine, constant."),
    click.option("--penalty", metavar="PENALTY", help='For example "l2(strength=0.001)".'),
    click.option("--epochs", type=click.IntRange(min=1), help="Passes over the data; otherwise planned by updates."),
    click.option("--seeds", type=click.IntRange(min=1), help="How many runs, each with its own seed, judge a contender."),
    click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Where all randomness starts."),
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


def names(given: Iterable[str]) -> list[str] | None:
    """Names from options that may be repeated and may hold several, separated by commas outside of parentheses.

    >>> names(["huber(delta=2), mse", "mlp(widths=[8, 8])"])
    ['huber(delta=2)', 'mse', 'mlp(widths=[8, 8])']
    """
    found, depth = [""], 0
    for text in given:
        for character in f"{text},":
            depth += (character in "([") - (character in ")]")
            if character == "," and depth <= 0:
                found.append("")
            else:
                found[-1] += character
        depth = 0
        found.append("")
    return [name.strip() for name in found if name.strip()] or None


def check_source(source: str) -> None:
    """Refuses a file that is not there before anything heavy is loaded."""
    if source.startswith("demo:"):
        return
    if not Path(source).exists():
        near = sorted(
            p.name for p in Path(source).parent.glob("*") if p.suffix in {".csv", ".tsv", ".parquet", ".gz", ".npz", ".arrow"}
        )
        seen = f"; tables here: {', '.join(near[:8])}" if near else ""
        raise BadData(f"no such file: {source}{seen}. A file, or demo:diabetes, is expected")


def check_names(kind: str, given: Iterable[str] | None) -> None:
    """Refuses an unknown loss, optimizer, model or setting before the table is read."""
    from downslope.cli.entry import catalogue

    for text in given or []:
        if text != "all":
            name, at, batch = text.rpartition("@") if "@" in text else (text, "", "")
            if at and not (batch == "full" or batch.isdigit() and int(batch) > 0):
                raise DownslopeError(f"{kind} {text!r}: after @ a number of rows or `full` is expected, got {batch!r}")
            catalogue(kind).parse(name)
