"""Writes what can be derived from the code: stubs for type checkers and the reference pages with their pictures. `--check` only
compares."""

import json
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import jax
import numpy as np

import downslope
from downslope.cli import curves
from downslope.cli.entry import NOTATION, PACKAGES, Entry, catalogue, every, family, memory
from downslope.cli.formula import rows
from downslope.cli.main import COMMANDS, cli
from downslope.cli.show import brief, when
from downslope.comparison.report.entry_page import draw
from downslope.comparison.report.figures import to_svg
from downslope.comparison.report.svg import as_file
from downslope.core import compiled
from downslope.core.about import Task
from downslope.core.arithmetic import arithmetic_p
from downslope.core.script import by_itself
from downslope.core.summed import FEWEST, program_of
from downslope.core.work import ARITHMETIC
from downslope.losses.base import Loss, share_of
from downslope.models import Linear
from downslope.training.many_rows import Batch
from downslope.training.step import Recipe, traced_scores, traced_slope

ROOT = Path(__file__).parent.parent
REFERENCE = ROOT / "docs" / "reference"
GOLDEN = ROOT / "tests" / "golden"
FORMULAS = ROOT / "tests" / "contract" / "loss_truth.py"
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
ROOM = 0.5  # of a point: what a coordinate may differ by on a machine that rounds otherwise
ORIGIN = "Written by `make generate`; edit what it is made from."
ABOUT_ORIGINS = """\
Optimizers are held against these trajectories step by step, schedules factor by factor, in float64. They come from PyTorch, Keras
or optax where one of them has the published rule, or another convention that a setting here gives. Where none has the rule, the
reason is here and a test tries it: the framework that has the name leaves the record, or a printed number is met. `make golden`
computes everything anew and refuses numbers made with ours. Losses need no record: they are held against 50-digit arithmetic.
"""
TITLES = {
    "loss": ("Losses", "How wrong a prediction is."),
    "optimizer": ("Optimizers", "How parameters follow the gradient."),
    "schedule": ("Schedules", "How the learning rate changes over a run."),
    "model": ("Models", "From features to raw scores."),
    "penalty": ("Penalties", "What the parameters themselves cost."),
}


def files() -> Iterator[tuple[Path, str]]:
    """Every generated file with its text."""
    contours = curves.contours()
    yield ROOT / "downslope" / "__init__.pyi", top_stub()
    for kind, package in PACKAGES.items():
        folder = ROOT / Path(*package.split("."))
        entries = every(kind)
        yield folder / "__init__.pyi", stub(kind, entries)
        plural = package.rpartition(".")[2]
        yield REFERENCE / f"{plural}.md", index(kind, plural, entries)
        for entry in entries:
            found = curves.of(kind, entry.type)
            yield REFERENCE / plural / f"{entry.name}.svg", drawing(entry, found, contours)
            yield REFERENCE / plural / f"{entry.name}.md", page(entry, found.caption)
    yield compiled.KERNELS / "compiled.c", compiled.source(dict(programs()))
    yield REFERENCE / "cli.md", commands()
    yield REFERENCE / "origins.md", origins()


def programs() -> Iterator[tuple[str, tuple[int, ...]]]:
    """The programs worth compiling: of each loss with one score its mean and its gradient by the scores, if it is arithmetic
    alone; what a run makes of the rows of a batch with a default loss; of each default optimizer a step on one matrix."""
    example = jax.ShapeDtypeStruct((FEWEST,), np.float32)
    found: dict[tuple[int, ...], str] = {}
    for entry in every("loss"):
        loss = entry.type()
        if loss.about.task is Task.MULTICLASS or loss.outputs() > 1:
            continue
        text = program_of(share_of, (loss, example, example, np.float32(1)), by=1)
        if text is not None:
            found.setdefault(text, entry.name)
        if loss.about.default:
            for text, name in zip(texts_of_rows(loss), ("learned", "scored"), strict=True):
                found.setdefault(text, f"{entry.name}_{name}")
    for entry in every("optimizer"):
        if entry.type.about.default:
            for text in texts_of(entry.type()):
                found.setdefault(text, f"{entry.name}_step")
    yield from ((name, text) for text, name in found.items())


def texts_of_rows(loss: Loss) -> Iterator[tuple[int, ...]]:
    """The programs for the rows from which a run learns, and for those that it scores, whatever its model."""
    rows = 3  # as many as nothing else has
    recipe: Any = Recipe(loss, None, None, None, Linear())  # pyright: ignore[reportArgumentType] - no optimizer is asked
    recipe, params = jax.tree.map(np.float32, recipe), recipe.model.init(jax.random.key(0), features=7, outputs=1)
    batch = Batch._make(jax.ShapeDtypeStruct(shape, np.float32) for shape in ((rows, 7), (rows,), (rows,)))
    for piece in (traced_slope, traced_scores):
        given = (recipe, params, batch) + (None,) * (piece is traced_slope)
        found, _ = by_itself(piece, given, len(jax.tree.leaves(recipe)))
        yield from (tuple(work.text[1:]) for work in found.each if work.code == ARITHMETIC and work.text[0] == rows)


def texts_of(optimizer: Any) -> list[tuple[int, ...]]:
    """The programs of a step on one matrix."""
    array = jax.ShapeDtypeStruct((10, 100), np.float32)
    state = jax.eval_shape(optimizer.init, array)
    operations = jax.make_jaxpr(optimizer.step)(array, state, array).eqns
    plans = [each.params["plan"] for each in operations if each.primitive is arithmetic_p]
    return [text for plan in plans for text in plan.texts()]


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


