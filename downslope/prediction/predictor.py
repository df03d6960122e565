"""Predictions from a saved model with NumPy alone."""

import difflib
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from downslope.core import links
from downslope.core.about import Task
from downslope.core.errors import BadData, IncompatiblePair
from downslope.data.cells import unreadable_rows
from downslope.data.cells import values as typed_values
from downslope.data.coded import Coded
from downslope.data.encode import CategoryPart, Encoder, TargetScale
from downslope.data.read import read
from downslope.data.table import Table
from downslope.prediction import own
from downslope.prediction import tensors as tensor_files
from downslope.prediction.manifest import Damaged, need, read_manifest

BLOCK = 16_384  # rows at once, so that a large file needs little memory
Layers = Sequence[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, eq=False)
class Member:
    """One trained network with the encoder, the target scale and the calibration that belong to it.

    `raw` gives the raw scores of encoded rows, one column for each output.
    """

    encoder: Encoder
    scale: TargetScale
    calibration: Mapping[str, Any] | None
    raw: Callable[[np.ndarray], np.ndarray]

    def calibrated(self, raw: np.ndarray) -> np.ndarray:
        """Scores after the temperature or Platt's scaling."""
        if self.calibration is None:
            return raw
        if "temperature" in self.calibration:
            return raw / self.calibration["temperature"]
        a, b = self.calibration["platt"]
        return a * raw + b


def forward(layers: Layers, hidden: np.ndarray) -> np.ndarray:
    """Raw scores of encoded rows, float64 where the layers are, one column for each output."""
    *inner, (weight, bias) = layers
    for inner_weight, inner_bias in inner:
        hidden = np.maximum(hidden @ inner_weight + inner_bias, 0.0)
    return hidden @ weight + bias


@dataclass(frozen=True, eq=False)
class Features:
    """Typed columns of a table, and what is to be said of it."""

    columns: Mapping[str, np.ndarray]
    rows: int
    notes: tuple[str, ...]

    def blocks(self) -> Iterator[dict[str, np.ndarray]]:
        """The columns, some thousand rows at a time."""
        for start in range(0, self.rows, BLOCK):
            yield {name: column[start : start + BLOCK] for name, column in self.columns.items()}


