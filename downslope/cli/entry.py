"""What one entry of a catalogue says of itself, gathered once for the terminal and for the reference pages."""

import inspect
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import downslope
from downslope.core import own
from downslope.core.errors import UnknownName

PACKAGES = {
    "loss": "downslope.losses",
    "optimizer": "downslope.optimizers",
    "schedule": "downslope.schedules",
    "model": "downslope.models",
    "penalty": "downslope.penalties",
}

PEERS = ("PyTorch", "Keras", "optax", "scikit-learn")
ABSENT = "not there."
FAMILIES = {
    "plain": "plain: a step along the gradient",
    "momentum": "momentum: a sum of past gradients",
    "adaptive": "adaptive: a step size for each parameter",
    "sign": "sign: the size of a gradient plays no part",
    "layerwise": "layerwise: a step for each layer as a whole",
    "curvature": "curvature: learnt from its own steps",
    "averaging": "averaging: predicts with an average of its way",
    "wrapper": "wrapper: holds another optimizer",
}
NOTATION = {
    "loss": "ℓ: the loss of one example; s: its raw score, one for each class where there are several; t: its target; e = s − t; "
    "y: its class; p: the probability that the scores give.",
    "optimizer": "g: the gradient; θ: the parameters; Δ: what an update adds to them; t: the number of the update; α: the "
    "learning rate; λ: the weight decay. What starts at 0 has a line of its own; the other letters are settings.",
    "schedule": "f: the factor; p: the share of the run that is over, after the warm-up; e: `end`. The other letters are "
    "settings.",
    "penalty": "w: the weights; λ: the strength; ρ: the share of L1.",
    "model": "x: the features; W and b: weights and constants; f: the raw scores.",
}
LINKS = {
    "identity": "the raw score",
    "sigmoid": "the probability of the second class",
    "softmax": "one probability for each class",
    "sign": "the class, by the sign of the raw score",
    "argmax": "the class with the highest raw score",
}


@dataclass(frozen=True)
class Row:
    """One setting: its name, default, allowed values, the range a search looks in, its meaning."""

    name: str
    default: str
    bounds: str
    search: str
    doc: str


@dataclass(frozen=True)
class Entry:
    """Everything about a loss, an optimizer, a schedule, a model or a penalty that can be said in words."""

    kind: str
    name: str
    title: str
    idea: str
    words: str
    use: str
    avoid: str
    example: str
    equation: str
    source: str
    url: str
    aliases: tuple[str, ...]
    settings: tuple[Row, ...]
    facts: dict[str, str]
    differs: dict[str, str]
    file: str
    type: Any


def catalogue(kind: str) -> Any:
    """The catalogue of losses, optimizers and so on."""
    return import_module(PACKAGES[kind]).catalogue


def find(name: str) -> list[Entry]:
    """The entries called `name`, or by an alias, in all catalogues: `linear` is a model and a schedule.

    A path to a Python file of the user's own is run, and what it holds described.
    """
    if name.strip().endswith(own.ENDING):
        return [of_file(name.strip())]
    found, known = [], set()
    plain = name.strip().lower().replace("-", "_").partition("(")[0]
    for kind in PACKAGES:
        entries = catalogue(kind)
        known |= {*entries.names, *entries.aliases}
        if plain in entries.names or plain in entries.aliases:
            found.append(describe(kind, entries.find(plain)))
    if not found:
        raise UnknownName.among("entry", name, known)
    return found


def of_file(path: str) -> Entry:
    """What a file of the user's own holds, whatever its kind."""
    module = own.load(path)
    kinds = [kind for kind in PACKAGES if catalogue(kind).fits(module)]
    if not kinds:
        raise own.OwnFileError(f"{path}: expected the class or the functions of a loss, an optimizer or a model")
    return describe(kinds[0], catalogue(kinds[0]).own(path))


def every(kind: str) -> list[Entry]:
    """All entries of one kind, by name."""
    entries = catalogue(kind)
    return [describe(kind, entries[name]) for name in entries]


