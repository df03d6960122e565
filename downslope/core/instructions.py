"""Programs for the kernel of `arithmetic`, as explained in `c/arithmetic.c`."""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

STEP = 6  # numbers of an instruction: its code, the place of its result, four places
CODES: dict[str, tuple[int, Callable[..., Any]]] = {  # from how many numbers, and what; in the order of the kernel's codes
    "add": (2, jnp.add),
    "sub": (2, jnp.subtract),
    "mul": (2, jnp.multiply),
    "div": (2, jnp.divide),
    "max": (2, jnp.maximum),
    "min": (2, jnp.minimum),
    "gt": (2, jnp.greater),
    "lt": (2, jnp.less),
    "ge": (2, jnp.greater_equal),
    "le": (2, jnp.less_equal),
    "eq": (2, jnp.equal),
    "ne": (2, jnp.not_equal),
    "sqrt": (1, jnp.sqrt),
    "abs": (1, jnp.abs),
    "neg": (1, jnp.negative),
    "sign": (1, jnp.sign),
    "copy": (1, lambda same: same),
    "select_n": (3, lambda which, no, yes: jnp.where(which != 0, yes, no)),
    "mul+mul": (4, lambda a, b, c, d: a * b + c * d),
    "mul+": (3, lambda a, b, c: a * b + c),
    "div+": (3, lambda a, b, c: a / b + c),
    "sqrt+": (2, lambda a, b: jnp.sqrt(a) + b),
    "div-mul": (4, lambda a, b, c, d: a / b - c * d),
    "exp": (1, jnp.exp),
    "log": (1, jnp.log),
    "expm1": (1, jnp.expm1),
    "log1p": (1, jnp.log1p),
    "pow": (2, jnp.power),
    "tanh": (1, jnp.tanh),
    "logistic": (1, jax.nn.sigmoid),
    "rsqrt": (1, jax.lax.rsqrt),
    "inverse": (1, lambda a: 1 / a),
    "inverse square": (1, lambda a: 1 / (a * a)),
    "is_finite": (1, jnp.isfinite),
    "not": (1, lambda a: a == 0),
    "whole add": (2, jnp.add),
    "whole sub": (2, jnp.subtract),
    "whole mul": (2, jnp.multiply),
    "whole eq": (2, jnp.equal),
    "whole and": (2, jnp.bitwise_and),
    "whole shift_left": (2, jnp.left_shift),
    "whole shift_right_arithmetic": (2, jnp.right_shift),
    "from whole": (1, lambda number: number.astype(jnp.float32)),
    "cos": (1, jnp.cos),
    "floor": (1, jnp.floor),
    "one mul": (2, jnp.multiply),
    "one mul+one mul": (4, lambda a, b, c, d: a * b + c * d),
    "one mul+": (3, lambda a, b, c: a * b + c),
    "sqrt+one": (2, lambda a, b: jnp.sqrt(a) + b),
}
WITH_SINGLES = {  # the same faster, where what stands at these places is a single number
    "mul": ("one mul", {0}),
    "mul+mul": ("one mul+one mul", {0, 2}),
    "mul+": ("one mul+", {0}),
    "sqrt+": ("sqrt+one", {1}),
}
SIGNS = {"add": "+", "sub": "-"}
NUMBER = {name: number for number, name in enumerate(CODES)}
BY_NUMBER = list(CODES.values())
OTHERWISE = {
    "square": "mul",
    "convert_element_type": "copy",
    "broadcast_in_dim": "copy",
    "add_any": "add",
    "and": "min",  # truths are 0 and 1
    "or": "max",
    "stop_gradient": "copy",
    "bitcast_convert_type": "copy",
}


class Operation(NamedTuple):
    """One operation of JAX on numbered values."""

    equation: Any
    inputs: Sequence[int]
    outputs: Sequence[int]


def named(equation: Any) -> str | None:
    """The instruction for an operation of JAX on float32 numbers, truths or, where it is only counted, whole numbers."""
    if len(equation.outvars) != 1 or len(equation.invars) > 3:
        return None
    given = frozenset(each.aval.dtype for each in equation.invars)
    return instruction(equation.primitive.name, equation.outvars[0].aval.dtype, given, equation.params.get("y"))


