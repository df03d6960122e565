"""Scripts for the kernel of `steps`, as explained in `c/steps.c`: from what JAX has traced of one step."""

import math
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import ClosedJaxpr

from downslope.core import layer
from downslope.core.instructions import NUMBER, Operation, named, program
from downslope.core.plans import PLACES, is_constant
from downslope.core.trace import Trace

FIXED, CARRIED, ROW, AHEAD, CONSTANT, BETWEEN, NEXT, REPORT = range(8)  # kinds of values, in the order of the kernel's
ARITHMETIC, LAYER, LAYER_BACK, NARROW, SUM, SPREAD, TURN = range(7)  # operations
TYPES = (jnp.float32, jnp.bool_, jnp.int32)
UNIT = 16  # numbers of which the memory of a value is a multiple
RENAMED = {"reshape", "squeeze", "expand_dims", "copy", "optimization_barrier", "stop_gradient", "bitcast_convert_type"}
RENAMED |= {"broadcast_in_dim", "convert_element_type", "slice", "reduce_sum"}  # where the size stays
COPY = (1, 1, 0, 0, 1, NUMBER["copy"], 1, 0, 0, 0, 0)


class Counts(NamedTuple):
    """How many arguments and results a step has: what is fixed, carried, one row of a table, known ahead; what it reports."""

    fixed: int
    carried: int
    rows: int
    ahead: int
    reports: int


class Script(NamedTuple):
    """What the kernel is told: numbers, the bits of constants, and how much memory it needs for what lies between."""

    numbers: tuple[int, ...]
    constants: tuple[int, ...]
    between: int


class Work(NamedTuple):
    """An operation of the kernel: its code, the values it reads and writes, and what follows their numbers. Of arithmetic, `text`
    is the program."""

    code: int
    read: Sequence[int]
    written: Sequence[int]
    text: Sequence[int]


def script(closed: ClosedJaxpr, counts: Counts) -> Script | None:
    """The script for a step from fixed, carried, rows and ahead to carried and reports; `None` where the kernel cannot do it all."""
    trace = Trace([], {}, [])
    inputs = [trace.new(variable.aval) for variable in closed.jaxpr.invars]
    results = trace.note(closed.jaxpr, closed.consts, inputs)
    trace = trace._replace(operations=list(spread_out(trace)))
    same: dict[int, int] = {}
    operations = [each for each in needed(trace, results) if not renames(each, trace, same)]
    results = [same.get(number, number) for number in results]
    operations = [each._replace(inputs=[same.get(number, number) for number in each.inputs]) for each in operations]
    constants = {
        n: bits(trace.kinds[n], v)
        for n, v in trace.known.items()
        if is_constant(v) and trace.kinds[n].size == 1 and trace.kinds[n].dtype in TYPES
    }
    if any(trace.kinds[n].dtype not in (jnp.float32, jnp.int32) or n in trace.known for n in (*inputs, *results)):
        return None
    works = scheduled(operations, trace.kinds, {*inputs, *constants}, set(results))
    return None if works is None else Memory(trace.kinds, inputs, constants, counts).script(works, results)


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


def needed(trace: Trace, results: Sequence[int]) -> list[Operation]:
    """The operations without which some result would be missing."""
    asked, found = set(results), []
    for operation in reversed(trace.operations):
        if not asked.isdisjoint(operation.outputs):
            asked.update(operation.inputs)
            found.append(operation)
    return found[::-1]


def renames(operation: Operation, trace: Trace, same: dict[int, int]) -> bool:
    """Whether an operation leaves the numbers and their order as they are; if so its results are noted as the `same`."""
    equation, inputs, outputs = operation
    name, sizes = equation.primitive.name, [trace.kinds[number].size for number in (inputs[0], outputs[0])] if inputs else [0, 1]
    alike = sizes[0] == sizes[1] and (
        name == "bitcast_convert_type" or len({trace.kinds[n].dtype for n in (inputs[0], outputs[0])}) < 2
    )
    if name == "transpose":
        shape = trace.kinds[inputs[0]].shape
        kept = [axis for axis in equation.params["permutation"] if shape[axis] > 1]
        alike = kept == sorted(kept)
    elif name not in RENAMED:
        return False
    if alike:
        same.update((new, same.get(old, old)) for old, new in zip(inputs, outputs, strict=True))
    return alike


def bits(kind: Any, value: Any) -> int:
    """The four bytes of a constant as a whole number; a truth is a number."""
    dtype = np.int32 if kind.dtype == jnp.int32 else np.float32
    return int(np.asarray(value).astype(dtype).reshape(()).view(np.int32))


