"""The sum over many examples of what a formula gives for each, with its gradient: on a CPU in one pass over memory."""

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.custom_derivatives import SymbolicZero
from jax.extend.core import ClosedJaxpr, jaxpr_as_fun

from downslope.core.arithmetic import done
from downslope.core.compiled import is_compiled
from downslope.core.instructions import Operation, fits, instructions, program, read_by
from downslope.core.plans import PLACES
from downslope.core.primitive import primitive, registered
from downslope.core.tidy import TYPES, distinct, needed
from downslope.core.trace import Trace

KERNEL = "downslope_summed"
FEWEST, FEW = 1 << 18, 1 << 12  # examples: of fewer XLA's passes stay in the cache, or are over at once
LONG = 1 << 19  # instructions for all examples: XLA shares them among threads, and waking one takes longer than they do
MOST = 32  # instructions: with more, arithmetic counts and not memory
Formula = Callable[..., Array]
"""From arrays of one size and single numbers to one number for each example."""


class Todo(NamedTuple):
    """What is done for all examples, as JAX has traced it, and how many of its results are added up."""

    formula: ClosedJaxpr
    sums: int


class Plan(NamedTuple):
    """How the kernel does it: its program, which values are its arrays and its single numbers, and what JAX computes before, for
    all examples together. Values have numbers; those of the formula's arguments are `inputs`."""

    program: tuple[int, ...]
    arrays: list[int]
    singles: list[int]
    before: list[Operation]
    inputs: list[int]
    known: dict[int, Any]


def pays(formula: Formula, given: Sequence[Any], by: int) -> bool:
    """Whether one pass is worth it for a sum and its slope by one of what is given: a choice by formula, shape and type alone."""
    values = given[by]
    if values.ndim != 1 or values.dtype != jnp.float32 or len(values) < FEW or not registered(KERNEL):
        return False
    if len(values) >= FEWEST:
        return True
    text = program_of(formula, given, by)
    return text is not None and is_compiled(text) and text[4] * len(values) >= LONG


def summed(formula: Formula, *given: Any) -> Array:
    """The sum of `formula(*given)` over all examples. It has derivatives of any order, by everything that is given.

    >>> summed(lambda factor, x: factor * x * x, jnp.float32(3), jnp.arange(4.0))
    Array(42., dtype=float32)
    """
    leaves, structure = jax.tree.flatten(given)
    return total(lambda *leaves: formula(*jax.tree.unflatten(structure, leaves)), *map(jnp.asarray, leaves))


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def total(formula: Formula, *leaves: Array) -> Array:
    """The same of arrays."""
    return one_pass(lambda *leaves: [formula(*leaves)], 1, leaves)[0]


@partial(total.defjvp, symbolic_zeros=True)
def total_slope(formula: Formula, primals: Sequence[Array], tangents: Sequence[Any]) -> tuple[Array, Array]:
    """The derivative of `total`: the slope by each array is an array, that by a single number one more sum."""
    moved = [at for at, each in enumerate(tangents) if not isinstance(each, SymbolicZero)]
    alone = [at for at in moved if not primals[at].ndim]
    arrays = [at for at in moved if primals[at].ndim]

    value, *found = one_pass(with_slopes(formula, arrays, alone), 1 + len(alone), primals)
    slopes = [slope * tangents[at] for at, slope in zip(alone, found, strict=False)]
    slopes += [jnp.sum(slope * tangents[at]) for at, slope in zip(arrays, found[len(alone) :], strict=True)]
    return value, sum(slopes, jnp.zeros_like(value))


def with_slopes(formula: Formula, arrays: Sequence[int], alone: Sequence[int]) -> Callable[..., list[Array]]:
    """The formula with its slopes: by single numbers, then by arrays, whose places among its arguments are given."""

    def varied(leaves: Sequence[Array], which: Sequence[int], *values: Array) -> Array:
        leaves = list(leaves)
        for at, value in zip(which, values, strict=True):
            leaves[at] = value
        return formula(*leaves)

    def all_of_it(*leaves: Array) -> list[Array]:
        value, pull = jax.vjp(partial(varied, leaves, arrays), *(leaves[at] for at in arrays))
        by_one = [jax.jvp(partial(varied, leaves, [at]), (leaves[at],), (jnp.ones_like(leaves[at]),))[1] for at in alone]
        return [value, *by_one, *pull(jnp.ones_like(value))]

    return all_of_it


