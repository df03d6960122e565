"""Scripts for the kernel of `rounds`: from what JAX has traced of a function."""

from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import ClosedJaxpr

from downslope.core.instructions import Operation, named
from downslope.core.plans import is_constant
from downslope.core.trace import Trace
from downslope.core.work import Work, arithmetic, copy, is_arithmetic, special

TYPES = (jnp.float32, jnp.bool_, jnp.int32)
RENAMED = {"reshape", "squeeze", "expand_dims", "copy", "optimization_barrier", "stop_gradient", "bitcast_convert_type"}
RENAMED |= {"broadcast_in_dim", "convert_element_type", "slice", "reduce_sum"}  # where the size stays


class Script(NamedTuple):
    """What is done `once` as long as what is still does not change, and what is done `each` time; in which slots values lie, the
    bits of those that are constant, and how many numbers the others have."""

    once: list[Work]
    each: list[Work]
    slots: dict[int, int]
    constants: dict[int, int]
    sizes: dict[int, int]


def script(closed: ClosedJaxpr, inputs: Sequence[int], outputs: Sequence[int], still: Collection[int] = ()) -> Script | None:
    """The script of a function whose arguments lie in some slots and whose results are to be written into some, perhaps the
    same; `still` are slots of arguments that stay. `None` where the kernel cannot do it all."""
    trace = Trace([], {}, [])
    given = [trace.new(variable.aval) for variable in closed.jaxpr.invars]
    results = trace.note(closed.jaxpr, closed.consts, given)
    operations, same = distinct(trace)
    results, kinds = [same.get(number, number) for number in results], trace.kinds
    constants = {number: bits(kinds[number], value) for number, value in trace.known.items() if is_single(kinds[number], value)}
    unknown = set(trace.known) - set(constants)
    if any(kinds[n].dtype not in (jnp.float32, jnp.int32) or n in unknown for n in (*given, *results)):
        return None
    ends = {slot: number for slot, number in zip(outputs, results, strict=True) if kinds[number].size}
    operations, slots = needed(operations, ends.values()), dict(zip(given, inputs, strict=True))
    quiet = {*constants, *(number for number, slot in slots.items() if slot in still)}
    early = []
    for each in operations:
        if quiet.issuperset(each.inputs):
            quiet.update(each.outputs)
            early.append(each)
    later = [each for each in operations if not quiet.issuperset(each.outputs)]
    wanted = {*ends.values(), *(number for each in later for number in each.inputs)}
    once = scheduled(early, kinds, {*constants, *given}, wanted, {})
    places = Ends(given, slots, ends, {number for each in later for number in each.outputs})
    each = scheduled(later, kinds, {*constants, *given, *quiet}, set(ends.values()), places.replaced())
    if once is None or each is None:
        return None
    before, after = places.copies(each[1], len(kinds), kinds)
    works = [*before, *each[0], *after]
    slots.update(places.slots)
    sizes = {n: kinds[n].size for work in (*once[0], *works) for n in (*work.read, *work.written) if n < len(kinds)}
    return Script(once[0], works, slots, constants, sizes | places.sizes)


class Ends:
    """Where results are to be written, and what lies there before: nothing may be overwritten that is still read."""

    def __init__(self, given: Sequence[int], slots: Mapping[int, int], results: Mapping[int, int], made: Collection[int]) -> None:
        self.before = {slot: number for number, slot in slots.items()}
        self.given, self.results, self.made = set(given), results, made
        self.slots: dict[int, int] = {}
        self.sizes: dict[int, int] = {}

    def replaced(self) -> dict[int, int | None]:
        """For each result that may be written where it is to be, what lies there before."""
        found: dict[int, int | None] = {}
        for slot, value in self.results.items():
            if value in self.made:
                found.setdefault(value, self.before.get(slot))
        return found

    def copies(self, direct: Collection[int], free: int, kinds: Sequence[Any]) -> tuple[list[Work], list[Work]]:
        """What is to be copied before and after everything else, where results are not written at once."""
        before, after = [], []
        for slot, value in self.results.items():
            if value in direct and value not in self.slots:
                self.slots[value] = slot
                continue
            if self.before.get(slot) == value:
                continue
            size, end = kinds[value].size, free + len(self.sizes)
            self.slots[end], self.sizes[end] = slot, size
            if value in self.given and any(self.before.get(other) == value for other in self.results):
                aside = end + 1
                self.sizes[aside] = size
                before.append(copy(value, aside, size))
                value = aside
            after.append(copy(value, end, size))
        return before, after


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
    name, sizes = equation.primitive.name, [trace.kinds[number].size for number in (inputs[0], outputs[0])] if inputs else [0, 1]
    alike = sizes[0] == sizes[1] and (name == "bitcast_convert_type" or len({trace.kinds[n].dtype for n in (inputs[0], outputs[0])}) < 2)
    if name == "transpose":
        shape = trace.kinds[inputs[0]].shape
        kept = [axis for axis in equation.params["permutation"] if shape[axis] > 1]
        alike = kept == sorted(kept)
    elif name not in RENAMED:
        return False
    if alike:
        same.update((new, same.get(old, old)) for old, new in zip(inputs, outputs, strict=True))
    return alike


def scheduled(
    operations: Sequence[Operation],
    kinds: Sequence[Any],
    there: Collection[int],
    wanted: Collection[int],
    replaced: Mapping[int, int | None],
) -> tuple[list[Work], set[int]] | None:
    """An order in which arithmetic on arrays of one size comes together, and which results may be written over what they replace."""
    there, left = set(there), list(operations)
    found: list[Work] = []
    direct: set[int] = set()
    while left:
        ready = [each for each in left if there.issuperset(each.inputs)]
        others = [each for each in ready if not is_arithmetic(each, kinds)]
        if not ready:
            return None
        made = others[:1] or together(left, kinds, there, kinds[ready[0].outputs[0]].size)
        new = {number for each in made for number in each.outputs}
        there |= new
        left = [each for each in left if not there.issuperset(each.outputs)]
        later = {number for each in left for number in each.inputs}
        over = {number: replaced[number] for number in new if number in replaced and replaced[number] not in later}
        if others:
            over = {number: old for number, old in over.items() if old not in made[0].inputs}
            works = [special(made[0], kinds)]
        else:
            works = list(arithmetic(made, kinds, later.union(wanted), {n: old for n, old in over.items() if old is not None}))
        if None in works:
            return None
        for at, work in enumerate(works):
            rest = {number for each in works[at + 1 :] for number in each.read}
            direct |= {number for number in work.written if number in over and over[number] not in rest}
        found += works
    return found, direct


def together(left: Sequence[Operation], kinds: Sequence[Any], there: Collection[int], size: int) -> list[Operation]:
    """All arithmetic on arrays of this size that can be done now."""
    known, found = set(there), []
    for each in left:
        if kinds[each.outputs[0]].size == size and known.issuperset(each.inputs) and is_arithmetic(each, kinds):
            found.append(each)
            known.update(each.outputs)
    return found
