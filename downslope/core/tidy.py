"""What JAX has traced, without what need not be done: renamings, repetitions, what nobody asks for."""

from collections.abc import Collection, Hashable, Iterator, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from downslope.core.instructions import Operation, named
from downslope.core.plans import is_constant
from downslope.core.trace import Trace

TYPES = (jnp.float32, jnp.bool_, jnp.int32)
RENAMED = {"reshape", "squeeze", "expand_dims", "copy", "optimization_barrier", "stop_gradient", "bitcast_convert_type"}
RENAMED |= {"broadcast_in_dim", "convert_element_type", "slice", "reduce_sum", "transpose"}  # where size and order stay


def is_single(kind: Any, value: Any) -> bool:
    """Whether a value is one number that is known."""
    return is_constant(value) and kind.size == 1 and kind.dtype in TYPES


def bits(kind: Any, value: Any) -> int:
    """The four bytes of a constant as a whole number; a truth is a number."""
    dtype = np.int32 if kind.dtype == jnp.int32 else np.float32
    return int(np.asarray(value).astype(dtype).reshape(()).view(np.int32))


def spread_out(trace: Trace) -> Iterator[Operation]:
    """The operations, with repetitions of their own where arithmetic repeats what it is given along an axis."""
    for equation, inputs, outputs in list(trace.operations):
        shape, given = trace.kinds[outputs[0]].shape if outputs else (), list(inputs)
        for at, number in enumerate(inputs if named(equation) else ()):
            kind = trace.kinds[number]
            if kind.ndim and kind.shape != shape and equation.primitive.name != "broadcast_in_dim":
                repeat = jax.make_jaxpr(partial(jnp.broadcast_to, shape=shape))(kind).jaxpr
                within = Trace(trace.kinds, trace.known, [])
                given[at : at + 1] = within.note(repeat, (), [number])
                yield from within.operations
        yield Operation(equation, given, outputs)


def distinct(trace: Trace) -> tuple[list[Operation], dict[int, int]]:
    """The operations that are not the `same` as an earlier one, and do more than to rename what they are given."""
    same: dict[int, int] = {}
    first: dict[Hashable, Any] = {}
    for number, value in trace.known.items():
        kind = trace.kinds[number]
        if is_single(kind, value):
            same[number] = first.setdefault((bits(kind, value), kind.dtype), number)
    found = []
    for operation in spread_out(trace):
        if renames(operation, trace, same):
            continue
        equation, inputs, outputs = operation
        inputs = [same.get(number, number) for number in inputs]
        avals = [(each.aval.shape, each.aval.dtype) for each in (*equation.invars, *equation.outvars)]
        key = (equation.primitive, *inputs, *avals, *sorted(equation.params.items()))
        try:
            others = first.setdefault(key, outputs)
        except TypeError:  # settings that cannot be compared
            others = outputs
        if others is outputs:
            found.append(Operation(equation, inputs, outputs))
        same.update((new, old) for new, old in zip(outputs, others, strict=True) if new != old)
    return found, same


def needed(operations: Sequence[Operation], results: Collection[int]) -> list[Operation]:
    """The operations without which some result would be missing."""
    asked, found = set(results), []
    for operation in reversed(operations):
        if not asked.isdisjoint(operation.outputs):
            asked.update(operation.inputs)
            found.append(operation)
    return found[::-1]


def renames(operation: Operation, trace: Trace, same: dict[int, int]) -> bool:
    """Whether an operation leaves the numbers and their order as they are; if so its results are noted as the `same`."""
    equation, inputs, outputs = operation
    name = equation.primitive.name
    if name not in RENAMED or not inputs:
        return False
    old, new = (trace.kinds[numbers[0]] for numbers in (inputs, outputs))
    alike = old.size == new.size and (name == "bitcast_convert_type" or old.dtype == new.dtype)
    if name == "transpose":
        kept = [axis for axis in equation.params["permutation"] if old.shape[axis] > 1]
        alike = kept == sorted(kept)
    if alike:
        same.update((new, same.get(old, old)) for old, new in zip(inputs, outputs, strict=True))
    return alike
