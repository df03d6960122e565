"""What a function does, operation by operation, as JAX has traced it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from jax.extend.core import Jaxpr, Literal

from downslope.core.instructions import Operation

INSIDE = {"jit": "jaxpr", "custom_jvp_call": "call_jaxpr"}
"""Calls, and where their inside stands."""


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
