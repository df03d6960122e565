"""Scripts for the kernels of `rounds` and `added`: from what JAX has traced of a function."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.extend.core import ClosedJaxpr

from downslope.core.instructions import Operation
from downslope.core.tidy import bits, distinct, is_single, needed
from downslope.core.trace import Trace
from downslope.core.work import Unknown, Work, arithmetic, copy, is_arithmetic, special


class Script(NamedTuple):
    """What is done `once` as long as what is still does not change, and what is done `each` time; in which slots values lie, the
    bits of those that are constant, and how many numbers the others have."""

    once: list[Work]
    each: list[Work]
    slots: dict[int, int]
    constants: dict[int, int]
    sizes: dict[int, int]


def traced(function: Callable[..., Any], given: Any) -> tuple[ClosedJaxpr, Any]:
    """What JAX traces of a function of all leaves of what is given, and the shapes of what it makes."""
    leaves, structure = jax.tree.flatten(given)
    return jax.make_jaxpr(lambda *leaves: function(*jax.tree.unflatten(structure, leaves)), return_shape=True)(*leaves)


def by_itself(function: Callable[..., Any], given: Any, still: int) -> tuple[Script, Any]:
    """The script of a function, and the shapes of what it makes: arguments and results lie in slots one after another, and so
    many of the first arguments stay. Raises `Unknown`."""
    closed, made = traced(function, given)
    inputs = range(len(closed.in_avals))
    outputs = range(len(inputs), len(inputs) + len(jax.tree.leaves(made)))
    return script(closed, inputs, outputs, inputs[:still]), made


def script(closed: ClosedJaxpr, inputs: Sequence[int], outputs: Sequence[int], still: Collection[int] = ()) -> Script:
    """The script of a function whose arguments lie in some slots and whose results are to be written into some, perhaps the
    same; `still` are slots of arguments that stay. Raises `Unknown` where the kernel cannot do it all."""
    trace = Trace([], {}, [])
    given = [trace.new(variable.aval) for variable in closed.jaxpr.invars]
    results = trace.note(closed.jaxpr, closed.consts, given)
    operations, same = distinct(trace)
    results, kinds = [same.get(number, number) for number in results], trace.kinds
    constants = {number: bits(kinds[number], value) for number, value in trace.known.items() if is_single(kinds[number], value)}
    if any(kinds[n].dtype not in (jnp.float32, jnp.int32) for n in (*given, *results)):
        raise Unknown("numbers of other types")
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
    once, _ = scheduled(early, kinds, {*constants, *given}, wanted, {})
    places = Ends(given, slots, ends, {number for each in later for number in each.outputs})
    each, direct = scheduled(later, kinds, {*constants, *given, *quiet}, set(ends.values()), places.replaced())
    before, after = places.copies(direct, kinds)
    works = [*before, *each, *after]
    slots.update(places.slots)
    sizes = {n: kinds[n].size for work in (*once, *works) for n in (*work.read, *work.written) if n < len(kinds)}
    return Script(once, works, slots, constants, sizes | places.sizes)


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

    def copies(self, direct: Collection[int], kinds: Sequence[Any]) -> tuple[list[Work], list[Work]]:
        """What is to be copied before and after everything else, where results are not written at once."""
        before, after = [], []
        for slot, value in self.results.items():
            if value in direct and value not in self.slots:
                self.slots[value] = slot
                continue
            if self.before.get(slot) == value:
                continue
            size, end = kinds[value].size, len(kinds) + len(self.sizes)
            self.slots[end], self.sizes[end] = slot, size
            if value in self.given and any(self.before.get(other) == value for other in self.results):
                aside = end + 1
                self.sizes[aside] = size
                before.append(copy(value, aside, size))
                value = aside
            after.append(copy(value, end, size))
        return before, after


def scheduled(
    operations: Sequence[Operation],
    kinds: Sequence[Any],
    there: Collection[int],
    wanted: Collection[int],
    replaced: Mapping[int, int | None],
) -> tuple[list[Work], set[int]]:
    """An order where arithmetic on arrays of one size comes together; the results that may be written over what they replace."""
    there, left = set(there), list(operations)
    found: list[Work] = []
    direct: set[int] = set()
    while left:
        ready = [each for each in left if there.issuperset(each.inputs)]
        others = [each for each in ready if not is_arithmetic(each, kinds)]
        if not ready:
            raise Unknown("constant arrays")
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