def scheduled(
    operations: Sequence[Operation], kinds: Sequence[Any], there: Collection[int], results: Collection[int]
) -> list[Work] | None:
    """An order in which arithmetic on arrays of one size comes together."""
    there, left, found = set(there), list(operations), []
    while left:
        ready = [each for each in left if there.issuperset(each.inputs)]
        others = [each for each in ready if not is_arithmetic(each, kinds)]
        if not ready:
            return None
        if others:
            made = others[:1]
        else:
            made = together(left, kinds, there, kinds[ready[0].outputs[0]].size)
        there.update(number for each in made for number in each.outputs)
        left = [each for each in left if not there.issuperset(each.outputs)]
        later = {number for each in left for number in each.inputs}
        works = [special(made[0], kinds)] if others else list(arithmetic(made, kinds, later.union(results)))
        if None in works:
            return None
        found += works
    return found


def is_arithmetic(operation: Operation, kinds: Sequence[Any]) -> bool:
    """Whether it goes number by number, on arrays of one size and single numbers."""
    if named(operation.equation) is None:
        return False
    size = kinds[operation.outputs[0]].size
    return size > 0 and all(kinds[number].size in (1, size) for number in operation.inputs)


def together(left: Sequence[Operation], kinds: Sequence[Any], there: Collection[int], size: int) -> list[Operation]:
    """All arithmetic on arrays of this size that can be done now."""
    known, found = set(there), []
    for each in left:
        if kinds[each.outputs[0]].size == size and known.issuperset(each.inputs) and is_arithmetic(each, kinds):
            found.append(each)
            known.update(each.outputs)
    return found


