"""`downslope explain`: one loss, optimizer, schedule, model or penalty in words, as an equation and as a picture."""

import os
import shlex
from pathlib import Path
from typing import Any

import click

from downslope import __version__
from downslope.cli import terminal
from downslope.cli.options import example
from downslope.core.errors import BadData
from downslope.core.own import blamed, file_of

PAGES = {".html", ".htm"}


@click.command(epilog=example("downslope explain huber --out huber.html"))
@click.argument("name")
@click.option("--out", metavar="PAGE", help="Write a page with pictures, a .html file that opens without a network.")
def explain(name: str, out: str | None) -> None:
    """Explain a loss, optimizer, schedule, model or penalty.

    NAME may be the path of a Python file of your own, which is run.
    """
    if out:
        check_page(Path(out))
    from downslope.cli.entry import find

    with blamed():
        entries = find(name)
        if out:
            write(entries, Path(out))
            terminal.say(f"Written: {out}")
            return
        for number, entry in enumerate(entries):
            if number:
                terminal.say("")
            tell(entry)


def check_page(path: Path) -> None:
    """Refuses a page that could not be written before anything is computed."""
    if path.is_dir():
        raise BadData(f"--out: {path} is a folder; name a file in it, for example {path / 'page.html'}")
    if path.suffix.lower() not in PAGES:
        raise BadData(f"--out: expected a name that ends in .html, got {path}")
    if not path.parent.is_dir():
        raise BadData(f"--out: there is no folder {path.parent}; make it, or name another place")
    if not os.access(path.parent, os.W_OK):
        raise BadData(f"--out: nothing can be written in the folder {path.parent}; name another place")


def tell(entry: Any) -> None:
    """Everything about one entry."""
    from downslope.cli.entry import NOTATION
    from downslope.cli.formula import readable

    terminal.say(f"{entry.title}: {entry.idea}." if entry.idea else entry.title, style="bold")
    terminal.say(f"{called(entry)}\n")
    for words in (entry.words, entry.use, entry.avoid):
        if words:
            terminal.say(words)
    if entry.equation:
        terminal.say("\n" + "\n".join(f"    {line}" for line in readable(entry.equation).splitlines()))
        terminal.say(f"\n{NOTATION[entry.kind]}")
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
    terminal.say(f"\n{drawn(entry, terminal.console().width)}\n")
    if entry.source:
        terminal.say(f"Source: {entry.source}")
    terminal.say(f"Code: {entry.file}")
    terminal.say(f"\nTry: {follow(entry)}")


def called(entry: Any) -> str:
    """What kind of thing it is, and by what names it goes."""
    aliases = f", also called {', '.join(entry.aliases)}" if entry.aliases else ""
    return f"The {entry.kind} `{entry.name}`{aliases}."


def drawn(entry: Any, width: int) -> str:
    """The picture of an entry in characters."""
    from downslope.cli import curves, plot

    found = curves.of(entry.kind, entry.type)
    return plot.draw(found.across, found.places, found.values, width=width, logarithmic=found.logarithmic)


def write(entries: list[Any], path: Path) -> None:
    """The page about these entries, whole or not at all."""
    from downslope.cli import curves
    from downslope.comparison.report.entry_page import entry_page
    from downslope.prediction.whole import write_whole

    contours = curves.contours() if any(entry.kind == "optimizer" for entry in entries) else []
    page = entry_page([plain(entry) for entry in entries], contours, __version__)
    try:
        write_whole(path, page.encode())
    except OSError as error:  # of a file that only we know of
        raise OSError(error.errno, error.strerror, str(path)) from None


def plain(entry: Any) -> dict[str, Any]:
    """An entry as texts and numbers, for the page."""
    from downslope.cli import curves
    from downslope.cli.entry import NOTATION
    from downslope.cli.formula import readable

    texts = {name: getattr(entry, name) for name in ("name", "title", "idea", "words", "use", "avoid", "example", "file")}
    return texts | {
        "kind": called(entry),
        "equation": readable(entry.equation),
        "notation": NOTATION[entry.kind],
        "follow": follow(entry),
        "source": entry.source.removesuffix(entry.url).strip(),
        "url": entry.url,
        "facts": list(entry.facts.items()),
        "differs": list(entry.differs.items()),
        "settings": [vars(row) for row in entry.settings],
        "curves": curves.of(entry.kind, entry.type),
    }


def follow(entry: Any) -> str:
    """A command to paste that uses the entry."""
    table = {"binary": "demo:breast_cancer", "multiclass": "demo:iris"}.get(entry.facts.get("task", ""), "demo:diabetes")
    option = {"loss": "losses", "optimizer": "optimizers"}.get(entry.kind, entry.kind)
    file = file_of(entry.type)
    return f"downslope compare {table} --{option} {shlex.quote(file.path) if file else entry.name}"
