"""What one entry of a catalogue says of itself, gathered once for the terminal and for the reference pages."""

import inspect
import sys
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from downslope.core.errors import UnknownName

PACKAGES = {
    "loss": "downslope.losses",
    "optimizer": "downslope.optimizers",
    "schedule": "downslope.schedules",
    "model": "downslope.models",
    "penalty": "downslope.penalties",
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
    example: str
    equation: str
    source: str
    aliases: tuple[str, ...]
    settings: tuple[Row, ...]
    facts: dict[str, str]
    differs: dict[str, str]
    type: Any


def catalogue(kind: str) -> Any:
    """The catalogue of losses, optimizers and so on."""
    return import_module(PACKAGES[kind]).catalogue


def find(name: str) -> list[Entry]:
    """The entries called `name`, or by an alias, in all catalogues: `linear` is a model and a schedule."""
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


def every(kind: str) -> list[Entry]:
    """All entries of one kind, by name."""
    entries = catalogue(kind)
    return [describe(kind, entries[name]) for name in entries]


def describe(kind: str, entry: Any) -> Entry:
    """All that is known about a class of a catalogue."""
    about = entry.about
    words, _, example = inspect.cleandoc(entry.__doc__ or "").partition("\n>>>")
    idea = inspect.cleandoc(sys.modules[entry.__module__].__doc__ or "").split("\n")[0]
    idea = idea.partition(":")[2].strip() or idea
    return Entry(
        kind=kind,
        name=entry.name,
        title=about.title,
        idea=idea.rstrip("."),
        words=" ".join(words.split()),
        example=f">>>{example}".strip() if example else "",
        equation=about.equation,
        source=str(about.source) if about.source else "",
        aliases=tuple(about.aliases),
        settings=tuple(setting_row(entry, name, setting) for name, setting in entry.settings().items()),
        facts=facts(kind, entry),
        differs=dict(getattr(about, "differs", {})),
        type=entry,
    )


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
        return {
            "batch": "the full training part" if about.batch == "full" else "a mini-batch, down to one example",
            "gradient evaluations per step": "depends on the data" if cost is None else str(cost),
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