@dataclass(frozen=True, eq=False)
class Predictor:
    """A saved model, ready to predict. Its answer is the mean over its members' scores."""

    folder: str
    task: Task
    target: str
    classes: tuple[str, ...] | None
    link: str
    columns: tuple[Mapping[str, Any], ...]
    members: tuple[Member, ...]
    manifest: Mapping[str, Any]
    notes: tuple[str, ...] = ()

    def features(self, source: Any) -> Features:
        """The columns the model needs, from anything that `read` takes; other columns are ignored, and said to be."""
        if isinstance(source, Features):
            return source
        table = read(source)
        found, notes = {}, [*self.notes]
        for column in self.columns:
            name = column["name"]
            if name not in table.columns:
                near = difflib.get_close_matches(name, [c for c in table.columns if c not in self.names], n=2, cutoff=0.5)
                guess = f"; is it {' or '.join(repr(c) for c in near)}? Rename it" if near else "; add it"
                raise BadData(f"{table.source} has no column {name!r}, which the model was trained on{guess}")
            found[name] = typed_values(table.frame[name], column["kind"], column["details"])
            notes += self.odd_cells(table, column, found[name])
        extra = [name for name in table.columns if name not in self.names and name != self.target]
        if extra:
            listing = ", ".join(repr(name) for name in extra[:5]) + (f" and {len(extra) - 5} more" if len(extra) > 5 else "")
            notes.append(f"columns the model does not use: {listing}")
        return Features(found, table.rows, tuple(notes))

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that must be there."""
        return tuple(column["name"] for column in self.columns)

    def odd_cells(self, table: Table, column: Mapping[str, Any], values: np.ndarray) -> list[str]:
        """What is to be said of cells that training did not prepare for."""
        name = column["name"]
        if isinstance(values, Coded):
            parts = [part for member in self.members for part in member.encoder.parts if part.name == name]
            known = {level for part in parts if isinstance(part, CategoryPart) for level in (*part.levels, *part.rare)}
            strange = np.array([level not in known for level in values.levels] + [False])[np.asarray(values)]
            rows = np.flatnonzero(strange)
            words = "a value that training never saw"
        else:
            rows = unreadable_rows(table.frame[name], values)
            words = f"no usable {column['kind']} and count as missing"
        if not len(rows):
            return []
        cell = str(table.frame[name][int(rows[0])])[:40]
        return [f"{name!r}: {len(rows)} rows have {words} (first {cell!r}, {table.place(int(rows[0]))})"]

    def raw(self, source: Any) -> np.ndarray:
        """Mean raw scores, float64: `(rows,)`, or `(rows, classes)` for several classes.

        For regression before the link and in the target's units, for classes after each member's calibration.
        """
        pieces = [self.raw_block(block) for block in self.features(source).blocks()]
        scores = np.concatenate(pieces)
        return scores if self.task is Task.MULTICLASS else scores[:, 0]

    def raw_block(self, block: Mapping[str, np.ndarray]) -> np.ndarray:
        """Mean raw scores of some rows."""
        total = 0.0
        encoded: dict[int, np.ndarray] = {}
        for member in self.members:
            if id(member.encoder) not in encoded:
                encoded = {id(member.encoder): member.encoder.transform(block).astype(np.float64)}
            raw = member.raw(encoded[id(member.encoder)])
            total = total + (member.scale.score(raw, self.link) if self.task is Task.REGRESSION else member.calibrated(raw))
        return np.asarray(total) / len(self.members)

    def predict(self, source: Any) -> np.ndarray:
        """The predicted value or class label of each row, in the order of the rows."""
        return self.decide(self.raw(source))

    def decide(self, scores: np.ndarray) -> np.ndarray:
        """Values or class labels from mean scores."""
        if self.classes is None:
            return links.apply(self.link, scores)
        chosen = links.apply("argmax" if self.task is Task.MULTICLASS else "sign", scores)
        return np.array(self.classes, dtype=object)[chosen]

    @property
    def has_probabilities(self) -> bool:
        """Whether the scores can be turned into probabilities: by the loss's own link, or by a calibration."""
        if self.classes is None:
            return False
        return self.link in ("sigmoid", "softmax") or all(member.calibration is not None for member in self.members)

    def predict_proba(self, source: Any) -> np.ndarray:
        """The probability of each class, one column for each of `classes`."""
        return self.probabilities(self.raw(source))

    def probabilities(self, scores: np.ndarray) -> np.ndarray:
        """Probabilities from mean scores."""
        if not self.has_probabilities:
            why = "predicts values" if self.classes is None else "was trained with a margin loss and never calibrated"
            raise IncompatiblePair(f"the model in {self.folder} {why}, so it has no probabilities; use predict")
        if self.task is Task.MULTICLASS:
            return links.apply("softmax", scores)
        positive = links.apply("sigmoid", scores)
        return np.stack([links.apply("sigmoid", -scores), positive], axis=1)


def load(folder: str | os.PathLike[str], model: Any = None) -> Predictor:
    """The model in a folder, after every byte of it was checked. Nothing in it is ever executed.

    Where the network is the user's own, `model` is its file, which is run, or an object with `init` and `apply`. A file that
    is not the one it was trained with is announced, here and in the notes of every prediction.
    """
    loaded = opened(folder, model)
    for note in loaded.notes:
        warnings.warn(note, stacklevel=2)
    return loaded