def drawing(entry: Entry, found: curves.Curves, contours: list[Any]) -> str:
    """The picture of one entry as a file."""
    return as_file(to_svg(lambda: draw(found, contours), entry.name, f"{entry.title}. {found.caption}"))


def index(kind: str, plural: str, entries: list[Entry]) -> str:
    """The list of one kind."""
    title, idea = TITLES[kind]
    lines = [f"<!-- {ORIGIN} -->", f"# {title}", "", idea, ""]
    columns = {"name": [f"[`{e.name}`]({plural}/{e.name}.md)" for e in entries], "idea": [e.idea for e in entries]}
    columns["use it"] = [when(e) for e in entries]
    if kind == "loss":
        columns["task"] = [e.facts["task"] for e in entries]
    if kind == "optimizer":
        columns["family"] = [family(e.type) for e in entries]
        columns["bytes per parameter"] = [brief(memory(e.type)) for e in entries]
        columns["gradients per step"] = [brief(e.type.about.gradients_per_step) for e in entries]
    lines += [" | ".join(["", *columns, ""]).strip(), "|" + "---|" * len(columns)]
    lines += [" | ".join(["", *map(cell, row), ""]).strip() for row in zip(*columns.values(), strict=True)]
    return "\n".join(lines) + "\n"


def page(entry: Entry, caption: str) -> str:
    """The page of one entry."""
    short = f" Short names: {', '.join(f'`{alias}`' for alias in entry.aliases)}." if entry.aliases else ""
    lines = [f"<!-- {ORIGIN} -->", f"# {entry.title}", ""]
    lines += [f"*{entry.idea[:1].upper()}{entry.idea[1:]}.* The {entry.kind} `{entry.name}`.{short}", "", entry.words]
    for advice in (entry.use, entry.avoid):
        if advice:
            lines += ["", f"**{advice[:3]}**{advice[3:]}"]
    if entry.equation:
        lines += ["", *mathematics(entry.equation), "", f"<sub>{NOTATION[entry.kind]}</sub>"]
    lines += ["", f"![{entry.title}: picture]({entry.name}.svg)", "", caption]
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
    lines += ["", "## Where it comes from", ""]
    if entry.source:
        lines += [f"- {entry.source}"]
    lines += [f"- The code: [{entry.file}](../../../{entry.file})"]
    if entry.kind in {"loss", "optimizer"}:
        lines += [f"- Checked against: {checked_against(entry.kind, entry.name)}."]
    return "\n".join(lines) + "\n"


def mathematics(latex: str) -> list[str]:
    """An equation for Markdown: in a block of its own, where no backslash is taken for an escape, one equation on each line.

    `operatorname` is refused by some renderers of Markdown; `mathrm` looks the same.
    """
    lines = [row.replace("\\operatorname", "\\mathrm") for row in rows(latex)]
    if len(lines) > 1:
        lines = [r"\begin{aligned}", *(f"& {row} {chr(92) * 2}" for row in lines), r"\end{aligned}"]
    return ["```math", *lines, "```"]


def cell(text: str) -> str:
    """Text that cannot end a cell of a table."""
    return text.replace("|", "\\|")


def checked_against(kind: str, name: str) -> str:
    """Whose numbers the entry is compared with by the tests, from the header of its golden file; what a loss is."""
    if kind == "loss":
        proven = re.search(rf"^@\w+\ndef {name}\(", FORMULAS.read_text(encoding="utf-8"), re.MULTILINE)
        return "its formula in 50-digit arithmetic" if proven else "itself in twice the digits, so its formula is *unverified*"
    makers = sorted({made_by.partition(",")[0] for made_by in recorded(kind, name)})
    return ", ".join(makers) or "nothing stored yet, so this entry counts as *unverified*"


def recorded(kind: str, name: str) -> list[str]:
    """What made each of the recorded cases of an entry."""
    path = GOLDEN / ("schedules.json" if kind == "schedule" else f"{name}.json")
    cases = json.loads(path.read_text(encoding="utf-8"))["cases"] if path.exists() else []
    return [case["made_by"] for case in cases if case.get("schedule", name) == name]


def origins() -> str:
    """Where every recorded number comes from, and why where it comes from none of the three frameworks."""
    reasons = json.loads((GOLDEN / "origins.json").read_text(encoding="utf-8"))
    lines = [f"<!-- {ORIGIN} -->", "# Where the recorded numbers come from", ""]
    lines += ABOUT_ORIGINS.splitlines()
    for kind in ("optimizer", "schedule"):
        lines += ["", f"## {TITLES[kind][0]}", "", "| name | made by | cases | why |", "|---|---|---|---|"]
        for name in catalogue(kind).names:
            makers = [re.split(r"\(| on | from ", made_by)[0] for made_by in recorded(kind, name)]
            said = "; ".join(sorted(set(makers))) or "*nothing yet*"
            why = reasons.get(name, "it has the rule")
            lines += [f"| `{name}` | {cell(said)} | {len(makers)} | {cell(why)} |"]
    return "\n".join(lines) + "\n"


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
    differ = [path for path, text in wanted.items() if not path.exists() or not same(path, text)]
    return differ + [path for end in ("md", "svg") for path in REFERENCE.rglob(f"*.{end}") if path not in wanted]


def same(path: Path, text: str) -> bool:
    """Whether a file holds the text; of a picture, whether it holds the same drawing within `ROOM` for each coordinate."""
    there = path.read_text(encoding="utf-8")
    if there == text or path.suffix != ".svg":
        return there == text
    numbers, wanted = (list(map(float, NUMBER.findall(one))) for one in (there, text))
    near = len(numbers) == len(wanted) and all(abs(a - b) <= ROOM for a, b in zip(numbers, wanted, strict=True))
    return near and NUMBER.sub("", there) == NUMBER.sub("", text)


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
