"""`downslope explain`: one loss, optimizer, schedule, model or penalty in words, as an equation and as a picture."""

from typing import Any

import click

from downslope.cli import terminal
from downslope.cli.options import example


@click.command(epilog=example("downslope explain huber"))
@click.argument("name")
def explain(name: str) -> None:
    """Explain a loss, optimizer, schedule, model or penalty."""
    from downslope.cli.entry import find

    for number, entry in enumerate(find(name)):
        if number:
            terminal.say("")
        tell(entry)


def tell(entry: Any) -> None:
    """Everything about one entry."""
    from downslope.cli.formula import readable

    aliases = f", also called {', '.join(entry.aliases)}" if entry.aliases else ""
    terminal.say(f"{entry.title}: {entry.idea}.", style="bold")
    terminal.say(f"The {entry.kind} `{entry.name}`{aliases}.\n")
    terminal.say(entry.words)
    if entry.equation:
        terminal.say("\n" + "\n".join(f"    {line}" for line in readable(entry.equation).splitlines()))
    if entry.source:
        terminal.say(f"\nSource: {entry.source}")
    if entry.facts:
        terminal.say("")
        for what, fact in entry.facts.items():
            terminal.say(f"{what}: {fact}")
    if entry.settings:
        terminal.say("\nSettings", style="bold")
        for row in entry.settings:
            search = f"; searched in {row.search}" if row.search else ""
            bounds = f"; {row.bounds}" if row.bounds else ""
            terminal.say(f"  {row.name} = {row.default}{bounds}{search}")
            terminal.say(f"      {row.doc}")
    if entry.differs:
        terminal.say("\nElsewhere under the same name", style="bold")
        for who, how in entry.differs.items():
            terminal.say(f"  {who}: {how}")
    if picture := drawn(entry, terminal.console().width):
        terminal.say(f"\n{picture}")
    terminal.say(f"\nTry: {follow(entry)}")


def drawn(entry: Any, width: int) -> str:
    """The picture of an entry, if its kind has one."""
    from downslope.cli import curves, plot

    if entry.kind == "loss":
        return plot.draw(*curves.loss_curves(entry.type()), width=width)
    if entry.kind == "optimizer":
        return plot.draw(*curves.descent(entry.type), width=width, logarithmic=True)
    if entry.kind == "schedule":
        return plot.draw(*curves.fall(entry.type()), width=width)
    return ""


def follow(entry: Any) -> str:
    """A command to paste that uses the entry."""
    table = {"binary": "demo:breast_cancer", "multiclass": "demo:iris"}.get(entry.facts.get("task", ""), "demo:diabetes")
    option = {"loss": "losses", "optimizer": "optimizers"}.get(entry.kind, entry.kind)
    return f"downslope compare {table} --{option} {entry.name}"
