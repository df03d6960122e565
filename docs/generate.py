"""Writes what can be derived from the code: stubs for type checkers and the reference pages. `--check` only compares."""

import json
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click

import downslope
from downslope.cli.entry import PACKAGES, Entry, catalogue, every
from downslope.cli.main import COMMANDS, cli

ROOT = Path(__file__).parent.parent
REFERENCE = ROOT / "docs" / "reference"
ORIGIN = "Written by `make generate`; edit what it is made from."
TITLES = {
    "loss": ("Losses", "How wrong a prediction is."),
    "optimizer": ("Optimizers", "How parameters follow the gradient."),
    "schedule": ("Schedules", "How the learning rate changes over a run."),
    "model": ("Models", "From features to raw scores."),
    "penalty": ("Penalties", "What the parameters themselves cost."),
}


def files() -> Iterator[tuple[Path, str]]:
    """Every generated file with its text."""
    yield ROOT / "downslope" / "__init__.pyi", top_stub()
    for kind, package in PACKAGES.items():
        folder = ROOT / Path(*package.split("."))
        entries = every(kind)
        yield folder / "__init__.pyi", stub(kind, entries)
        plural = package.rpartition(".")[2]
        yield REFERENCE / f"{plural}.md", index(kind, plural, entries)
        for entry in entries:
            yield REFERENCE / plural / f"{entry.name}.md", page(entry)
    yield REFERENCE / "cli.md", commands()


def stub(kind: str, entries: list[Entry]) -> str:
    """The names a catalogue finds, for type checkers, which cannot see discovery."""
    imports = [f"from {e.type.__module__} import {e.type.__name__} as {e.type.__name__}" for e in entries]
    package = PACKAGES[kind]
    functions: dict[str, str] = getattr(import_module(package), "WHERE", {})
    imports += [f"from {module} import {name} as {name}" for name, module in functions.items()]
    lines = ["from downslope.core.catalogue import Catalogue", *sorted(imports)]
    return f'"""{ORIGIN}"""\n\n' + "\n".join(lines) + f"\n\ncatalogue: Catalogue  # {package.rpartition('.')[2]}\n"


def top_stub() -> str:
    """The names of `downslope` itself."""
    lines = [f"from {module} import {name} as {name}" for name, module in downslope.WHERE.items()]
    modules = [f"from downslope import {name} as {name}" for name in downslope.PACKAGES]
    tables = "PACKAGES: tuple[str, ...]\nWHERE: dict[str, str]\n__version__: str\n"
    return f'"""{ORIGIN}"""\n\n' + "\n".join(sorted(modules) + sorted(lines)) + f"\n\n{tables}"


def index(kind: str, plural: str, entries: list[Entry]) -> str:
    """The list of one kind."""
    title, idea = TITLES[kind]
    lines = [f"<!-- {ORIGIN} -->", f"# {title}", "", idea, "", "| name | idea |", "|---|---|"]
    lines += [f"| [`{e.name}`]({plural}/{e.name}.md) | {e.idea} |" for e in entries]
    return "\n".join(lines) + "\n"


def page(entry: Entry) -> str:
    """The page of one entry."""
    short = f" Short names: {', '.join(f'`{alias}`' for alias in entry.aliases)}." if entry.aliases else ""
    lines = [f"<!-- {ORIGIN} -->", f"# {entry.title}", ""]
    lines += [f"*{entry.idea}.* The {entry.kind} `{entry.name}`.{short}", "", entry.words]
    if entry.equation:
        lines += ["", "$$", *(line.strip() for line in entry.equation.splitlines()), "$$"]
    if entry.source:
        lines += ["", f"Source: {entry.source}"]
    if entry.facts:
        lines += ["", "| | |", "|---|---|", *(f"| {what} | {cell(fact)} |" for what, fact in entry.facts.items())]
    if entry.settings:
        lines += ["", "## Settings", "", "| name | default | allowed | searched | meaning |", "|---|---|---|---|---|"]
        lines += [
            " | ".join(["", f"`{r.name}`", *map(cell, (r.default, r.bounds, r.search, r.doc)), ""]).strip()
            for r in entry.settings
        ]
    if entry.differs:
        lines += ["", "## Elsewhere under the same name", "", *(f"- **{who}**: {how}" for who, how in entry.differs.items())]
    if entry.example:
        lines += ["", "## Example", "", "```python", *entry.example.splitlines(), "```"]
    if entry.kind in {"loss", "optimizer"}:
        lines += ["", f"Checked against: {checked_against(entry.name)}."]
    return "\n".join(lines) + "\n"


def cell(text: str) -> str:
    """Text that cannot end a cell of a table."""
    return text.replace("|", "\\|")


def checked_against(name: str) -> str:
    """Whose numbers the entry is compared with by the tests, from the header of its golden file."""
    golden = ROOT / "tests" / "golden" / f"{name}.json"
    if not golden.exists():
        return "nothing stored yet, so this entry counts as *unverified*"
    cases = json.loads(golden.read_text(encoding="utf-8"))["cases"]
    return ", ".join(sorted({case["made_by"].partition(",")[0] for case in cases}))


def commands() -> str:
    """The help of every command, word for word."""
    lines = [f"<!-- {ORIGIN} -->", "# The command line", ""]
    for path in ((), *((name,) for name in COMMANDS)):
        context = click.Context(cli, info_name="downslope", terminal_width=80, max_content_width=80, **cli.context_settings)
        command: click.Command = cli
        for name in path:
            command = cli.get_command(context, name) or cli
            context = click.Context(command, info_name=name, parent=context, terminal_width=80, max_content_width=80)
        lines += [f"## {context.command_path}", "", "```text", command.get_help(context), "```", ""]
    return "\n".join(lines)


def stale(wanted: dict[Path, str]) -> list[Path]:
    """Generated files that are missing, differ, or belong to nothing any more."""
    differ = [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    return differ + [path for path in REFERENCE.rglob("*.md") if path not in wanted]


def main(arguments: list[str]) -> int:
    """Writes the files, or says which are stale."""
    wanted = dict(files())
    if "--check" in arguments:
        found = stale(wanted)
        for path in found:
            print(f"stale: {path.relative_to(ROOT)}; run make generate", file=sys.stderr)
        return 1 if found else 0
    for path in stale(wanted):
        if path in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[path], encoding="utf-8")
        else:
            path.unlink()
        print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    assert catalogue("loss").names, "the catalogues are empty"
    sys.exit(main(sys.argv[1:]))
