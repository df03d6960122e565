"""Runs for the kernel of rounds, and the same by XLA."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from downslope.core.rounds import Pieces, Report, Run, planned, rounds


def started(params, state=(), lanes: int = 1, alive=True, fresh=True):
    """Lanes at their start."""
    params, state = jax.tree.map(lambda leaf: jnp.stack([jnp.asarray(leaf)] * lanes), (params, state))
    return Run(params, state, jnp.zeros(lanes, jnp.int32), jnp.full(lanes, fresh), jnp.full(lanes, alive))


def plan_of(pieces, fixed, common, run, batches, rows, *_):
    """What the kernel is told; `None` where it does not know all that is done."""
    fixed, run, batch = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape[1:], leaf.dtype), (fixed, run, batches))
    return planned(pieces, fixed, common, run, batch, rows)


def made(pieces, fixed, common, run, batches, rows, number=1, steps=5, scored=True):
    """Rounds by the kernel."""
    plan = plan_of(pieces, fixed, common, run, batches, rows)
    assert plan is not None
    given = (fixed, common, run, batches, rows if scored else None)
    return jax.jit(partial(rounds, plan, number=number, steps=steps))(*given)


def by_xla(pieces, fixed, common, run, batches, rows, number=1, steps=5):
    """The same by XLA, for lanes whose numbers stay finite and whose state is still to be made."""
    period = len(jax.tree.leaves(batches)[0])

    def lane(fixed, run):
        def one(held, step):
            params, state, loss = pieces.step(
                fixed, common, *held, step, jax.tree.map(lambda table: table[step % period], batches)
            )
            return (params, state), loss

        def one_round(held, first):
            held, losses = jax.lax.scan(one, held, first + jnp.arange(steps))
            shown = pieces.shown(fixed, common, *held)
            scores, loss = pieces.scores(fixed, common, shown, rows)
            return held, Report(jnp.mean(losses), jnp.int32(steps), jnp.array(True), loss, scores, shown)

        held = (run.params, pieces.state(fixed, common, run.params))
        (params, state), report = jax.lax.scan(one_round, held, steps * jnp.arange(number))
        return Run(params, state, jnp.int32(number * steps), jnp.array(False), jnp.array(True)), report

    return jax.jit(jax.vmap(lane))(fixed, run)


def near(mine, other):
    """Losses, scores and parameters as near as some steps leave them."""
    for one, two in zip(jax.tree.leaves(mine), jax.tree.leaves(other), strict=True):
        scale = np.abs(np.asarray(two)).max(initial=1e-6)
        np.testing.assert_allclose(one, two, rtol=2e-3, atol=2e-4 * scale)


def same(mine, other):
    """To the bit."""
    for one, two in zip(jax.tree.leaves(mine), jax.tree.leaves(other), strict=True):
        np.testing.assert_array_equal(one, two)


def loop(step, score=lambda common, held, row: row):
    """A run without a state: from what is common, what is carried and a row to what is carried and a loss."""

    def one(fixed, common, params, state, number, row):
        held, loss = step(common, params, row)
        return held, (), loss

    return Pieces(
        lambda fixed, common, params: (),
        one,
        lambda fixed, common, params, state: params,
        lambda fixed, common, params, rows: (score(common, params, rows), jnp.sum(rows)),
    )


def repeated(step, carried, times=1, common=(), table=None):
    """What some steps have made of what is carried, and the mean of their losses."""
    table = jnp.zeros((1, 2)) if table is None else table
    run, report = made(loop(step), (), common, started(carried), table, jnp.zeros(3), 1, times)
    return jax.tree.map(lambda leaf: leaf[0], run.params), report.loss[0, 0]
