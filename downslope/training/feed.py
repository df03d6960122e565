"""Puts the rows that a wave of lanes needs on its devices, each stream gathered once."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from downslope.training.budget import Cut
from downslope.training.many_rows import Batch
from downslope.training.orders import Latest
from downslope.training.program import Program
from downslope.training.stream import Fold, Rows, aligned, chunk, padded, room, whole
from downslope.training.workers import workers

AHEAD = 2  # streams that are gathered, or wait to be used
MUCH = 4 << 20  # bytes that all cores gather together
Stream = tuple[int, ...]
"""What batches depend on: fold, seed, call; and, for those on a device, its place."""


class Feed:
    """Rows for the device calls of a bundle. Keeps what the next wave needs again, and every stopping slice."""

    def __init__(self, program: Program, cut: Cut, folds: Sequence[Fold]) -> None:
        self.program, self.cut, self.folds = program, cut, folds
        self.kept: dict[Stream, Batch] = {}
        self.stops: dict[tuple[int, int], Batch] = {}
        self.coming: dict[Stream, Callable[[], Rows]] = {}
        self.latest = Latest()
        self.slices: dict[int, Rows] = {}

    @property
    def full(self) -> bool:
        """Whether a batch is all rows: an epoch of one batch, which every call gets again."""
        return self.program.shape.period == self.cut.steps == 1

    def wanted(self, streams: Sequence[tuple[int, int]], call: int) -> list[Stream]:
        """What each block needs, or each device that works on the one block. A full batch has no order: it is the same for every
        seed and every call."""
        full, shape = self.full, self.program.shape
        blocks = shape.blocks
        if shape.parts:
            streams = [*streams] * shape.devices
        return [(fold, 0 if full else seed, 0 if full else call, at // blocks) for at, (fold, seed) in enumerate(streams)]

    def at_hand(self, streams: Sequence[tuple[int, int]], call: int) -> bool:
        """Whether `rows` would not have to wait."""
        return all(stream in self.kept for stream in self.wanted(streams, call))

    def ahead(self, streams: Sequence[tuple[int, int]], call: int) -> bool:
        """Begins to gather, in the background, what `rows` will be asked for next. Says whether more may be gathered after it."""
        for stream in self.wanted(streams, call):
            if stream not in self.kept and stream[:3] not in self.coming:
                self.coming[stream[:3]] = self.gather(*stream[:3])
        return len(self.coming) < AHEAD

    def rows(self, streams: Sequence[tuple[int, int]], call: int) -> tuple[Batch, Batch | None]:
        """Batches for one (fold, seed) in each block, and stopping slices where the call ends a round."""
        wanted = self.wanted(streams, call)
        self.ahead(streams, call)
        old, self.kept = self.kept, {}
        for stream in dict.fromkeys(wanted):
            self.kept[stream] = old[stream] if stream in old else self.put(self.coming[stream[:3]](), stream[3])
        for stream in wanted:
            self.coming.pop(stream[:3], None)
        data = self.join([self.kept[stream] for stream in wanted])
        if (call + 1) % self.cut.calls_per_round:
            return data, None
        return data, self.join([self.stop(fold, device) for fold, _, _, device in wanted])

    def gather(self, fold: int, seed: int, call: int) -> Callable[[], Rows]:
        """Begins to gather the batches of one stream for one call, on the host. What is given back waits for them."""
        shape, table = self.program.shape, self.folds[fold]
        if self.full:
            return workers().submit(whole, table, shape.batch).result
        out = room(table, shape.period, shape.batch)
        count = jax.device_count() if out[0].nbytes > MUCH else 1
        fill = partial(chunk, table, batch=shape.batch, seed=seed, epoch_size=self.cut.steps, latest=self.latest)
        parts = []
        for start, end in pairwise(shape.period * part // count for part in range(count + 1)):
            place = tuple(each[start:end] for each in out)
            parts.append(workers().submit(fill, batches=end - start, first=call * shape.period + start, out=place))

        def gathered() -> Rows:
            for part in parts:
                part.result()
            return out

        return gathered

    def stop(self, fold: int, device: int) -> Batch:
        """The stopping slice of a fold, put on a device once."""
        if (fold, device) not in self.stops:
            self.stops[fold, device] = self.put(self.stop_rows(fold), device)
        return self.stops[fold, device]

    def stop_rows(self, fold: int) -> Rows:
        """The stopping slice of a fold on the host, where the devices of a CPU share it."""
        if fold not in self.slices:
            table = self.folds[fold]
            rows = padded(table.stop_x, table.stop_y, table.stop_weight, self.program.shape.stop)
            self.slices[fold] = tuple(aligned(part) for part in rows)
        return self.slices[fold]

    def put(self, parts: Sequence[np.ndarray], device: int) -> Batch:
        """Arrays on one device, with the leading axis that counts devices."""
        return Batch(*jax.device_put([part[None] for part in parts], self.device(device)))

    def device(self, number: int) -> Any:
        """The device at a place of the mesh."""
        return self.program.mesh.devices.flat[number]

    def join(self, pieces: Sequence[Batch]) -> Batch:
        """One array over all devices from the pieces of their blocks; one piece for each is not copied."""
        blocks = self.program.shape.blocks

        def joined(*parts: jax.Array) -> jax.Array:
            shape = (self.program.shape.places, *parts[0].shape[1:])
            if blocks > 1:
                parts = tuple(jnp.concatenate(parts[at : at + blocks]) for at in range(0, len(parts), blocks))
            return jax.make_array_from_single_device_arrays(shape, self.program.sharding, list(parts))

        return Batch(*(joined(*parts) for parts in zip(*pieces, strict=True)))
