"""A model of the user's own, saved and predicted: its numbers are in the folder, its formula in a file that is named again."""

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from downslope.core import own
from downslope.core.errors import BadData, IncompatiblePair
from downslope.prediction.manifest import Damaged, need

CONTAINERS = {"dict": dict, "list": list, "tuple": tuple}


@dataclass(frozen=True)
class Formula:
    """What turns parameters and encoded rows into scores: `apply_numpy` of its holder where there is one, else `apply`.

    The holder is a module, or an object that knows its settings; plain functions get those that they name.
    """

    holder: Any
    settings: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def scores(self, params: Any, x: np.ndarray) -> np.ndarray:
        """Raw scores of rows, `(rows, outputs)`, as float64."""
        function = getattr(self.holder, "apply_numpy", None) or self.holder.apply
        with own.blamed():
            return np.asarray(function(params, x, **self.named(function), **without_key(function)), np.float64)

    def named(self, function: Callable[..., Any]) -> dict[str, Any]:
        """The settings that a function names."""
        known = inspect.signature(function).parameters
        return {name: value for name, value in self.settings.items() if name in known}

    def nested(self, network: Mapping[str, Any], leaves: Sequence[np.ndarray]) -> Any:
        """The parameters with their arrays in place."""
        if network.get("structure") is not None:
            return filled(network["structure"], leaves)
        from downslope.core import tree  # containers that only the file knows; JAX knows them through it

        init = self.holder.init
        with own.blamed():
            return tree.rebuilt(lambda key: init(key, network["features"], network["outputs"], **self.named(init)), leaves)


def without_key(function: Callable[..., Any]) -> dict[str, None]:
    """Nothing is random when predicting."""
    return {"key": None} if "key" in inspect.signature(function).parameters else {}


def formula_for(network: Mapping[str, Any], model: Any, folder: str) -> Formula | None:
    """The formula of a network of the user's own; an error where it is missing, or given to a network that has no use for it."""
    if network["kind"] == "own":
        if model is None:
            raise missing(network, folder)
        return formula(model, network, folder)
    if model is not None:
        raise BadData(f"the model in {folder} is {network['kind']}, which needs no file of yours; leave out {str(model):.60}")
    return None


def formula(given: Any, network: Mapping[str, Any], folder: str) -> Formula:
    """The formula in what a user gives: the path of a file, which is run, or an object with `init` and `apply`."""
    if not isinstance(given, str | os.PathLike):
        if not callable(getattr(given, "apply", None)):
            raise IncompatiblePair(f"expected the path of a model's file, or an object with init and apply, got {given!r:.60}")
        return Formula(given, {} if hasattr(given, "settings") else typed(network["settings"]))
    module = own.load(given)
    file = own.FILES[module.__name__]
    changed = f"{file.path} is not the file that the model in {folder} was trained with; its predictions may mean nothing"
    notes = () if file.sha256 == network.get("sha256") else (changed,)
    if callable(getattr(module, "apply", None)):
        return Formula(module, typed(network["settings"]), notes)
    classes = [thing for thing in vars(module).values() if is_model(thing, module)]
    if len(classes) != 1:
        raise own.OwnFileError(f"{file.path}: expected the functions init and apply, or one class of a model")
    return Formula(classes[0](**typed(network["settings"])), {}, notes)


def is_model(thing: Any, module: Any) -> bool:
    """Whether this is a finished class with `apply` that a file defines."""
    mine = inspect.isclass(thing) and thing.__module__ == module.__name__
    return mine and hasattr(thing, "apply") and not inspect.isabstract(thing)


def typed(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as they were before JSON knew no tuples."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in settings.items()}


def missing(network: Mapping[str, Any], folder: str) -> BadData:
    """The error for a model whose formula nobody named."""
    name = network["name"]
    again = f"--model {name}" if name.endswith(own.ENDING) else "model=…"
    return BadData(
        f"the model in {folder} is your own, {name}, and a saved model never runs anything by itself; name it again: "
        f"downslope predict … {again}, or load(folder, model=…) in Python"
    )


def network(
    tensors: Mapping[str, np.ndarray], member: int, network: Mapping[str, Any], width: int, formula: Formula | None
) -> tuple[Callable[[np.ndarray], np.ndarray], int]:
    """The scores of one member in the user's formula, and how many tensors it uses; without a formula, to look at only."""
    leaves: list[np.ndarray] = []
    while f"{member}.{len(leaves)}" in tensors:
        leaves.append(tensors[f"{member}.{len(leaves)}"])
    features, outputs = network["features"], network["outputs"]
    need(len(leaves) > 0, f"member {member} has no parameters")
    need(width <= features, f"the encoder of member {member} does not fit its network")
    if network.get("structure") is not None:
        filled(network["structure"], leaves)
    if formula is None:
        return lambda hidden: hidden, len(leaves)
    params = formula.nested(network, leaves)

    def scores(hidden: np.ndarray) -> np.ndarray:
        x = np.pad(hidden.astype(np.float32), ((0, 0), (0, features - hidden.shape[1])))
        raw = formula.scores(params, x)
        if raw.shape != (len(x), outputs):
            raise BadData(f"{network['name']} gives scores of the shape {raw.shape}, and the saved model {(len(x), outputs)}")
        return raw

    return scores, len(leaves)


def outline(nested: Any) -> Any:
    """Containers inside each other as JSON: `[kind, content]`, and each leaf as it is. `None` for a kind that JSON cannot name.

    >>> outline({"w": 0, "rest": (1, [2])})
    ['dict', {'w': 0, 'rest': ['tuple', [1, ['list', [2]]]]}]
    """
    try:
        return plain(nested)
    except Damaged:
        return None


def plain(nested: Any) -> Any:
    """`outline`, and `Damaged` where it has no words."""
    if nested is None or type(nested) is int:
        return nested
    kind = type(nested).__name__
    need(CONTAINERS.get(kind) is type(nested), "a container of another kind")
    if kind == "dict":
        need(all(isinstance(name, str) for name in nested), "a name that is no text")
        return [kind, {name: plain(value) for name, value in nested.items()}]
    return [kind, [plain(value) for value in nested]]


def filled(structure: Any, leaves: Sequence[Any]) -> Any:
    """The containers of an outline with the leaves in their places; `Damaged` where they do not fit.

    >>> filled(["dict", {"w": 0, "rest": ["tuple", [1, None]]}], ["a", "b"])
    {'w': 'a', 'rest': ('b', None)}
    """
    if structure is None:
        return None
    if isinstance(structure, int):
        need(0 <= structure < len(leaves), "its network has a parameter too many")
        return leaves[structure]
    need(isinstance(structure, list) and len(structure) == 2 and structure[0] in CONTAINERS, "its network is nested strangely")
    kind, content = structure
    need(isinstance(content, dict if kind == "dict" else list), "its network is nested strangely")
    if kind == "dict":
        return {name: filled(value, leaves) for name, value in content.items()}
    return CONTAINERS[kind](filled(value, leaves) for value in content)