def describe(kind: str, entry: Any) -> Entry:
    """All that is known about a class of a catalogue."""
    about = entry.about
    words, use, avoid, example = told(entry)
    idea = inspect.cleandoc(sys.modules[entry.__module__].__doc__ or "").split("\n")[0]
    idea = idea.partition(":")[2].strip() or idea or words.partition(". ")[0].strip()
    return Entry(
        kind=kind,
        name=entry.name,
        title=about.title,
        idea=idea.rstrip("."),
        words=words,
        use=use,
        avoid=avoid,
        example=example,
        equation=about.equation,
        source=str(about.source) if about.source else "",
        url=about.source.url if about.source else "",
        aliases=tuple(about.aliases),
        settings=tuple(setting_row(entry, name, setting) for name, setting in entry.settings().items()),
        facts=facts(kind, entry),
        differs=differs(entry),
        file=file_of(entry),
        type=entry,
    )


def told(entry: Any) -> tuple[str, str, str, str]:
    """What the docstring says: the words, the sentences on when to use it and when not, and the example.

    The second paragraph holds the two: it begins with "Use it", and "Not" begins a line of it.
    """
    text, mark, example = inspect.cleandoc(entry.__doc__ or "").partition("\n>>>")
    words, _, advice = text.partition("\n\nUse it ")
    use, _, avoid = advice.partition("\nNot ")
    parts = (words, advice and f"Use it {use}", avoid and f"Not {avoid}")
    return *(" ".join(part.split()) for part in parts), (mark + example).strip()  # type: ignore[return-value]  # three and one


def differs(entry: Any) -> dict[str, str]:
    """How the same name differs elsewhere: every peer, in one order, then what else has been said.

    What the entry does not say of a peer is that it is not there; a test compares that with the peers' own names.
    """
    said = dict(entry.about.differs)
    ours = entry.__module__.startswith("downslope.")
    return {peer: said.pop(peer, ABSENT) for peer in PEERS if ours or peer in said} | said


def file_of(entry: Any) -> str:
    """Where the class stands: the path in the repository, or that of a user's own file."""
    path = Path(inspect.getfile(entry))
    root = Path(downslope.__file__).parent.parent
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def family(entry: Any) -> str:
    """What an optimizer has in common with others."""
    wraps = any(setting.kind == "part" for setting in entry.settings().values())
    return "wrapper" if wraps else entry.about.family or ""


def setting_row(entry: Any, name: str, setting: Any) -> Row:
    """One setting in words."""
    from downslope.core.catalogue import spell_value

    default = spell_value(getattr(entry(), name))
    search = f"{setting.search.low:g} … {setting.search.high:g} ({setting.search.scale})" if setting.search else ""
    bounds = setting.bounds() if setting.kind == "hyper" or setting.options else ""
    return Row(name, default, bounds, search, setting.doc)


def facts(kind: str, entry: Any) -> dict[str, str]:
    """Short facts that differ by kind; what can be computed is computed."""
    about = entry.about
    if kind == "loss":
        answers = {
            "task": str(about.task),
            "target": about.target,
            "prediction": LINKS.get(about.link, f"{about.link} of the raw score"),
        }
        if about.aims_at:
            answers["aims at"] = about.aims_at
        if about.task != "regression":
            answers["probabilities"] = "directly" if about.probabilities else "after calibration only"
        return answers
    if kind == "optimizer":
        cost = about.gradients_per_step
        kin = family(entry)
        return ({"family": FAMILIES[kin]} if kin else {}) | {
            "batch": "the full training part" if about.batch == "full" else "a mini-batch, down to one example",
            "gradient evaluations per step": "as many as its search needs" if cost is None else str(cost),
            "memory per parameter": f"{memory(entry):.3g} bytes",
        }
    return {}


def memory(entry: Any) -> float:
    """Bytes that an optimizer keeps for each parameter, read off the shapes of its state without computing anything."""
    import jax
    import numpy as np

    count = 4096
    params = {"layers": [{"weight": jax.ShapeDtypeStruct((64, count // 64), np.float32)}]}
    state = jax.tree.leaves(jax.eval_shape(entry().init, params))
    moments = [leaf for leaf in state if leaf.size > 1]  # counters cost nothing that grows with the model
    return sum(leaf.size * leaf.dtype.itemsize for leaf in moments) / count