@cache
def instruction(name: str, result: np.dtype, given: frozenset[np.dtype], power: int | None) -> str | None:
    """The same, from the operation's name, the types of what it makes and is given, and the power to which it raises."""
    kinds = {each.name for each in given}
    if name == "bitcast_convert_type":
        return "copy" if {result.name, *kinds} <= {"float32", "int32"} else None
    if kinds == {"int32"} and name != "convert_element_type":
        return f"whole {name}" if f"whole {name}" in CODES else None
    if name == "convert_element_type" and (result != jnp.float32 or kinds == {"int32"}):
        return "from whole" if result == jnp.float32 else None
    if result not in (jnp.float32, jnp.bool_) or not kinds <= {"float32", "bool"}:
        return None
    if name == "integer_pow":
        return {2: "mul", -1: "inverse", -2: "inverse square"}.get(power or 0)
    return OTHERWISE.get(name, name if name in CODES else None)


def fits(operation: Operation, kinds: Sequence[Any], types: Sequence[Any] = (jnp.float32, jnp.bool_)) -> bool:
    """Whether the kernel knows an operation: on numbers of these types, all of one shape or single."""
    result, *given = [kinds[number] for number in (*operation.outputs, *operation.inputs)]
    if named(operation.equation) is None or result.ndim == 0:
        return False
    return all(each.dtype in types and each.shape in ((), result.shape) for each in (result, *given))


class Instruction(NamedTuple):
    """A name among the codes, the number of the result, and those of what it is made of."""

    name: str
    result: int
    given: list[int]


def instructions(operations: Sequence[Operation], outputs: set[int]) -> list[Instruction]:
    """What to do, without copies that nobody asked for."""
    same: dict[int, int] = {}
    found = []
    for equation, inputs, (result,) in operations:
        name, given = equation.primitive.name, [same.get(number, number) for number in inputs]
        twice = name == "square" or (name == "integer_pow" and equation.params["y"] == 2)
        step = Instruction(named(equation) or name, result, given * 2 if twice else given)
        if step.name == "copy" and result not in outputs:
            same[result] = given[0]
        else:
            found.append(step)
    return found


def read_by(steps: Sequence[Instruction]) -> list[int]:
    """What is needed from elsewhere, in the order in which it is: what only copies it makes no other program."""
    made = {step.result for step in steps}
    return list(dict.fromkeys(number for step in steps for number in step.given if number not in made))


def joint(steps: Sequence[Instruction], outputs: set[int]) -> list[Instruction]:
    """The same with fewer instructions: sums and differences take in what only they need."""
    uses = Counter([*outputs, *(number for step in steps for number in step.given)])
    found: dict[int, Instruction] = {}
    for step in steps:
        found[step.result] = step
        if step.name not in SIGNS:
            continue
        parts = [found[number] for number in step.given if uses[number] == 1 and number in found]
        both = SIGNS[step.name].join(part.name for part in parts)
        if both not in CODES or len(parts) < 2:
            parts = [part for part in parts if part.name + SIGNS[step.name] in CODES][:1]
            both = "".join(part.name + SIGNS[step.name] for part in parts)
        if not parts:
            continue
        made = {part.result for part in parts}
        others = [number for number in step.given if number not in made]
        found[step.result] = Instruction(both, step.result, [number for part in parts for number in part.given] + others)
        for number in made:
            del found[number]
    return list(found.values())


def program(
    steps: Sequence[Instruction], inputs: Sequence[int], outputs: Sequence[int], singles: Sequence[int], over: dict[int, int]
) -> tuple[int, ...]:
    """The text of one group. An output that is written `over` an input waits elsewhere while that is still read."""
    steps = joint(steps, set(outputs))
    until = {number: at for at, step in enumerate(steps) for number in step.given}
    place = {number: at for at, number in enumerate(inputs)} | {
        n: len(inputs) + len(outputs) + at for at, n in enumerate(singles)
    }
    end = {number: len(inputs) + at for at, number in enumerate(outputs)}
    first = top = len(inputs) + len(outputs) + len(singles)
    free: list[int] = []
    text: list[int] = []
    late: list[int] = []
    for at, (name, result, given) in enumerate(steps):
        where = [place[number] for number in given]
        free += {place[number] for number in given if until[number] == at and place[number] >= first and number not in late}
        if result in end and until.get(over.get(result, -1), -1) <= at:
            place[result] = end[result]
        else:
            top += not free
            place[result] = free.pop() if free else top - 1
            late += [result] if result in end else []
        quick, places = WITH_SINGLES.get(name, (name, set()))
        code = quick if all(given[at] in singles for at in places) else name
        text += (NUMBER[code], place[result], *(where * 4)[:4])
    for number in late:
        text += (NUMBER["copy"], end[number], *[place[number]] * 4)
    return (len(inputs), len(outputs), len(singles), top - first, len(text) // STEP, *text)
