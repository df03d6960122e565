"""Plans for the kernel of `arithmetic`, as explained in `c/arithmetic.c`: which programs, for which arrays."""

from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from downslope.core.instructions import BY_NUMBER, STEP, Operation, program

MOST = 64  # arrays in one call: XLA takes ever longer to compile one with more
PLACES = 48  # of a program, as in the kernel


class Plan(NamedTuple):
    """What the kernel is told. An alias is an argument in whose memory a result is written."""

    numbers: tuple[int, ...]
    constants: tuple[float, ...]
    shapes: tuple[tuple[int, ...], ...]
    aliases: tuple[tuple[int, int], ...]


class Planned(NamedTuple):
    """A plan, and the values that are its arguments and results."""

    plan: Plan
    arguments: list[int]
    results: list[int]


def planned(
    operations: Sequence[Operation], kinds: Sequence[Any], known: dict[int, Any], outputs: Sequence[int], replaced: dict[int, int]
) -> tuple[list[Planned], list[Operation]]:
    """How the kernel carries out the operations, of which `outputs` are asked for, and those that are too much for it. A result
    goes where what it replaces has been."""
    together = groups(operations, kinds)
    parts = [Part.of(group, kinds, set(outputs), replaced) for group in together]
    too_much = [each for group, part in zip(together, parts, strict=True) if part.places > PLACES for each in group]
    parts = [part for part in parts if part.places <= PLACES]
    calls = []
    while parts:
        count = 1 + bisect(list(accumulate(part.arrays for part in parts[1 : MOST + 1])), MOST - parts[0].arrays)
        calls.append(joined(parts[:count], kinds, known))
        parts = parts[count:]
    return calls, too_much


class Part(NamedTuple):
    """A program and the values it is for."""

    program: tuple[int, ...]
    inputs: list[int]
    outputs: list[int]
    singles: list[int]
    over: dict[int, int]

    @classmethod
    def of(cls, group: Sequence[Operation], kinds: Sequence[Any], wanted: set[int], replaced: dict[int, int]) -> "Part":
        """What a group of operations needs."""
        made = dict.fromkeys(number for each in group for number in each.outputs)
        read = dict.fromkeys(number for each in group for number in each.inputs if number not in made)
        inputs, singles = [n for n in read if kinds[n].ndim], [n for n in read if not kinds[n].ndim]
        outputs = [number for number in made if number in wanted]
        over = {number: replaced[number] for number in outputs if replaced.get(number) in inputs}
        return cls(program(group, inputs, outputs, singles, over), inputs, outputs, singles, over)

    @property
    def arrays(self) -> int:
        """How many it reads and writes."""
        return len(self.inputs) + len(self.outputs)

    @property
    def places(self) -> int:
        """Places of the program."""
        return sum(self.program[:4])


def joined(parts: Sequence[Part], kinds: Sequence[Any], known: dict[int, Any]) -> Planned:
    """One plan for several parts."""
    constants, arguments, results = Numbers(), Numbers(), Numbers()
    start: dict[tuple[int, ...], int] = {}
    texts: list[int] = []
    arrays: list[int] = []
    aliases = []
    for text, inputs, outputs, singles, over in parts:
        if text not in start:
            start[text] = 1 + len(texts)
            texts += text
        where = [-1 - constants.of(float(known[n])) if is_constant(known.get(n)) else arguments.of(n) for n in singles]
        arrays += [start[text], *map(arguments.of, inputs), *map(results.of, outputs), *where]
        aliases += [(arguments.of(old), results.of(new)) for new, old in over.items()]
    shapes = tuple(kinds[number].shape for number in results)
    return Planned(
        Plan((1 + len(texts), *texts, *arrays), tuple(constants), shapes, tuple(aliases)), list(arguments), list(results)
    )


class Numbers(dict[Any, int]):
    """Things in the order in which they were first asked for."""

    def of(self, thing: Any) -> int:
        """The number of a thing."""
        return self.setdefault(thing, len(self))


def is_constant(value: Any) -> bool:
    """Whether a single number is known before anything is compiled."""
    return isinstance(value, float | int | np.generic | np.ndarray)


def groups(operations: Sequence[Operation], kinds: Sequence[Any]) -> list[list[Operation]]:
    """The operations on arrays that have to do with each other."""
    above: dict[int, int] = {}

    def top(number: int) -> int:
        while (up := above.setdefault(number, number)) != number:
            above[number] = number = above[up]
        return number

    for each in operations:
        first, *others = [top(number) for number in (*each.outputs, *each.inputs) if kinds[number].ndim]
        above.update(dict.fromkeys(others, first))
    found: dict[int, list[Operation]] = {}
    for each in operations:
        found.setdefault(top(each.outputs[0]), []).append(each)
    return list(found.values())


def carried_out(*values: Array, plan: Plan) -> list[Array]:
    """The same by JAX."""
    numbers, at = plan.numbers, plan.numbers[0]
    found: dict[int, Array] = {}
    while at < len(numbers):
        start = numbers[at]
        inputs, outputs, singles, _, count = numbers[start : start + 5]
        arrays = numbers[at + 1 : at + 1 + inputs + outputs + singles]
        held = {place: values[number] for place, number in enumerate(arrays[:inputs])}
        for place, number in enumerate(arrays[inputs + outputs :], inputs + outputs):
            held[place] = values[number] if number >= 0 else jnp.float32(plan.constants[-1 - number])
        for step in range(start + 5, start + 5 + STEP * count, STEP):
            code, result, *places = numbers[step : step + STEP]
            needs, what = BY_NUMBER[code]
            held[result] = what(*(held[place] for place in places[:needs])).astype(jnp.float32)
        for place, number in enumerate(arrays[inputs : inputs + outputs], inputs):
            found[number] = jnp.broadcast_to(held[place], plan.shapes[number])
        at += 1 + len(arrays)
    return [found[number] for number in range(len(plan.shapes))]
