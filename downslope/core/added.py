"""Sums over blocks of rows of what a function makes of each: on a CPU one kernel, which reads the blocks where they lie."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from downslope.core.book import Book, Text
from downslope.core.primitive import registered
from downslope.core.script import by_itself
from downslope.core.work import Unknown

KERNEL = "downslope_added"


class Plan(NamedTuple):
    """What the kernel is told, and the shapes of what the function makes of a block."""

    text: Text
    sizes: tuple[int, ...]
    made: Any


def planned(function: Callable[[Any, Any], Any], fixed: Any, block: Any) -> Plan | None:
    """The plan for a function of what is `fixed` and a block of rows; `None` where the kernel does not know all that it does."""
    if jax.default_backend() != "cpu" or not registered(KERNEL):
        return None
    try:
        found, made = by_itself(function, (fixed, block), len(jax.tree.leaves(fixed)))
    except Unknown:
        return None
    sizes = [each.size for each in jax.tree.leaves((fixed, block, made))]
    book = Book(len(sizes))
    book.add(found)
    return Plan(book.text(), tuple(sizes), made)


def added(plan: Plan, fixed: Any, tables: Any, alive: Array, first: Array, parts: int, blocks: int) -> Any:
    """What the function makes, added up for each of so many `parts` of the tables from the `first` on, each of so many `blocks`,
    with a leading axis that counts parts. Nothing is computed for what is not `alive`; the sums are 0."""
    given, rows = jax.tree.leaves(fixed), jax.tree.leaves(tables)
    sums = jax.tree.map(lambda like: jax.ShapeDtypeStruct((parts, *like.shape), like.dtype), plan.made)
    memory = plan.text.between + sum(plan.sizes[len(given) + len(rows) :])
    results = jax.tree.leaves(sums)
    made = jax.ffi.ffi_call(KERNEL, [*results, jax.ShapeDtypeStruct((memory,), jnp.float32)], vmap_method="expand_dims")(
        *(*given, *rows, alive, first.astype(jnp.int32)),
        counts=np.array((len(given), len(rows), len(results), parts, blocks, plan.text.between), np.int64),
        sizes=np.array(plan.sizes, np.int64),
        **plan.text.given(),
    )
    return jax.tree.unflatten(jax.tree.structure(sums), made[:-1])
