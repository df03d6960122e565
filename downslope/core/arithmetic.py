"""Arithmetic on many arrays, number by number: on a CPU one kernel for all of it, in one pass over memory."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from downslope.core.instructions import Operation, fits
from downslope.core.plans import Plan, carried_out, planned
from downslope.core.primitive import primitive, registered
from downslope.core.trace import Trace
from downslope.core.views import Views, nothing, views

KERNEL = "downslope_arithmetic"
Held = TypeVar("Held")


def in_one_pass(change: Callable[[Held], Held], held: Held) -> Held:
    """`change(held)`. Its last arithmetic, which nothing but the result needs, is done by one kernel on a CPU, in the memory of
    `held` where XLA lets it. Each operation is rounded by itself.

    >>> in_one_pass(lambda held: {"w": held["w"] * 2 + 1}, {"w": jnp.arange(3.0)})
    {'w': Array([1., 3., 5.], dtype=float32)}
    """
    if not registered(KERNEL):
        return change(held)
    leaves, structure = jax.tree.flatten(held)
    closed, shapes = jax.make_jaxpr(lambda *leaves: change(jax.tree.unflatten(structure, leaves)), return_shape=True)(*leaves)
    trace = Trace([], {}, [])
    inputs = [trace.new(variable.aval) for variable in closed.jaxpr.invars]
    outputs = trace.note(closed.jaxpr, closed.consts, inputs)
    values = trace.known | dict(zip(inputs, leaves, strict=True))
    replaced = dict(zip(outputs, inputs, strict=True))
    for known in (views(trace.operations, trace.kinds, inputs, replaced), nothing()):
        others, last = split(trace, outputs, known)
        work = planned(last, trace.kinds, trace.known, [*outputs, *known.written], replaced, known)
        if work.written == known.written.keys():  # else something of a larger array is computed elsewhere
            break
    for operation in others + work.too_much:
        values.update(zip(operation.outputs, done(operation, values), strict=True))
    for call in work.calls:
        given = [jnp.asarray(values[number], jnp.float32) for number in call.arguments]
        values.update(zip(call.results, arithmetic_p.bind(*given, plan=call.plan), strict=True))
    return jax.tree.unflatten(jax.tree.structure(shapes), [values[known.joints.get(number, number)] for number in outputs])


def split(trace: Trace, outputs: Sequence[int], known: Views) -> tuple[list[Operation], list[Operation]]:
    """All other operations, and the last arithmetic: what is needed by it and by the result alone."""
    needed = {number for number in outputs if trace.kinds[number].dtype != jnp.float32}
    asked = {*outputs, *known.written}
    others, last = [], []
    for operation in reversed(trace.operations):
        if needed.isdisjoint(operation.outputs) and known.spare.issuperset(operation.outputs):
            continue
        if not needed.isdisjoint(operation.outputs) or not fits(operation, trace.kinds):
            others.append(operation)
            needed.update(operation.inputs)
        elif not asked.isdisjoint(operation.outputs):
            last.append(operation)
            asked.update(operation.inputs)
    return others[::-1], last[::-1]


def done(operation: Operation, values: dict[int, Any]) -> Sequence[Any]:
    """The results of an operation of JAX."""
    equation = operation.equation
    settings = equation.primitive.get_bind_params(equation.params)
    with equation.ctx.manager:
        found = equation.primitive.bind(*(values[number] for number in operation.inputs), **settings)
    return found if equation.primitive.multiple_results else [found]


def on_cpu(*values: Array, plan: Plan) -> list[Array]:
    """The arithmetic on a CPU."""
    numbers, constants = np.array(plan.numbers, np.int64), np.array(plan.constants or (0,), np.float32)
    call = jax.ffi.ffi_call(KERNEL, results(plan=plan), input_output_aliases=dict(plan.aliases))
    return list(call(*values, plan=numbers, constants=constants))


def results(*_: Any, plan: Plan) -> list[jax.ShapeDtypeStruct]:
    """What a plan makes."""
    return [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in plan.shapes]


arithmetic_p = primitive(carried_out, on_cpu, results)
