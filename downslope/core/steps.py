"""Many steps of a computation, one after another: on a CPU by one kernel, where it knows all that a step does."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.extend.core import ClosedJaxpr, jaxpr_as_fun
from jax.interpreters import batching

from downslope.core.primitive import primitive, registered
from downslope.core.script import Counts, Script, script

KERNEL = "downslope_steps"
Carried = TypeVar("Carried")
Step = Callable[[Any, Carried, Any, Any], tuple[Carried, Any]]
"""From what is fixed, what is carried, a row of the tables and what is known ahead to what is carried on, and a report."""


class Todo(NamedTuple):
    """A step as JAX has traced it, how many arguments it has of each kind, and the script for the kernel if that can carry it out."""

    step: ClosedJaxpr
    counts: Counts
    unroll: int
    script: Script | None = None


def steps(
    step: Step, fixed: Any, carried: Carried, tables: Any, places: Array, ahead: Any, alive: Array, unroll: int = 1
) -> tuple[Carried, Any]:
    """`jax.lax.scan` of a step over the numbers of the tables' rows that it sees, `places`, and what is known `ahead` for each.

    Where the kernel carries it out, each operation of arithmetic is rounded by itself, and nothing has to be compiled for it.
    What comes out where it is not `alive` has no meaning: then the kernel does nothing.

    >>> def add(factor, total, row, ahead): return total + factor * row + ahead, total
    >>> steps(add, jnp.float32(2), jnp.float32(0), jnp.array([1.0, 2.0]), jnp.array([0, 1, 1]), jnp.zeros(3), jnp.array(True))
    (Array(10., dtype=float32), Array([0., 2., 6.], dtype=float32))
    """
    one = jax.tree.map(lambda each: jax.ShapeDtypeStruct(each.shape[1:], each.dtype), (tables, ahead))
    leaves, structure = jax.tree.flatten((fixed, carried, *one))
    closed, results = jax.make_jaxpr(partial(flat, step, structure), return_shape=True)(*leaves)
    counts = Counts(*(len(jax.tree.leaves(each)) for each in (fixed, carried, tables, ahead, results[1])))
    todo, given = Todo(closed, counts, unroll), (*jax.tree.leaves((fixed, carried, tables, ahead)), alive, places)
    if registered(KERNEL) and alike(closed, counts):
        todo = todo._replace(script=script(closed, counts))
    one_each = (False,) * len(given)
    found = plain(*given, todo=todo, own=one_each) if todo.script is None else steps_p.bind(*given, todo=todo, own=one_each)
    return jax.tree.unflatten(jax.tree.structure(results), found)


def flat(step: Step, structure: Any, *leaves: Any) -> tuple[Any, Any]:
    """A step of leaves."""
    return step(*jax.tree.unflatten(structure, leaves))


def alike(closed: ClosedJaxpr, counts: Counts) -> bool:
    """Whether what is carried keeps its shapes and types, and what is reported are single numbers."""
    kinds = [(each.shape, each.dtype) for each in (*closed.in_avals[counts.fixed :][: counts.carried], *closed.out_avals)]
    reports = kinds[2 * counts.carried :]
    return kinds[: counts.carried] == kinds[counts.carried : 2 * counts.carried] and all(shape == () for shape, _ in reports)


def cut(values: Sequence[Any], counts: Counts) -> tuple[Sequence[Any], ...]:
    """The arguments of each kind."""
    ends = np.cumsum((0, *counts[:4])).tolist()
    return tuple(values[start:end] for start, end in zip(ends[:-1], ends[1:], strict=True))


def plain(*values: Array, todo: Todo, own: tuple[bool, ...]) -> list[Array]:
    """The same by XLA."""
    if any(own):
        return jax.vmap(partial(plain, todo=todo, own=(False,) * len(own)), [0 if each else None for each in own])(*values)
    fixed, carried, tables, ahead = cut(values, todo.counts)

    def one(inner: list[Array], now: tuple[Array, list[Array]]) -> tuple[list[Array], list[Array]]:
        rows = [jax.lax.dynamic_index_in_dim(table, now[0], keepdims=False) for table in tables]
        found = jaxpr_as_fun(todo.step)(*fixed, *inner, *rows, *now[1])
        return list(found[: todo.counts.carried]), list(found[todo.counts.carried :])

    after, reports = jax.lax.scan(one, list(carried), (values[-1], list(ahead)), unroll=todo.unroll)
    return [*after, *reports]


def shapes(*values: Array, todo: Todo, own: tuple[bool, ...]) -> list[jax.ShapeDtypeStruct]:
    """What comes out."""
    lanes = next(([value.shape[0]] for value, each in zip(values, own, strict=True) if each), [])
    carried = todo.step.out_avals[: todo.counts.carried]
    reports = todo.step.out_avals[todo.counts.carried :]
    length = values[-1].shape
    return [
        *(jax.ShapeDtypeStruct((*lanes, *each.shape), each.dtype) for each in carried),
        *(jax.ShapeDtypeStruct((*lanes, *length), each.dtype) for each in reports),
    ]


def on_cpu(*values: Array, todo: Todo, own: tuple[bool, ...]) -> list[Array]:
    """The same on a CPU."""
    lanes = next((value.shape[0] for value, each in zip(values, own, strict=True) if each), 1)
    assert todo.script is not None  # nobody binds the primitive without
    between = jax.ShapeDtypeStruct((max(1, todo.script.between),), jnp.float32)
    found = jax.ffi.ffi_call(KERNEL, [*shapes(*values, todo=todo, own=own), between])(
        *values[:-1],
        values[-1].astype(jnp.int32),
        constants=np.array(todo.script.constants or (0,), np.int32),
        counts=np.array((*todo.counts, lanes), np.int64),
        own=np.array(own, np.int64),
        script=np.array(todo.script.numbers, np.int64),
    )
    return list(found[:-1])


def batched(values: Sequence[Array], axes: Sequence[int | None], *, todo: Todo, own: tuple[bool, ...]) -> tuple[Any, Any]:
    """Several lanes are gone through by the kernel itself, one after another, as long as they see the same rows."""
    if any(own) or axes[-1] is not None:
        found = jax.vmap(partial(plain, todo=todo, own=own), axes)(*values)
    else:
        leading = [each if axis is None else jnp.moveaxis(each, axis, 0) for each, axis in zip(values, axes, strict=True)]
        found = steps_p.bind(*leading, todo=todo, own=tuple(axis is not None for axis in axes))
    return found, [0] * len(found)


steps_p = primitive(plain, on_cpu, shapes)
batching.primitive_batchers[steps_p] = batched
