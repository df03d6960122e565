"""The manifest of a saved model: what it must hold, written with its own hash and refused when anything differs."""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from downslope.core import links
from downslope.core.about import Task
from downslope.core.errors import BadData

FORMAT = 1
LARGEST = 64 << 20
DEEPEST = 50
KINDS = ("number", "boolean", "date", "category")
NETWORKS = ("mlp", "linear", "own")
ACTIVATIONS = ("relu",)
FIRST_LINE = re.compile(rb'\{"sha256": "([0-9a-f]{64})",\n')
QUOTED = re.compile(rb'"(?:[^"\\]|\\.)*"')


class Damaged(ValueError):
    """What is wrong with a model, in a few words; `load` adds the place and the advice."""


def dump(manifest: Mapping[str, Any]) -> bytes:
    """The manifest as strict JSON whose first line is the hash of all that follows."""
    body = json.dumps(manifest, ensure_ascii=False, allow_nan=False, indent=1, sort_keys=True).encode()
    rest = body.removeprefix(b"{\n") + b"\n"
    return b'{"sha256": "%s",\n' % hashlib.sha256(rest).hexdigest().encode() + rest


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest in a file, after every check that needs no tensors."""
    try:
        if path.stat().st_size > LARGEST:
            raise Damaged(f"it is larger than {LARGEST >> 20} MB")
        data = path.read_bytes()
    except OSError as problem:
        raise BadData(f"cannot read {path}: {problem.strerror or problem}; name the folder of a saved model") from None
    first = FIRST_LINE.match(data)
    if first is None:
        raise Damaged("its first line is not the hash that it is saved with")
    if hashlib.sha256(data[first.end() :]).hexdigest().encode() != first[1]:
        raise Damaged("its content does not match its hash")
    manifest = parse_json(data)
    check(manifest)
    return manifest


def parse_json(data: bytes) -> Any:
    """Strict JSON that is not nested too deeply; both are known before the parser starts."""
    bare = np.frombuffer(QUOTED.sub(b"", data), np.uint8)
    depth = np.cumsum(np.isin(bare, (0x7B, 0x5B)).astype(np.int32) - np.isin(bare, (0x7D, 0x5D)))
    if len(depth) and depth.max() > DEEPEST:
        raise Damaged(f"it is nested more than {DEEPEST} deep")
    try:
        return json.loads(data, parse_constant=refuse_constant)
    except (ValueError, RecursionError) as problem:
        raise Damaged(f"it is not JSON ({problem})") from None


def refuse_constant(word: str) -> Any:
    """NaN and Infinity are no JSON, though Python reads them."""
    raise Damaged(f"it holds {word}")


def check(manifest: Any) -> None:
    """Raise `Damaged` unless the manifest has everything a prediction needs, of the right type."""
    need(isinstance(manifest, dict), "it is not an object")
    need(manifest.get("format") == FORMAT, f"its format is {manifest.get('format')!r}, this version reads {FORMAT}")
    need(manifest.get("task") in list(Task), f"its task is {manifest.get('task')!r}")
    need(isinstance(manifest.get("target"), str), "it names no target")
    need(manifest.get("link") in links.NAMES, f"its link is {manifest.get('link')!r}")
    check_classes(manifest["task"], manifest.get("classes"))
    columns = manifest.get("columns")
    need(isinstance(columns, list) and len(columns) > 0, "it has no columns")
    for column in columns:
        need(isinstance(column, dict) and isinstance(column.get("name"), str), "a column has no name")
        need(
            column.get("kind") in KINDS and isinstance(column.get("details"), dict),
            f"column {column['name']!r} has no usable kind",
        )
    names = [column["name"] for column in columns]
    need(len(set(names)) == len(names), "two columns have one name")
    network = manifest.get("network")
    need(isinstance(network, dict) and network.get("kind") in NETWORKS, "its network is unknown")
    need(network.get("activation", "relu") in ACTIVATIONS, "its activation is unknown")
    if network["kind"] == "own":
        check_own(network)
    members = manifest.get("members")
    need(isinstance(members, list) and len(members) > 0, "it has no members")
    for member in members:
        need(isinstance(member, dict) and isinstance(member.get("encoder"), dict), "a member has no encoder")
        check_scale(member.get("target_scale"), manifest["link"])
        check_calibration(member.get("calibration"))
    need(isinstance(manifest.get("tensors"), dict), "it lists no tensors")
    need(isinstance(manifest.get("tensors_sha256"), str), "it has no hash of the tensors")


def need(fact: bool, otherwise: str) -> None:
    """Raise `Damaged` when a fact does not hold."""
    if not fact:
        raise Damaged(otherwise)


def check_classes(task: str, classes: Any) -> None:
    """Classes are there exactly when the task has them."""
    if task == Task.REGRESSION:
        need(classes is None, "a regression model has classes")
        return
    need(isinstance(classes, list) and all(isinstance(name, str) for name in classes), "its classes are no list of names")
    need(len(set(classes)) == len(classes) >= 2, "its classes are too few or not different")
    need(task != Task.BINARY or len(classes) == 2, "a binary model has not two classes")


def check_own(network: Mapping[str, Any]) -> None:
    """A network of the user's own says what it is called, and how many columns and scores it was made for."""
    need(isinstance(network.get("name"), str), "its network has no name")
    need(isinstance(network.get("settings"), dict), "its network has no settings")
    need(network.get("sha256") is None or isinstance(network["sha256"], str), "its network's hash is no text")
    for what in ("features", "outputs"):
        size = network.get(what)
        need(isinstance(size, int) and not isinstance(size, bool) and size > 0, f"its network has no number of {what}")


def check_scale(scale: Any, link: str) -> None:
    """A target scale is absent, or two finite numbers with a positive scale."""
    if scale is None:
        return
    need(
        isinstance(scale, dict) and is_number(scale.get("centre")) and is_number(scale.get("scale")),
        "a target scale is no pair of numbers",
    )
    need(scale["scale"] > 0, "a target scale is not positive")
    need(link == "identity" or scale["centre"] == 0, "a target behind a link is shifted")


def check_calibration(calibration: Any) -> None:
    """A calibration is absent, one temperature, or Platt's two numbers."""
    if calibration is None:
        return
    need(isinstance(calibration, dict) and len(calibration) == 1, "a calibration is unknown")
    if "temperature" in calibration:
        need(is_number(calibration["temperature"]) and calibration["temperature"] > 0, "a temperature is not positive")
        return
    platt = calibration.get("platt")
    need(isinstance(platt, list) and len(platt) == 2 and all(is_number(value) for value in platt), "a calibration is unknown")


def is_number(value: Any) -> bool:
    """Whether a value is a finite number and no truth value."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300
