"""The gradient of a batch of many rows: block after block is read from memory once, and is still in the core's cache when its
scores have become a gradient."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from downslope.core import added, tree
from downslope.core.types import Params

ROWS, MANY = 1024, 16  # rows of a block, and how many blocks are many
PARTS = 48  # of a full batch; a number that most numbers of cores divide
COUNTED = 1 << 31  # numbers of an array that 32 bits count

Look = Callable[[Any, Params, "Batch"], tuple[jax.Array, Params]]
"""From a recipe, parameters and rows to loss and gradient."""

Adding = Callable[[Look, Any, Params, "Batch"], tuple[jax.Array, Params]]
"""The same for many rows, from those of some."""


class Batch(NamedTuple):
    """Rows with their targets and their shares of the batch's weight, which sum to 1; share 0 is padding."""

    x: jax.Array
    y: jax.Array
    share: jax.Array


def many(rows: int) -> bool:
    """Whether so many rows are gone through block by block."""
    return rows >= MANY * ROWS


def split(rows: Batch) -> tuple[int, Batch]:
    """How many blocks the rows fill, and the rows that fill none."""
    blocks = len(rows.share) // ROWS
    return blocks, Batch(*(each[blocks * ROWS :] for each in rows))


def block(rows: Batch, number: jax.Array) -> Batch:
    """The rows of a block."""
    return Batch(*(jax.lax.dynamic_slice_in_dim(each, number * ROWS, ROWS) for each in rows))


def by_blocks(look: Look, recipe: Any, params: Params, batch: Batch) -> tuple[jax.Array, Params]:
    """Loss and gradient, on one device."""
    blocks, rest = split(batch)

    def add(total: Any, number: jax.Array) -> tuple[Any, None]:
        return tree.map(jnp.add, total, look(recipe, params, block(batch, number))), None

    return jax.lax.scan(add, look(recipe, params, rest), jnp.arange(blocks))[0]


def blocks_of(rows: int) -> tuple[int, int]:
    """Blocks in each part of a full batch, and rows in each block; fewer rows than there are blocks fill none.

    >>> blocks_of(1_000_000)
    (21, 992)
    """
    blocks = math.ceil(rows // PARTS / ROWS)
    return blocks, rows // (PARTS * blocks)


def sharing(devices: int) -> int:
    """How many of so many devices work on one full batch: those that get equally many parts.

    >>> [sharing(devices) for devices in (1, 2, 5, 8, 64)]
    [1, 2, 4, 8, 48]
    """
    return max(count for count in range(1, PARTS + 1) if count <= devices and PARTS % count == 0)


def by_parts(look: Look, recipe: Any, params: Params, batch: Batch, alive: jax.Array, devices: int) -> tuple[jax.Array, Params]:
    """Loss and gradient of a full batch, of which each of the devices adds up its parts. The sums of all parts are then added in
    one order, so that no bit depends on the number of devices. Nothing is computed for a lane that is not alive."""
    parts, (blocks, rows) = PARTS // devices, blocks_of(len(batch.share))
    first = jax.lax.axis_index("device") * parts
    some: Any = Batch._make(jax.ShapeDtypeStruct((rows, *each.shape[1:]), each.dtype) for each in batch)
    plan = added.planned(lambda fixed, cut: look(fixed[0], fixed[1], cut), (recipe, params), some)
    if plan is None:
        sums = by_copies(look, recipe, params, batch, alive, first, parts)
    else:
        sums = added.added(plan, (recipe, params), batch, alive, first, parts, blocks)
    rest = look(recipe, params, Batch(*(each[PARTS * blocks * rows :] for each in batch)))  # what fills no block
    return tree.map(lambda each, more: jnp.sum(jax.lax.all_gather(each, "device", tiled=True), 0) + more, sums, rest)


def by_copies(look: Look, recipe: Any, params: Params, batch: Batch, alive: jax.Array, first: jax.Array, parts: int) -> Any:
    """The sums of some parts from the `first` on by XLA, which copies each block out of the table."""
    blocks, rows = blocks_of(len(batch.share))
    tables = [in_a_row(each) for each in batch]
    lane, structure = jax.tree.flatten((recipe, params))

    def compute(lane: list[jax.Array], cut: list[jax.Array]) -> tuple[jax.Array, Params]:
        whole = (each.reshape(rows, *like.shape[1:]) for each, like in zip(cut, batch, strict=True))
        its_recipe, its_params = jax.tree.unflatten(structure, lane)
        return look(its_recipe, its_params, Batch(*whole))

    def nothing(lane: list[jax.Array], cut: list[jax.Array]) -> tuple[jax.Array, Params]:
        return tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), jax.eval_shape(compute, lane, cut))

    @jax.custom_batching.custom_vmap
    def one(alive: jax.Array, lane: list[jax.Array], cut: list[jax.Array]) -> tuple[jax.Array, Params]:
        return jax.lax.cond(alive, compute, nothing, lane, cut)

    @one.def_vmap
    def one_by_one(lanes: int, batched: Any, alive: jax.Array, lane: list[jax.Array], cut: list[jax.Array]) -> Any:
        """Lanes that share the rows, one after another while the block is in the cache."""
        single = [[leaf[i] if own else leaf for leaf, own in zip(lane, batched[1], strict=True)] for i in range(lanes)]
        found = [one(alive[i], single[i], cut) for i in range(lanes)]
        stacked = tree.map(lambda *leaves: jnp.stack(leaves), *found)
        return stacked, tree.map(lambda _: True, stacked)

    def add(total: Any, number: jax.Array) -> tuple[Any, None]:
        cut = [cut_out(each, number, len(each) // len(batch.share) * rows) for each in tables]
        # The branch also keeps the copy of a block apart from its use: joined to it, XLA copies number by number.
        return tree.map(jnp.add, total, one(alive, lane, cut)), None

    def part(number: jax.Array) -> Any:
        zero = nothing(lane, [each[:rows] for each in batch])
        return jax.lax.scan(add, zero, number * blocks + jnp.arange(blocks))[0]

    return jax.lax.map(part, first + jnp.arange(parts))


def in_a_row(values: jax.Array) -> jax.Array:
    """A table as one run of numbers, where 32 bits count them all. To be made outside of the loop that cuts blocks out of it:
    inside, XLA takes each block for as costly as the table and wakes other threads for it."""
    return values.reshape(-1) if values.size < COUNTED else values


def cut_out(values: jax.Array, number: jax.Array, length: int) -> jax.Array:
    """A block of so many numbers, or rows, out of a table."""
    return jax.lax.dynamic_slice_in_dim(values, number * length, length)
