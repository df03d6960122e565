"""The tensors of a saved model: limits and hashes are checked before any library sees the file."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy

from downslope.prediction.manifest import Damaged, need, parse_json

LARGEST_HEADER = 1 << 20
MOST_TENSORS = 10_000


def describe_tensors(tensors: Mapping[str, np.ndarray]) -> dict[str, dict[str, Any]]:
    """Shape and hash of each tensor, for the manifest."""
    return {
        name: {"shape": list(tensor.shape), "sha256": hashlib.sha256(tensor.tobytes()).hexdigest()}
        for name, tensor in tensors.items()
    }


def dump(tensors: Mapping[str, np.ndarray]) -> bytes:
    """The file that holds the tensors."""
    return safetensors.numpy.save(dict(tensors))


def check_limits(start: bytes, size: int) -> None:
    """Raise `Damaged` when the first bytes announce more header or more tensors than a model of ours can have."""
    need(len(start) >= 8, "it is cut off")
    length = int.from_bytes(start[:8], "little")
    need(length <= LARGEST_HEADER, f"its header is larger than {LARGEST_HEADER >> 20} MB")
    need(length + 8 <= size, "it is cut off")
    header = parse_json(start[8 : 8 + length])
    need(isinstance(header, dict) and len(header) <= MOST_TENSORS, f"it has more than {MOST_TENSORS} tensors")
    for name, entry in header.items():
        need(
            name == "__metadata__" or (isinstance(entry, dict) and entry.get("dtype") == "F32"), f"tensor {name!r} is not float32"
        )


def load(data: bytes, manifest: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The tensors of a file, each equal to what the manifest says of it."""
    check_limits(data[: LARGEST_HEADER + 8], len(data))
    need(hashlib.sha256(data).hexdigest() == manifest["tensors_sha256"], "its bytes do not match the hash in the manifest")
    try:
        tensors = safetensors.numpy.load(data)
    except (safetensors.SafetensorError, ValueError, OverflowError, KeyError, json.JSONDecodeError) as problem:
        raise Damaged(str(problem).split("\n")[0][:120]) from None
    listed = manifest["tensors"]
    need(set(tensors) == set(listed), "its tensors are not those of the manifest")
    for name, found in describe_tensors(tensors).items():
        need(listed[name] == found, f"tensor {name!r} does not match its hash")
        need(bool(np.isfinite(tensors[name]).all()), f"tensor {name!r} is not finite")
    return tensors
