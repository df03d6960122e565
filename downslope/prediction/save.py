"""Save a model as two files of plain data that need no code of ours, and no JAX, to be understood."""

import contextlib
import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from downslope.core.errors import BadData
from downslope.prediction import manifest as manifests
from downslope.prediction import tensors as tensor_files
from downslope.prediction.whole import flush_folder, write_whole

TENSORS, MANIFEST = "model.safetensors", "manifest.json"


def name_tensors(members: Sequence[Sequence[Mapping[str, Any]]]) -> dict[str, np.ndarray]:
    """The tensors of a model by name, from the layers (`weight` and `bias`) of each member.

    >>> layers = [{"weight": np.zeros((3, 1)), "bias": np.zeros(1)}]
    >>> sorted(name_tensors([layers]))
    ['0.0.bias', '0.0.weight']
    """
    return {
        f"{member}.{layer}.{part}": np.ascontiguousarray(each[part], dtype=np.float32)
        for member, layers in enumerate(members)
        for layer, each in enumerate(layers)
        for part in ("weight", "bias")
    }


def save_model(folder: str | os.PathLike[str], manifest: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> Path:
    """Write `model.safetensors` and `manifest.json`; at every moment the folder holds a whole model or none.

    `manifest` has `task`, `target`, `classes`, `link`, `columns`, `network` and `members`; format and hashes are added here.
    """
    from downslope.prediction.predictor import assemble

    folder = Path(folder)
    arrays = {name: np.asarray(tensor, dtype=np.float32, order="C") for name, tensor in tensors.items()}
    data = tensor_files.dump(arrays)
    full = {
        **manifest,
        "format": manifests.FORMAT,
        "tensors": tensor_files.describe_tensors(arrays),
        "tensors_sha256": hashlib.sha256(data).hexdigest(),
    }
    try:
        manifests.check(full)
        assemble(full, tensor_files.load(data, full))
    except manifests.Damaged as problem:
        raise BadData(f"model for {folder} is not saved: {problem}") from None
    if (folder / MANIFEST).exists():
        # An old manifest beside new tensors would be a damaged model; no manifest is no model.
        with contextlib.suppress(FileNotFoundError):
            (folder / MANIFEST).unlink()
        flush_folder(folder)
    write_whole(folder / TENSORS, data)
    write_whole(folder / MANIFEST, manifests.dump(full))
    return folder