def opened(folder: str | os.PathLike[str], model: Any = None) -> Predictor:
    """`load` for somebody who will show the notes."""
    folder = Path(folder)
    if not (folder / "manifest.json").exists() and (folder / "model" / "manifest.json").exists():
        folder = folder / "model"
    if not (folder / "manifest.json").is_file():
        raise BadData(f"no model in {folder}: it has no manifest.json; name the folder 'model' that compare or train wrote")
    file = "manifest.json"
    try:
        manifest = read_manifest(folder / file)
        file = "model.safetensors"
        tensors = tensor_files.load(read_bytes(folder / file), manifest)
        file = "manifest.json"
        if manifest["network"]["kind"] == "own":
            assemble(manifest, tensors, str(folder))  # every check before a file of the user's is run
        return assemble(manifest, tensors, str(folder), own.formula_for(manifest["network"], model, str(folder)))
    except Damaged as problem:
        raise BadData(f"the model in {folder} is damaged: {file}: {problem}; copy it again or train it again") from None


def read_bytes(path: Path) -> bytes:
    """All bytes of a file, its announced limits checked on the first ones."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(tensor_files.LARGEST_HEADER + 8)
            tensor_files.check_limits(start, size)
            return start + file.read()
    except OSError as problem:
        raise BadData(f"cannot read {path}: {problem.strerror or problem}; copy the model again or train it again") from None


def assemble(
    manifest: Mapping[str, Any], tensors: Mapping[str, np.ndarray], folder: str = "", formula: own.Formula | None = None
) -> Predictor:
    """The predictor that a checked manifest and its tensors make; `Damaged` when they do not fit each other."""
    task = Task(manifest["task"])
    classes = None if manifest["classes"] is None else tuple(manifest["classes"])
    outputs = len(classes) if classes is not None and task is Task.MULTICLASS else 1
    names = {column["name"] for column in manifest["columns"]}
    members, taken = [], 0
    encoder, known = Encoder(()), None
    for index, plain in enumerate(manifest["members"]):
        try:
            if plain["encoder"] != known:  # members that share their training rows share their encoder
                encoder, known = Encoder.from_json(plain["encoder"]), plain["encoder"]
        except (KeyError, TypeError, ValueError) as problem:
            raise Damaged(f"the encoder of member {index} is unreadable ({problem})") from None
        need(len(encoder.parts) > 0 and {part.name for part in encoder.parts} <= names, f"member {index} reads unknown columns")
        if manifest["network"]["kind"] == "own":
            network, used = own.network(tensors, index, manifest["network"], encoder.width, formula)
        else:
            layers = layers_of(tensors, index, encoder.width, outputs, task)
            network, used = partial(forward, layers), 2 * len(layers)
        taken += used
        scale = TargetScale(**plain["target_scale"]) if plain.get("target_scale") else TargetScale()
        members.append(Member(encoder, scale, plain.get("calibration"), network))
    need(taken == len(tensors), "there are tensors that no member uses")
    return Predictor(
        folder,
        task,
        manifest["target"],
        classes,
        manifest["link"],
        tuple(manifest["columns"]),
        tuple(members),
        manifest,
        () if formula is None else formula.notes,
    )


def layers_of(tensors: Mapping[str, np.ndarray], member: int, width: int, outputs: int, task: Task) -> Layers:
    """The layers of one member in float64, the first without the rows that only padded its input."""
    layers: list[tuple[np.ndarray, np.ndarray]] = []
    rows = None
    while f"{member}.{len(layers)}.weight" in tensors:
        place = f"{member}.{len(layers)}"
        weight, bias = tensors[f"{place}.weight"], tensors.get(f"{place}.bias")
        need(weight.ndim == 2 and bias is not None and bias.shape == weight.shape[1:], f"layer {place} has an impossible shape")
        need(weight.shape[0] == rows if rows is not None else weight.shape[0] >= width, f"layer {place} does not fit its input")
        rows = weight.shape[1]
        kept = weight if layers else weight[:width]
        layers.append((kept.astype(np.float64), np.asarray(bias, np.float64)))
    need(len(layers) > 0, f"member {member} has no layers")
    need(
        rows == outputs or (task is Task.REGRESSION and (rows or 0) >= 1),
        f"member {member} gives {rows} scores, expected {outputs}",
    )
    return layers
