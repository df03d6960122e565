"""Which arrays of a computation lie in larger ones: cut out of an argument first, or joined last to what takes its place."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp

from downslope.core.instructions import Operation


class Home(NamedTuple):
    """The number of a larger array, and where in it something begins."""

    whole: int
    start: int = 0


class Views(NamedTuple):
    """Homes of what is read and of what is written. `joints` are the larger arrays that are written, with the arguments whose
    places they take, `spare` the results of operations that do nothing but cut and join."""

    read: dict[int, Home]
    written: dict[int, Home]
    joints: dict[int, int]
    spare: set[int]

    def over(self, result: int, inputs: Collection[int], replaced: dict[int, int]) -> int | None:
        """The one of the inputs whose memory a result may take."""
        if result in self.written:
            return next((each for each in inputs if self.read.get(each) == self.written[result]), None)
        old = replaced.get(result)
        return old if old in inputs and old not in self.read else None


def nothing() -> Views:
    """No array lies in another."""
    return Views({}, {}, {}, set())


def views(operations: Sequence[Operation], kinds: Sequence[Any], inputs: Collection[int], replaced: dict[int, int]) -> Views:
    """What lies where. `replaced` says which input each result stands for."""
    made = {operation.outputs[0]: operation for operation in operations}
    found = nothing()
    for equation, given, results in operations:
        name, result = equation.primitive.name, results[0]
        if name == "split" and given[0] in inputs and flat(kinds[given[0]]):
            found.read.update(spread(given[0], results, kinds))
            found.spare.update(results)
        elif name == "reshape" and (given[0] in found.read or (given[0] in inputs and flat(kinds[given[0]]))):
            found.read[result] = found.read.get(given[0], Home(given[0]))
            found.spare.add(result)
        elif name in ("concatenate", "reshape") and result in replaced and flat(kinds[result]):
            parts = [made[each].inputs[0] if is_reshaped(each, made) else each for each in given]
            homes = spread(replaced[result], parts, kinds)
            if len(homes) < len(parts) or homes.keys() & found.written.keys():
                return nothing()  # one value in two places, of which the kernel would write one
            found.written.update((part, home) for part, home in homes.items() if found.read.get(part) != home)
            found.joints[result] = replaced[result]
            found.spare.update((result, *set(given) - set(parts)))
    return found if alone(found, operations, kinds, replaced) else nothing()


def alone(found: Views, operations: Sequence[Operation], kinds: Sequence[Any], replaced: dict[int, int]) -> bool:
    """Whether nobody else looks at those larger arrays, and at each part under one number: so it may be written where it was."""
    used = {number for each in operations if not found.spare.issuperset(each.outputs) for number in each.inputs}
    whole = {home.whole for home in found.read.values()}
    names = Counter(found.read[number] for number in used & found.read.keys() if kinds[number].size)
    elsewhere = whole & used or whole & replaced.keys() or replaced.keys() & (found.read.keys() | found.written.keys())
    return not elsewhere and max(names.values(), default=1) == 1


def is_reshaped(number: int, made: dict[int, Operation]) -> bool:
    """Whether a value is another one in another shape."""
    return number in made and made[number].equation.primitive.name == "reshape"


def flat(kind: Any) -> bool:
    """Whether this is a row of float32 numbers."""
    return kind.ndim == 1 and kind.dtype == jnp.float32


def spread(whole: int, parts: Sequence[int], kinds: Sequence[Any]) -> dict[int, Home]:
    """The homes of parts that follow one another."""
    homes, start = {}, 0
    for part in parts:
        homes[part] = Home(whole, start)
        start += kinds[part].size
    return homes