def arithmetic(operations: Sequence[Operation], kinds: Sequence[Any], wanted: Collection[int]) -> Iterator[Work | None]:
    """Programs for operations on arrays of one size: one, or several where one would need too many places."""
    size = kinds[operations[0].outputs[0]].size
    made = dict.fromkeys(number for each in operations for number in each.outputs)
    read = dict.fromkeys(number for each in operations for number in each.inputs if number not in made)
    inputs, singles = ([n for n in read if (kinds[n].size == size) is whole] for whole in (True, False))
    outputs = [number for number in made if number in wanted]
    text = program(operations, inputs, outputs, singles, {})
    if sum(text[:4]) <= PLACES:
        yield Work(ARITHMETIC, [*inputs, *singles], outputs, (size, *text))
    elif len(operations) == 1:
        yield None
    else:
        first, rest = operations[: len(operations) // 2], operations[len(operations) // 2 :]
        yield from arithmetic(first, kinds, {*wanted, *(number for each in rest for number in each.inputs)})
        yield from arithmetic(rest, kinds, wanted)


def special(operation: Operation, kinds: Sequence[Any]) -> Work | None:
    """What is not done number by number."""
    equation, inputs, outputs = operation
    given = [jax.ShapeDtypeStruct(each.aval.shape, each.aval.dtype) for each in equation.invars]  # before they were renamed
    shapes = [each.shape for each in given]
    if any(kinds[number].dtype != jnp.float32 for number in (*inputs, *outputs)):
        return None
    if equation.primitive is layer.forward_p and layer.fits(*given):
        return Work(LAYER, inputs, outputs, (shapes[0][0], *shapes[1]))
    if equation.primitive is layer.backward_p and layer.fits(*given, by_x=equation.params["by_x"]):
        missing = () if equation.params["by_x"] else (-1,)
        return Work(LAYER_BACK, inputs, outputs, (*missing, shapes[0][0], *shapes[1]))
    match equation.primitive.name:
        case "dot_general":
            return product(equation, inputs, outputs, shapes)
        case "reduce_sum":
            kept = [axis not in equation.params["axes"] for axis in range(len(shapes[0]))]
            return folded(SUM, inputs, outputs, shapes[0], kept)
        case "broadcast_in_dim":
            shape, places = kinds[outputs[0]].shape, equation.params["broadcast_dimensions"]
            kept = [axis in places and shapes[0][places.index(axis)] == length for axis, length in enumerate(shape)]
            return folded(SPREAD, inputs, outputs, shape, kept)
        case "transpose" if len(shapes[0]) == 2:
            return Work(TURN, inputs, outputs, shapes[0])
    return None


def product(equation: Any, inputs: Sequence[int], outputs: Sequence[int], shapes: Sequence[tuple[int, ...]]) -> Work | None:
    """A product of two matrices, or of one and a vector, each read along either axis."""
    (contracted, batched) = equation.params["dimension_numbers"]
    if any(batched) or any(len(axes) != 1 for axes in contracted) or any(len(shape) not in (1, 2) for shape in shapes):
        return None
    sides = []
    for shape, (axis,) in zip(shapes, contracted, strict=True):
        steps = [math.prod(shape[at + 1 :]) for at in range(len(shape))]
        free = [at for at in range(len(shape)) if at != axis]
        sides.append((shape[free[0]] if free else 1, steps[free[0]] if free else 1, steps[axis]))
    (rows, left_row, left_depth), (columns, right_column, right_depth) = sides
    depth = shapes[0][contracted[0][0]]
    return Work(NARROW, inputs, outputs, (rows, columns, depth, left_row, left_depth, right_depth, right_column))


def folded(code: int, inputs: Sequence[int], outputs: Sequence[int], shape: Sequence[int], kept: Sequence[bool]) -> Work | None:
    """A sum over neighbouring axes, or their repetition: those that are not kept."""
    axes = [(length, stays) for length, stays in zip(shape, kept, strict=True) if length != 1]
    gone = [at for at, (_, stays) in enumerate(axes) if not stays]
    if not gone or gone[-1] - gone[0] + 1 != len(gone):
        return None
    parts = (axes[: gone[0]], axes[gone[0] : gone[-1] + 1], axes[gone[-1] + 1 :])
    return Work(code, inputs, outputs, [math.prod(length for length, _ in part) for part in parts])


class Memory:
    """Gives every value a number and a place."""

    def __init__(self, kinds: Sequence[Any], inputs: Sequence[int], constants: dict[int, int], counts: Counts) -> None:
        self.kinds, self.constants, self.counts, self.size = kinds, constants, counts, 0
        self.rows: dict[int, tuple[int, int, int, int]] = {}
        self.free: dict[int, list[int]] = {}
        given = iter(inputs)
        for kind, count in zip((FIXED, CARRIED, ROW, AHEAD), counts, strict=False):
            for number in range(count):
                value = next(given)
                self.rows[value] = (kind, number, self.length(value), 0)

    def length(self, value: int) -> int:
        """How many numbers a value has."""
        return self.kinds[value].size

    def taken(self, length: int) -> int:
        """A place for so many numbers."""
        length = -(-length // UNIT) * UNIT
        if self.free.get(length):
            return self.free[length].pop()
        self.size += length
        return self.size - length

    def script(self, works: Sequence[Work], results: Sequence[int]) -> Script:
        """The script: values in the order in which they were first named, and operations."""
        ends = [(NEXT, number) for number in range(self.counts.carried)]
        ends += [(REPORT, number) for number in range(self.counts.reports)]
        copies = []
        for end, value in zip(ends, results, strict=True):
            length = self.length(value)
            # Written in turns to one of two places, of which one is of ours; what is carried is read from the other.
            row = (*end, length, self.taken(length) if end[0] == NEXT else 0)
            if end[0] == NEXT:
                carried = next(old for old, known in self.rows.items() if known[:2] == (CARRIED, end[1]))
                self.rows[carried] = (CARRIED, end[1], length, row[3])
            if value in self.rows or value in self.constants:
                self.rows[new := -1 - len(copies)] = row
                copies.append(Work(ARITHMETIC, [value], [new], (length, *COPY)))
            else:
                self.rows[value] = row
        works = [*works, *copies]
        last = {value: at for at, work in enumerate(works) for value in work.read}
        for at, work in enumerate(works):
            fresh = [value for value in work.written if value not in self.rows]
            self.rows.update((value, (BETWEEN, 0, self.length(value), self.taken(self.length(value)))) for value in fresh)
            for value in {*work.read, *work.written}:
                if self.rows.get(value, (FIXED,))[0] == BETWEEN and last.get(value, at) == at:
                    self.free.setdefault(-(-self.length(value) // UNIT) * UNIT, []).append(self.rows[value][3])
        for number, value in enumerate(self.constants):
            self.rows[value] = (CONSTANT, number, 1, 0)
        used = list(dict.fromkeys(value for work in works for value in (*work.read, *work.written)))
        place = {value: number for number, value in enumerate(used)}
        texts = [self.text(work, place) for work in works]
        numbers = (len(used), *(number for value in used for number in self.rows[value]), *(n for text in texts for n in text))
        return Script(numbers, tuple(self.constants.values()), self.size)

    def text(self, work: Work, place: dict[int, int]) -> tuple[int, ...]:
        """An operation as the kernel reads it."""
        if work.code == ARITHMETIC:
            _, inputs, _, singles, *_ = work.text
            read = [place[value] for value in work.read]
            whole, single = read[:inputs], read[inputs:]
            what = (*work.text, *whole, *(place[value] for value in work.written), *single)
        else:
            what = (*(place[value] for value in (*work.read, *work.written)), *work.text)
        return (work.code, 2 + len(what), *what)
