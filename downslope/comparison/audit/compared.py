"""Where two results differ, in words that name the contender."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

NEAR = 1e-9  # relative: another machine may sum in another order
LONGEST = 60
LEFT = {"timing", "finished"}  # what the ledger alone does not give
WORDS = {"tied_with_best": "tied with the best", "learning_rate": "learning rate"}


def plain(data: Any) -> Any:
    """Data as it is after it was written and read."""
    return json.loads(json.dumps(data))


def differences(derived: Mapping[str, Any], claimed: Mapping[str, Any], where: str = "result.json") -> list[str]:
    """One line for each value that is claimed otherwise than derived.

    >>> differences({"contenders": [{"id": "a", "rank": 1}]}, {"contenders": [{"id": "a", "rank": 2}]})
    ['result.json: a: rank is 2, the ledger gives 1']
    """
    return [f"{where}: {line}" for line in apart(derived, claimed, "")]


def apart(derived: Any, claimed: Any, path: str) -> Iterator[str]:
    """The lines below one place."""
    if isinstance(derived, Mapping) and isinstance(claimed, Mapping):
        for name in sorted({*derived, *claimed} - (LEFT if not path else set())):
            inside = f"{path} {WORDS.get(name, name)}".strip()
            if name not in claimed or name not in derived:
                yield f"{inside} is {'missing' if name not in claimed else 'not in what the ledger gives'}"
            else:
                yield from apart(derived[name], claimed[name], inside)
    elif named(derived) and named(claimed):
        ours, theirs = ({one["id"]: one for one in some} for some in (derived, claimed))
        for name in [*ours, *(name for name in theirs if name not in ours)]:
            if name not in theirs or name not in ours:
                yield f"{name} is {'missing' if name in ours else 'not in the ledger'}"
            else:
                yield from apart(ours[name], theirs[name], f"{name}:")
        if [*ours] != [*theirs] and {*ours} == {*theirs}:
            yield "the contenders stand in another order than their ranks"
    elif isinstance(derived, list) and isinstance(claimed, list) and len(derived) == len(claimed):
        for place, (one, other) in enumerate(zip(derived, claimed, strict=True), start=1):
            yield from apart(one, other, f"{path} {place}")
    elif not same(derived, claimed):
        yield f"{path} is {short(claimed)}, the ledger gives {short(derived)}"


def named(values: Any) -> bool:
    """Whether this is a list of entries with an id."""
    return isinstance(values, Sequence) and bool(values) and all(isinstance(one, Mapping) and "id" in one for one in values)


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal, numbers to nine digits."""
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (one, other))
    return math.isclose(one, other, rel_tol=NEAR, abs_tol=1e-12) if numbers else type(one) is type(other) and one == other


def short(value: Any) -> str:
    """A value in few characters."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