def one_pass(formula: Callable[..., list[Array]], sums: int, leaves: Sequence[Array]) -> list[Array]:
    """The first of a formula's results added up, the others as they are."""
    closed = jax.make_jaxpr(formula)(*leaves)
    todo = Todo(closed, sums)
    if registered(KERNEL) and planned(todo) is not None:
        return summed_p.bind(*leaves, todo=todo)
    return plain(*leaves, todo=todo)


@lru_cache(maxsize=64)
def planned(todo: Todo) -> Plan | None:
    """The plan for the kernel; `None` where it cannot do it, or where it is so much that XLA's kernels are faster."""
    plan = prepared(todo)
    if plan is None or is_compiled(plan.program):
        return plan
    return plan if sum(plan.program[:4]) <= PLACES and plan.program[4] <= MOST else None


def prepared(todo: Todo) -> Plan | None:
    """The plan, however long its program; `None` where there is something that no program does."""
    trace = Trace([], {}, [])
    inputs = [trace.new(variable.aval) for variable in todo.formula.jaxpr.invars]
    results = trace.note(todo.formula.jaxpr, todo.formula.consts, inputs)
    operations, same = distinct(trace)
    outputs = [same.get(number, number) for number in results]
    kinds, there = trace.kinds, {*inputs, *trace.known}
    before, work = [], []
    for each in needed(operations, outputs):
        alone = there.issuperset(each.inputs) and not any(kinds[number].ndim for number in (*each.inputs, *each.outputs))
        (before if alone else work).append(each)
        there.update(each.outputs if alone else ())
    if not all(fits(each, kinds, TYPES) for each in work):
        return None
    made = {number for each in work for number in each.outputs}
    steps = instructions(work, set(outputs))
    read = read_by(steps)
    arrays, singles = [n for n in read if kinds[n].ndim], [n for n in read if not kinds[n].ndim]
    alike = len({kinds[number].shape for number in (*arrays, *outputs)}) == 1 and len({*outputs}) == len(outputs)
    known = all(kinds[number].dtype == jnp.float32 for number in (*arrays, *outputs)) and there.issuperset(read)
    if not (alike and known and made.issuperset(outputs)):
        return None
    if max(len(arrays) + len(outputs), len(singles)) > PLACES:
        return None
    return Plan(program(steps, arrays, outputs, singles, {}), arrays, singles, before, inputs, trace.known)


def program_of(formula: Formula, given: Sequence[Any], by: int) -> tuple[int, ...] | None:
    """The program for a sum and its slope by one of what is given, shapes or numbers: what is worth compiling."""
    leaves, structure = jax.tree.flatten(tuple(given))
    place = len(jax.tree.leaves(tuple(given[:by])))
    traced = with_slopes(lambda *leaves: formula(*jax.tree.unflatten(structure, leaves)), [place], [])
    shapes = [jax.ShapeDtypeStruct(np.shape(leaf), jnp.float32) for leaf in leaves]
    plan = prepared(Todo(jax.make_jaxpr(traced)(*shapes), 1))
    return None if plan is None else plan.program


def plain(*leaves: Array, todo: Todo) -> list[Array]:
    """The same by XLA."""
    found = jaxpr_as_fun(todo.formula)(*leaves)
    return [jnp.sum(each) for each in found[: todo.sums]] + list(found[todo.sums :])


def shapes(*leaves: Array, todo: Todo) -> list[jax.ShapeDtypeStruct]:
    """What comes out."""
    found = [jax.ShapeDtypeStruct(each.shape, each.dtype) for each in todo.formula.out_avals]
    return [jax.ShapeDtypeStruct((), each.dtype) for each in found[: todo.sums]] + found[todo.sums :]


def on_cpu(*leaves: Array, todo: Todo) -> list[Array]:
    """The same on a CPU."""
    plan = planned(todo)
    assert plan is not None  # nobody binds the operation without
    values = plan.known | dict(zip(plan.inputs, leaves, strict=True))
    for operation in plan.before:
        values.update(zip(operation.outputs, done(operation, values), strict=True))
    singles = [jnp.asarray(values[number]) for number in plan.singles]
    given = [values[number] for number in plan.arrays] + [
        one if one.dtype == jnp.int32 else one.astype(jnp.float32) for one in singles
    ]
    call = jax.ffi.ffi_call(KERNEL, shapes(*leaves, todo=todo))
    return list(call(*given, program=np.array(plan.program, np.int64), sums=np.int64(todo.sums)))


summed_p = primitive(plain, on_cpu, shapes)
