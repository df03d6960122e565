"""What a function does, operation by operation, as JAX has traced it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from jax.extend.core import Jaxpr, Literal

from downslope.core.instructions import Operation

INSIDE = {"jit": "jaxpr", "custom_jvp_call": "call_jaxpr"}
"""Calls, and where their inside stands."""
TYPES = ("float32", "int32", "bool")  # of constants of which there need not be two


class Trace(NamedTuple):
    """What a function does, without the calls inside it. Values have numbers: `kinds` are their shapes and types, `known` those
    that are not computed."""

    kinds: list[Any]
    known: dict[int, Any]
    operations: list[Operation]

    def new(self, kind: Any) -> int:
        """The number of one more value."""
        self.kinds.append(kind)
        return len(self.kinds) - 1

    def constant(self, kind: Any, value: Any) -> int:
        """The number of one more value that is not computed."""
        self.known[number := self.new(kind)] = value
        return number

    def note(self, jaxpr: Jaxpr, constants: Sequence[Any], inputs: Sequence[int]) -> list[int]:
        """Notes what is done with the inputs, and gives back the numbers of the results."""
        number = dict(zip(jaxpr.invars, inputs, strict=True))
        number.update((each, self.constant(each.aval, value)) for each, value in zip(jaxpr.constvars, constants, strict=True))

        def read(atom: Any) -> int:
            return self.constant(atom.aval, atom.val) if isinstance(atom, Literal) else number[atom]

        for equation in jaxpr.eqns:
            given = [read(atom) for atom in equation.invars]
            if equation.primitive.name in INSIDE:
                inside = equation.params[INSIDE[equation.primitive.name]]
                found = self.note(inside.jaxpr, inside.consts, given)
            else:
                found = [self.new(variable.aval) for variable in equation.outvars]
                self.operations.append(Operation(equation, given, found))
            number.update(zip(equation.outvars, found, strict=True))
        return [read(atom) for atom in jaxpr.outvars]

    def once(self, results: Sequence[int]) -> tuple["Trace", list[int]]:
        """The same without what no result needs, and with nothing done twice; and the numbers of the results."""
        same: dict[int, int] = {}
        seen: dict[Any, Sequence[int]] = {}
        for number, value in self.known.items():
            kind = self.kinds[number]
            if (
                kind.dtype.name in ("float32", "int32", "bool")
                and isinstance(value, float | int | np.generic | np.ndarray)
                and np.ndim(value) == 0
            ):
                same[number] = seen.setdefault((kind.dtype, kind.shape, float(value)), [number])[0]
        operations = []
        for equation, inputs, outputs in self.operations:
            given = [same.get(number, number) for number in inputs]
            done = seen.setdefault((equation.primitive, *given, repr(equation.params)), outputs)
            if done is outputs:
                operations.append(Operation(equation, given, outputs))
            same.update((new, old) for new, old in zip(outputs, done, strict=True) if new != old)
        results = [same.get(number, number) for number in results]
        asked, found = set(results), []
        for operation in reversed(operations):
            if not asked.isdisjoint(operation.outputs):
                asked.update(operation.inputs)
                found.append(operation)
        return self._replace(operations=found[::-1]), results
