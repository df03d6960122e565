"""Sums over blocks of rows of what a function makes of each: on a CPU one kernel, which reads the blocks where they lie."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from downslope.core.book import Book
from downslope.core.primitive import registered
from downslope.core.script import script
from downslope.core.work import Unknown

KERNEL = "downslope_added"


class Plan(NamedTuple):
    """What the kernel is told, and the shapes of what the function makes of a block."""

    script: tuple[int, ...]
    lengths: tuple[int, ...]
    places: tuple[int, ...]
    constants: tuple[int, ...]
    between: int
    sizes: tuple[int, ...]
    made: Any


def planned(function: Callable[[Any, Any], Any], fixed: Any, block: Any) -> Plan | None:
    """The plan for a function of what is `fixed` and a block of rows; `None` where the kernel does not know all that it does."""
    if jax.default_backend() != "cpu" or not registered(KERNEL):
        return None
    leaves, structure = jax.tree.flatten((fixed, block))
    shapes = [jax.ShapeDtypeStruct(leaf.shape, leaf.dtype) for leaf in leaves]
    closed, made = jax.make_jaxpr(lambda *leaves: function(*jax.tree.unflatten(structure, leaves)), return_shape=True)(*shapes)
    results = jax.tree.leaves(made)
    inputs, outputs = list(range(len(leaves))), list(range(len(leaves), len(leaves) + len(results)))
    book = Book(len(leaves) + len(results))
    try:
        book.add(script(closed, inputs, outputs, set(inputs[: len(jax.tree.leaves(fixed))])))
    except Unknown:
        return None
    texts = (*book.once, *book.each), (len(book.once), *book.lengths), tuple(book.places), tuple(book.constants)
    return Plan(*texts, book.size, tuple(each.size for each in (*shapes, *results)), made)


def added(plan: Plan, fixed: Any, tables: Any, alive: Array, first: Array, parts: int, blocks: int) -> Any:
    """What the function makes, added up for each of so many `parts` of the tables from the `first` on, each of so many `blocks`,
    with a leading axis that counts parts. Nothing is computed for what is not `alive`; the sums are 0."""
    given, rows = jax.tree.leaves(fixed), jax.tree.leaves(tables)
    sums = jax.tree.map(lambda like: jax.ShapeDtypeStruct((parts, *like.shape), like.dtype), plan.made)
    memory = plan.between + sum(plan.sizes[len(given) + len(rows) :])
    results = jax.tree.leaves(sums)
    made = jax.ffi.ffi_call(KERNEL, [*results, jax.ShapeDtypeStruct((memory,), jnp.float32)], vmap_method="expand_dims")(
        *(*given, *rows, alive, first.astype(jnp.int32)),
        constants=np.array(plan.constants or (0,), np.int32),
        counts=np.array((len(given), len(rows), len(results), parts, blocks, plan.between), np.int64),
        lengths=np.array(plan.lengths, np.int64),
        places=np.array(plan.places or (0,), np.int64),
        script=np.array(plan.script, np.int64),
        sizes=np.array(plan.sizes, np.int64),
    )
    return jax.tree.unflatten(jax.tree.structure(sums), made[:-1])
