"""Plans for the kernel of `arithmetic`, as explained in `c/arithmetic.c`: which programs, for which spans of arrays."""

import math
from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from downslope.core.instructions import BY_NUMBER, STEP, Operation, instructions, program, read_by
from downslope.core.views import Home, Views

MOST = 64  # arrays in one call: XLA takes ever longer to compile one with more
PLACES = 48  # of a program, as in the kernel
HEAD = 5  # numbers of a program before its instructions


class Plan(NamedTuple):
    """What the kernel is told. An alias is an argument in whose memory a result is written."""

    numbers: tuple[int, ...]
    constants: tuple[float, ...]
    shapes: tuple[tuple[int, ...], ...]
    aliases: tuple[tuple[int, int], ...]

    def texts(self) -> list[tuple[int, ...]]:
        """The programs in it."""
        found, at = [], 1
        while at < self.numbers[0]:
            end = at + HEAD + STEP * self.numbers[at + HEAD - 1]
            found.append(self.numbers[at:end])
            at = end
        return found


class Call(NamedTuple):
    """A plan, and the values that are its arguments and results."""

    plan: Plan
    arguments: list[int]
    results: list[int]


class Work(NamedTuple):
    """How the kernel carries out operations, those that are not for it, and what it writes into larger arrays."""

    calls: list[Call]
    too_much: list[Operation]
    written: set[int]


def planned(
    operations: Sequence[Operation],
    kinds: Sequence[Any],
    known: dict[int, Any],
    wanted: Sequence[int],
    replaced: dict[int, int],
    where: Views,
) -> Work:
    """What the kernel does for the results that are `wanted`. A result goes where what it replaces has been."""
    together = groups(operations, kinds)
    parts = [Part.of(group, kinds, set(wanted), replaced, where) for group in together]
    too_much = [each for group, part in zip(together, parts, strict=True) if not part.fits for each in group]
    parts = [part for part in parts if part.fits]
    written = {number for part in parts for number in part.over if number in where.written}
    calls = []
    while parts:
        count = 1 + bisect(list(accumulate(part.arrays for part in parts[1 : MOST + 1])), MOST - parts[0].arrays)
        calls.append(joined(parts[:count], kinds, known, where))
        parts = parts[count:]
    return Work(calls, too_much, written)


class Part(NamedTuple):
    """A program and the values it is for, all of one `size` but for single numbers."""

    program: tuple[int, ...]
    size: int
    inputs: list[int]
    outputs: list[int]
    singles: list[int]
    over: dict[int, int]
    arrays: int

    @classmethod
    def of(
        cls, group: Sequence[Operation], kinds: Sequence[Any], wanted: set[int], replaced: dict[int, int], where: Views
    ) -> "Part":
        """What a group of operations needs."""
        made = dict.fromkeys(number for each in group for number in each.outputs)
        outputs = [number for number in made if number in wanted]
        steps = instructions(group, set(outputs))
        read = read_by(steps)
        inputs, singles = [n for n in read if kinds[n].ndim], [n for n in read if not kinds[n].ndim]
        over = {new: old for new in outputs if (old := where.over(new, inputs, replaced)) is not None}
        arrays = len(inputs) + len(outputs) - sum(number in where.read or number in where.written for number in inputs + outputs)
        text = program(steps, inputs, outputs, singles, over)
        return cls(text, kinds[outputs[0]].size, inputs, outputs, singles, over, arrays)

    @property
    def fits(self) -> bool:
        """Whether there is something to read, and the program has not too many places."""
        return bool(self.inputs) and sum(self.program[:4]) <= PLACES


def joined(parts: Sequence[Part], kinds: Sequence[Any], known: dict[int, Any], where: Views) -> Call:
    """One call for several parts."""
    constants, arguments, results = Numbers(), Numbers(), Numbers()
    start: dict[tuple[int, ...], int] = {}
    texts: list[int] = []
    spans: list[int] = []
    aliases = {}
    for text, size, inputs, outputs, singles, over, _ in parts:
        if text not in start:
            start[text] = 1 + len(texts)
            texts += text
        read = [where.read.get(number, Home(number)) for number in inputs]
        written = [where.written.get(number, Home(number)) for number in outputs]
        spans += [start[text], size]
        for numbers, homes in ((arguments, read), (results, written)):
            spans += [each for home in homes for each in (numbers.of(home.whole), home.start)]
        spans += [-1 - constants.of(float(known[n])) if is_constant(known.get(n)) else arguments.of(n) for n in singles]
        for new, old in over.items():
            home = where.read.get(old, Home(old))
            aliases[results.of(where.written.get(new, Home(new)).whole)] = arguments.of(home.whole)
    shapes = tuple(kinds[number].shape for number in results)
    numbers = (1 + len(texts), *texts, *spans)
    pairs = tuple((old, new) for new, old in aliases.items())
    return Call(Plan(numbers, tuple(constants), shapes, pairs), list(arguments), list(results))


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
    found = {new: values[old] for old, new in plan.aliases}
    while at < len(numbers):
        start, size = numbers[at : at + 2]
        inputs, outputs, singles, _, count = numbers[start : start + 5]
        middle = at + 2 + 2 * (inputs + outputs)
        homes = list(zip(numbers[at + 2 : middle : 2], numbers[at + 3 : middle : 2], strict=True))
        at = middle + singles
        held = {place: values[number].reshape(-1)[begin : begin + size] for place, (number, begin) in enumerate(homes[:inputs])}
        for place, number in enumerate(numbers[middle:at], inputs + outputs):
            held[place] = values[number] if number >= 0 else jnp.float32(plan.constants[-1 - number])
        for step in range(start + 5, start + 5 + STEP * count, STEP):
            code, result, *places = numbers[step : step + STEP]
            needs, what = BY_NUMBER[code]
            held[result] = what(*(held[place] for place in places[:needs])).astype(jnp.float32)
        for place, (number, begin) in enumerate(homes[inputs:], inputs):
            result, shape = jnp.broadcast_to(held[place], (size,)), plan.shapes[number]
            whole = size == math.prod(shape)
            found[number] = result.reshape(shape) if whole else found[number].at[begin : begin + size].set(result)
    return [found[number] for number in range(len(plan.shapes))]
