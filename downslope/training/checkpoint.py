"""A bundle between two device calls as bytes, and back: to go on in another process to the same bits."""

from typing import Any

import jax
import numpy as np
from safetensors.numpy import load, save

from downslope.training.lanes import Bundle
from downslope.training.status import Status

NEVER = -1
STATES = list(Status)


def freeze(bundle: Bundle) -> bytes:
    """Everything a bundle has come to: its lanes' carries, curves and best rounds."""
    arrays: dict[str, np.ndarray] = {"calls_done": np.array(bundle.calls_done)}
    for number, carry in bundle.held().items():
        put(arrays, f"carry {number}", carry)
    for number, lane in enumerate(bundle.trained):
        best = lane.best
        arrays[f"curve {number}"] = np.array([lane.train_loss, best.scores, best.losses], np.float64)
        ends = [NEVER if end is None else end for end in (lane.diverged_after, lane.stopped_after)]
        arrays[f"parts {number}"] = np.array(lane.parts, np.float64)
        arrays[f"state {number}"] = np.array([STATES.index(lane.status), *ends, best.epoch], np.int64)
        arrays[f"value {number}"] = np.array(best.value, np.float64)
        for name, held in (("kept", best.kept), ("waiting", best.waiting)):
            if held is not None:
                put(arrays, f"{name} {number}", held)
    return save({name: array.copy(order="C") for name, array in arrays.items()})


def thaw(bundle: Bundle, frozen: bytes) -> None:
    """Puts a fresh bundle of the same lanes where the frozen one was."""
    arrays = load(frozen)
    bundle.calls_done = int(arrays["calls_done"])
    like = bundle.program.carry_shapes
    held = [number for number in range(len(bundle.lanes)) if f"carry {number} 0" in arrays]
    bundle.arrange({number: take(arrays, f"carry {number}", like) for number in held})
    payload = (like.params, np.zeros(0))
    for number, lane in enumerate(bundle.trained):
        lane.train_loss, lane.best.scores, lane.best.losses = (part.tolist() for part in arrays[f"curve {number}"])
        lane.parts = arrays[f"parts {number}"].tolist()
        state, *ends, lane.best.epoch = (int(value) for value in arrays[f"state {number}"])
        lane.status = STATES[state]
        lane.diverged_after, lane.stopped_after = (None if end == NEVER else end for end in ends)
        first, second = arrays[f"value {number}"].tolist()
        lane.best.value = (first, second)
        lane.best.kept = take(arrays, f"kept {number}", payload) if f"kept {number} 0" in arrays else None
        lane.best.waiting = take(arrays, f"waiting {number}", payload) if f"waiting {number} 0" in arrays else None


def put(arrays: dict[str, np.ndarray], name: str, tree: Any) -> None:
    """Adds a tree's leaves under numbered names."""
    for place, leaf in enumerate(jax.tree.leaves(tree)):
        arrays[f"{name} {place}"] = np.asarray(leaf)


def take(arrays: dict[str, np.ndarray], name: str, like: Any) -> Any:
    """The tree of the same structure as `like` from numbered names."""
    leaves, structure = jax.tree.flatten(like)
    return jax.tree.unflatten(structure, [arrays[f"{name} {place}"] for place in range(len(leaves))])
