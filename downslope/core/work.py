"""Operations of the kernel's scripts, as explained in `c/script.h`: which one does what JAX has traced."""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from downslope.core import layer
from downslope.core.cross_entropy import surprise_p
from downslope.core.instructions import NUMBER, Operation, instructions, named, program, read_by
from downslope.core.plans import PLACES

ARITHMETIC, LAYER, LAYER_BACK, NARROW, SUM, SPREAD, TURN, SURPRISE = range(8)  # in the order of the kernel's codes


class Unknown(Exception):
    """The kernel cannot do something."""


class Work(NamedTuple):
    """An operation of the kernel: its code, the values it reads and writes, and what follows their numbers. Of arithmetic, `text`
    begins with the size and the program, and what is read ends with so many single numbers."""

    code: int
    read: Sequence[int]
    written: Sequence[int]
    text: Sequence[int]

    def numbered(self, place: Mapping[int, int]) -> tuple[int, ...]:
        """An operation as the kernel reads it."""
        numbers = [place[value] for value in (*self.read, *self.written)]
        if self.code == ARITHMETIC:
            inputs = self.text[1]
            whole, single, out = numbers[:inputs], numbers[inputs : len(self.read)], numbers[len(self.read) :]
            what = (*self.text, *whole, *out, *single)
        else:
            what = (*numbers, *self.text)
        return (self.code, 2 + len(what), *what)


def copy(old: int, new: int, size: int) -> Work:
    """A value, once more."""
    return Work(ARITHMETIC, [old], [new], (size, 1, 1, 0, 0, 1, NUMBER["copy"], 1, 0, 0, 0, 0))


def is_arithmetic(operation: Operation, kinds: Sequence[Any]) -> bool:
    """Whether it goes number by number, on arrays of one size and single numbers."""
    if named(operation.equation) is None:
        return False
    size = kinds[operation.outputs[0]].size
    return size > 0 and all(kinds[number].size in (1, size) for number in operation.inputs)


def arithmetic(
    operations: Sequence[Operation], kinds: Sequence[Any], wanted: Collection[int], over: Mapping[int, int]
) -> Iterator[Work]:
    """Programs for operations on arrays of one size: one, or several where one would need too many places. An output may be
    written `over` an input; no other program reads that."""
    size = kinds[operations[0].outputs[0]].size
    made = dict.fromkeys(number for each in operations for number in each.outputs)
    outputs = [number for number in made if number in wanted]
    steps = instructions(operations, set(outputs))
    read = read_by(steps)
    inputs, singles = ([n for n in read if (kinds[n].size == size) is whole] for whole in (True, False))
    text = program(steps, inputs, outputs, singles, dict(over))
    if sum(text[:4]) <= PLACES:
        yield Work(ARITHMETIC, [*inputs, *singles], outputs, (size, *text))
    elif len(operations) == 1:
        raise Unknown("more numbers than one instruction has")
    else:
        first, rest = operations[: len(operations) // 2], operations[len(operations) // 2 :]
        later = {number for each in rest for number in each.inputs}
        yield from arithmetic(first, kinds, {*wanted, *later}, over)
        yield from arithmetic(rest, kinds, wanted, over)


def special(operation: Operation, kinds: Sequence[Any]) -> Work:
    """What is not done number by number."""
    equation, inputs, outputs = operation
    given: list[Any] = [
        jax.ShapeDtypeStruct(each.aval.shape, each.aval.dtype) for each in equation.invars
    ]  # before they were renamed
    shapes = [each.shape for each in given]
    if equation.primitive is surprise_p and [(each.ndim, each.dtype) for each in given] == [(2, jnp.float32), (1, jnp.int32)]:
        missing = () if equation.params["slope"] else (-1,)
        return Work(SURPRISE, inputs, outputs, (*missing, *shapes[0]))
    if any(kinds[number].dtype != jnp.float32 for number in (*inputs, *outputs)):
        raise Unknown("numbers of other types")
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
    raise Unknown(equation.primitive.name)


def product(equation: Any, inputs: Sequence[int], outputs: Sequence[int], shapes: Sequence[tuple[int, ...]]) -> Work:
    """A product of two matrices, or of one and a vector, each read along either axis."""
    (contracted, batched) = equation.params["dimension_numbers"]
    if any(batched) or any(len(axes) != 1 for axes in contracted) or any(len(shape) not in (1, 2) for shape in shapes):
        raise Unknown("products of larger arrays")
    sides = []
    for shape, (axis,) in zip(shapes, contracted, strict=True):
        steps = [math.prod(shape[at + 1 :]) for at in range(len(shape))]
        free = [at for at in range(len(shape)) if at != axis]
        sides.append((shape[free[0]] if free else 1, steps[free[0]] if free else 1, steps[axis]))
    (rows, left_row, left_depth), (columns, right_column, right_depth) = sides
    depth = shapes[0][contracted[0][0]]
    return Work(NARROW, inputs, outputs, (rows, columns, depth, left_row, left_depth, right_depth, right_column))


def folded(code: int, inputs: Sequence[int], outputs: Sequence[int], shape: Sequence[int], kept: Sequence[bool]) -> Work:
    """A sum over neighbouring axes, or their repetition: those that are not kept."""
    axes = [(length, stays) for length, stays in zip(shape, kept, strict=True) if length != 1]
    gone = [at for at, (_, stays) in enumerate(axes) if not stays]
    if not gone or gone[-1] - gone[0] + 1 != len(gone):
        raise Unknown("sums over axes that are no neighbours")
    parts = (axes[: gone[0]], axes[gone[0] : gone[-1] + 1], axes[gone[-1] + 1 :])
    return Work(code, inputs, outputs, [math.prod(length for length, _ in part) for part in parts])
