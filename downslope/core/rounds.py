"""Rounds of steps of training runs: on a CPU one kernel for all that a run does, where it knows every operation."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from downslope.core.book import Book, Text
from downslope.core.script import script, traced
from downslope.core.work import Unknown

KERNEL = "downslope_rounds"
BLOCK = 256  # rows that are scored at once, so that what lies between stays in the core's cache


class Pieces(NamedTuple):
    """What a run does. `state` makes its first state of what is fixed for it, what all runs have in common, and parameters.
    `step` is given the state too, the number of steps before and a batch, and makes parameters, state and loss. `shown` makes of
    parameters and state the parameters that are looked at, and `scores` of those and rows the rows' scores and their loss."""

    state: Callable[..., Any]
    step: Callable[..., tuple[Any, Any, Array]]
    shown: Callable[..., Any]
    scores: Callable[..., tuple[Array, Array]]


class Run(NamedTuple):
    """Where a run stands, or several, or the shapes of that: what it carries, how many steps it has made, whether its `state` is
    still to be made, and whether all its numbers have been finite."""

    params: Any
    state: Any
    step: Any
    fresh: Any
    alive: Any


class Report(NamedTuple):
    """What a run reports after each round: the mean of its losses, how many were finite, whether it is alive; and where rows are
    scored their loss, their scores and the parameters."""

    loss: Array
    good: Array
    alive: Array
    rows_loss: Array | None = None
    scores: Array | None = None
    params: Any = None


class Plan(NamedTuple):
    """What the kernel is told, how many numbers are in the first table of a batch, and the shape of the scores of all rows."""

    text: Text
    batch: int
    scores: jax.ShapeDtypeStruct


def planned(pieces: Pieces, fixed: Any, common: Any, run: Run, batch: Any, rows: Any) -> Plan | None:
    """The plan for runs of these shapes; `None` where the kernel does not know all that they do."""
    params, state, step, *_ = run
    loss, single = [jax.ShapeDtypeStruct((), jnp.float32)] * 2
    values: Any = (fixed, common, params, state, step, batch, loss, params, single)
    ends = np.cumsum([0, *(len(jax.tree.leaves(each)) for each in values)]).tolist()
    *held, its_params, its_state, its_step, its_batch, its_loss, shown, scores = [
        list(range(start, end)) for start, end in zip(ends[:-1], ends[1:], strict=True)
    ]
    book, still = Book(ends[-1]), {*held[0], *held[1]}
    length, raw = jax.tree.leaves(rows)[0].shape[0], jax.eval_shape(pieces.scores, fixed, common, params, rows)[0]

    def some(tree: Any, count: int) -> Any:
        return jax.tree.map(lambda each: jax.ShapeDtypeStruct((count, *each.shape[1:]), each.dtype), tree)

    def add(piece: Callable[..., Any], given: Any, inputs: Sequence[int], made: Any, outputs: Sequence[int]) -> None:
        closed, found = traced(piece, (fixed, common, *given))
        before, after = ([(each.shape, each.dtype) for each in jax.tree.leaves(shapes)] for shapes in (made, found))
        if before != after:
            raise Unknown("shapes that change")
        book.add(script(closed, [*held[0], *held[1], *inputs], outputs, still))

    try:
        add(pieces.state, (params,), its_params, state, its_state)
        carried = [*its_params, *its_state]
        add(pieces.step, (*run[:3], batch), [*carried, *its_step, *its_batch], (*run[:2], loss), [*carried, *its_loss])
        add(pieces.shown, run[:2], carried, params, shown)
        for count in (min(BLOCK, length // BLOCK * BLOCK), length % BLOCK):
            if count:
                add(
                    pieces.scores,
                    (params, some(rows, count)),
                    [*shown, *its_batch],
                    (some(raw, count), loss),
                    [*scores, *its_loss],
                )
            else:
                book.skip()
    except Unknown:
        return None
    return Plan(book.text(), jax.tree.leaves(batch)[0].size, raw)


def rounds(plan: Plan, fixed: Any, common: Any, run: Run, batches: Any, rows: Any, number: int, steps: int) -> tuple[Run, Report]:
    """A `number` of rounds of `steps` steps for runs with leading axes. The batches come in turn and again from the first; they
    and the `rows`, if there are any, are the same for all runs. A run whose parameters or losses leave the finite numbers keeps
    what it carried after its last good round; one that is not alive stays as it is."""
    lead = run.alive.shape

    def each_round(like: Any) -> Any:
        return jax.ShapeDtypeStruct((*lead, number, *like.shape), like.dtype)

    def sizes(tree: Any) -> int:
        return sum(each.size for each in jax.tree.leaves(tree)) // run.alive.size

    single, whole, truth = (jax.ShapeDtypeStruct((), dtype) for dtype in (jnp.float32, jnp.int32, jnp.bool_))
    report = Report(each_round(single), each_round(whole), each_round(truth))
    if rows is not None:
        shown = jax.tree.map(lambda each: jax.ShapeDtypeStruct(each.shape[len(lead) :], each.dtype), run.params)
        report = Report(*report[:3], *(jax.tree.map(each_round, each) for each in (single, plan.scores, shown)))
    before = jax.tree.leaves((fixed, common))
    carried = (run.params, run.state, run.step, run.fresh, run.alive)
    leaves = jax.tree.leaves(carried[:3])
    aliases = {len(before) + at: at for at in range(len(leaves))} | {len(before) + len(leaves) + 1: len(leaves)}
    after = jax.tree.map(lambda each: jax.ShapeDtypeStruct(each.shape, each.dtype), (*carried[:3], run.alive))
    counts = [len(jax.tree.leaves(each)) for each in (fixed, common, run.params, run.state, batches)]
    period = jax.tree.leaves(batches)[0].size // plan.batch
    length = 0 if rows is None else plan.scores.shape[0]
    memory = plan.text.between + run.alive.size * sizes((run.params, run.state)) + 1 + sizes(run.params) + 1
    made = jax.ffi.ffi_call(
        KERNEL, [*jax.tree.leaves((after, report)), jax.ShapeDtypeStruct((memory,), jnp.float32)], input_output_aliases=aliases
    )(
        *jax.tree.leaves((fixed, common, carried, batches, rows)),
        counts=np.array((*counts, number, steps, period, length, BLOCK, plan.text.between), np.int64),
        **plan.text.given(),
    )
    (params, state, step, alive), report = jax.tree.unflatten(jax.tree.structure((after, report)), made[:-1])
    return Run(params, state, step, jnp.zeros_like(run.fresh), alive), report
