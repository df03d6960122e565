"""Rounds of a run by one kernel: against NumPy, XLA and fifty digits, and against itself with other lanes and registers."""

import ctypes
import platform
import shutil
import subprocess
import sysconfig
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import jaxlib
import mpmath
import numpy as np
import pytest

from downslope import losses, models, optimizers, schedules
from downslope.core import rounds as module
from downslope.core.about import Task
from downslope.core.primitive import registered
from downslope.core.rounds import BLOCK, Pieces, Report, Run, planned, rounds
from downslope.optimizers.base import gradients_per_step, takes_all_rows
from downslope.training import by_kernel
from downslope.training.many_rows import Batch
from downslope.training.step import Recipe
from tests.core.programs import drawn

SOURCES = Path(module.__file__).parent / "c"
COMPILER = (sysconfig.get_config_var("CC") or "cc").split()[0]
CAN = platform.machine() == "x86_64" and shutil.which(COMPILER) is not None
TRAINING = Pieces(by_kernel.first, by_kernel.step, by_kernel.shown, by_kernel.scores)
OF_TWO_SCORES = {"binary_generalised_cross_entropy"}
UNKNOWN = {"accumulate", "cosine_restarts"}  # one does something else at some steps, one looks numbers up in a table


@pytest.fixture(autouse=True)
def ours():
    """Without the kernel there is nothing to test here."""
    if not registered(module.KERNEL):
        pytest.skip("the kernels were not compiled on this machine")


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


def test_what_is_carried_changes_places():
    def step(common, carried, row):
        a, b, c, d, e = carried
        return (b, a + b, c, a, jnp.float32(3)), a * 2

    for times in (1, 2, 5, 6):
        carried = (jnp.float32(0), jnp.float32(1), jnp.arange(200.0), jnp.float32(9), jnp.float32(0))
        (a, b, c, d, e), loss = repeated(step, carried, times)
        exact = [0, 1]
        for _ in range(times):
            exact.append(exact[-1] + exact[-2])
        assert (a, b, d, e) == (exact[times], exact[times + 1], exact[times - 1], 3)
        assert loss == np.float32(2 * np.mean(exact[:times]))
        np.testing.assert_array_equal(c, np.arange(200.0))


def test_arrays_change_places_and_are_read_before_they_are_written_over():
    draw = np.random.default_rng(0).normal
    a, b, c, common = (draw(size=size).astype(np.float32) for size in (150, 150, (3, 3), 3))

    def step(common, carried, row):
        a, b, c = carried
        return (b, a * jnp.sum(c), c.T * 0.5 + jnp.reshape(c @ common, (3, 1))), jnp.sum(b)

    (x, y, z), _ = repeated(step, (jnp.asarray(a), jnp.asarray(b), jnp.asarray(c)), 3, jnp.asarray(common))
    for _ in range(3):
        a, b, c = b, a * c.sum(), c.T * np.float32(0.5) + (c @ common)[:, None]
    for mine, other in zip((x, y, z), (a, b, c), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-5)


def test_each_step_sees_its_row_and_after_the_last_the_first():
    table = jnp.arange(9.0).reshape(3, 3)
    run, report = made(
        loop(lambda factor, total, row: (total + factor * row, jnp.sum(row))),
        (),
        jnp.float32(2),
        started(jnp.zeros(3)),
        table,
        jnp.zeros(3),
        2,
        2,
    )
    np.testing.assert_array_equal(run.params[0], 2 * (table[0] + table[1] + table[2] + table[0]))
    assert report.loss[0].tolist() == [7.5, 12.0]
    np.testing.assert_array_equal(report.params[0, 0], 2 * (table[0] + table[1]))


def test_steps_are_counted_on():
    def step(fixed, common, params, state, number, row):
        return params, (state[0] + 1, number.astype(jnp.float32) * fixed), params

    pieces = loop(None)._replace(step=step, state=lambda fixed, common, params: (jnp.int32(2**24), jnp.float32(0)))
    run = started(jnp.float32(0), (jnp.int32(7), jnp.float32(0)))._replace(step=jnp.array([10], jnp.int32))
    for fresh, first in ((True, 2**24), (False, 7)):
        after, _ = made(
            pieces, jnp.float32([0.5]), (), run._replace(fresh=jnp.array([fresh])), jnp.zeros((1, 2)), jnp.zeros(3), 1, 3
        )
        assert (after.step[0], after.state[0][0], after.state[0].dtype, after.state[1][0]) == (13, first + 3, jnp.int32, 6.0)
        assert not after.fresh[0]


@pytest.mark.parametrize("count", [1, 100, BLOCK, BLOCK + 1, 3 * BLOCK, 3 * BLOCK + 100])
def test_rows_are_scored_block_by_block(count):
    rows = jnp.asarray(np.random.default_rng(0).normal(size=count), jnp.float32)
    pieces = loop(lambda common, held, row: (held + 1, jnp.sum(row)), lambda common, held, row: row * held + common)
    _, report = made(pieces, (), jnp.float32(3), started(jnp.float32(0)), jnp.zeros((1, 2)), rows, 2, 2)
    np.testing.assert_array_equal(report.scores[0], np.stack([rows * 2 + 3, rows * 4 + 3]))
    np.testing.assert_allclose(report.rows_loss[0], np.asarray(rows, np.float64).sum(), rtol=1e-5, atol=1e-5)


def test_without_rows_nothing_is_scored():
    given = (
        loop(lambda common, held, row: (held + jnp.sum(row), held)),
        (),
        (),
        started(jnp.float32(1)),
        jnp.ones((1, 2)),
        jnp.zeros(3),
        2,
        3,
    )
    ended, report = made(*given)
    run, short = made(*given, scored=False)
    same((run, *short[:3]), (ended, *report[:3]))
    assert short[3:] == (None, None, None)


def test_a_lane_that_leaves_the_finite_numbers_keeps_its_last_good_round():
    """The second lane in its third round of four, in the second of its three steps; the third is not alive."""

    def step(fixed, common, params, state, number, row):
        grown = params * fixed
        return grown, state + params, jnp.sum(params)

    pieces = loop(None)._replace(step=step, state=lambda fixed, common, params: params * 0)
    start = started(jnp.ones(2), jnp.full(2, 5.0), 3)._replace(alive=jnp.array([True, True, False]))
    rates = jnp.float32([2, 1e6, 2])
    run, report = made(pieces, rates, (), start, jnp.zeros((1, 2)), jnp.zeros(3), 4, 3)
    assert report.alive.tolist() == [[True] * 4, [True, True, False, False], [False] * 4]
    assert report.good.tolist() == [[3] * 4, [3, 3, 1, 0], [0] * 4]
    assert (run.alive.tolist(), run.step.tolist()) == ([True, False, False], [12, 12, 0])
    np.testing.assert_allclose(run.params[:, 0], [2.0**12, 1e36, 1], rtol=1e-5)
    np.testing.assert_allclose(run.state[:, 0], [2.0**12 - 1, 1e30, 5], rtol=1e-5)


def test_parameters_that_are_not_finite_end_a_run_whose_losses_are():
    pieces = loop(lambda common, held, row: (held * common, jnp.sum(row)))
    run, report = made(pieces, (), jnp.float32([1, 1e30, 1]), started(jnp.ones(3)), jnp.zeros((1, 2)), jnp.zeros(3), 3, 1)
    assert (report.alive.tolist(), report.good.tolist()) == ([[True, False, False]], [[1, 1, 0]])
    np.testing.assert_allclose(run.params, [[1, 1e30, 1]], rtol=1e-5)


MAKES = (
    lambda one, two, three: one + two,
    lambda one, two, three: one - two,
    lambda one, two, three: one * two * 0.5,
    lambda one, two, three: (one > two) * three,
    lambda one, two, three: abs(one) + three * 0.25,
    lambda one, two, three: one * two + three * 0.5,
)


@pytest.mark.parametrize("seed", range(25))
def test_arithmetic_drawn_by_chance(seed):
    """To the bit, beside NumPy, which rounds each operation by itself; enough of it to need several programs."""
    random = np.random.default_rng(seed)
    change = drawn(random, MAKES, longest=80)
    held = [random.normal(size=300).astype(np.float32) for _ in range(4)]
    done, _ = repeated(lambda common, carried, row: (change(carried), jnp.sum(row)), [jnp.asarray(each) for each in held], 2)
    with np.errstate(all="ignore"):
        exact = change(change(held))
    for mine, other in zip(done, exact, strict=True):
        np.testing.assert_array_equal(mine, np.asarray(other, np.float32))


FUNCTIONS = {
    "exp": (jnp.exp, mpmath.exp, (-80, 80)),
    "log": (jnp.log, mpmath.log, (1e-6, 1e6)),
    "expm1": (jnp.expm1, mpmath.expm1, (-20, 20)),
    "log1p": (jnp.log1p, lambda x: mpmath.log(1 + x), (-0.999, 100)),
    "tanh": (jnp.tanh, mpmath.tanh, (-8, 8)),
    "logistic": (jax.nn.sigmoid, lambda x: 1 / (1 + mpmath.exp(-x)), (-20, 20)),
    "rsqrt": (jax.lax.rsqrt, lambda x: 1 / mpmath.sqrt(x), (1e-6, 1e6)),
    "cos": (jnp.cos, mpmath.cos, (-4, 4)),
    "power": (lambda x: x**1.7, lambda x: x ** mpmath.mpf(float(np.float32(1.7))), (1e-6, 1e6)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_are_right_to_the_last_digits(name):
    function, true, (low, high) = FUNCTIONS[name]
    x = np.random.default_rng(1).uniform(low, high, 500).astype(np.float32)
    x[:200] *= np.float32(1e-3) if low < 0 else 1
    found, _ = repeated(lambda common, carried, row: (function(carried), jnp.sum(row)), jnp.asarray(x))
    with mpmath.workdps(50):
        exact = [true(mpmath.mpf(float(each))) for each in x]
        errors = [
            abs(mpmath.mpf(float(mine)) - each) / mpmath.mpf(float(np.spacing(np.float32(float(abs(each))))))
            for mine, each in zip(found, exact, strict=True)
        ]
    assert max(errors) <= 2.5


ARRAYS = {
    "rows by a column": lambda a, b, v: a @ v[:, None],
    "a matrix by a vector": lambda a, b, v: a @ v,
    "turned, by a column": lambda a, b, v: a.T @ (a @ v[:, None]),
    "a row by a matrix": lambda a, b, v: (a @ v)[None] @ a,
    "an outer product": lambda a, b, v: (a @ v)[:, None] @ v[None],
    "matrices": lambda a, b, v: a @ b,
    "matrices, left turned": lambda a, b, v: a.T @ (a + 1),
    "matrices, right turned": lambda a, b, v: a @ b.T.T @ b.T,
    "a sum": lambda a, b, v: jnp.sum(a),
    "sums of columns": lambda a, b, v: jnp.sum(a, 0),
    "sums of rows": lambda a, b, v: jnp.sum(a * 2, 1),
    "rows plus one": lambda a, b, v: a + v[None],
    "columns times one": lambda a, b, v: a * (a @ v)[:, None],
    "turned": lambda a, b, v: a.T * 1,
    "a norm": lambda a, b, v: a / jnp.sqrt(jnp.sum(a * a)),
}


@pytest.mark.parametrize("shape", [(7, 5, 3), (33, 20, 8), (128, 8, 1), (1, 9, 2), (6, 1, 4), (10, 43, 1)], ids=str)
@pytest.mark.parametrize("name", ARRAYS)
def test_products_and_sums(name, shape):
    rows, inputs, outputs = shape
    draw = np.random.default_rng(rows).normal
    given = [draw(size=size).astype(np.float32) for size in ((rows, inputs), (inputs, outputs), (inputs,))]

    def step(common, carried, row):
        return ARRAYS[name](*common) + 0 * carried, jnp.sum(row)

    double = [each.astype(np.float64) for each in given]
    with jax.enable_x64():
        exact = np.asarray(ARRAYS[name](*map(jnp.asarray, double)))
    found, _ = repeated(step, jnp.zeros(exact.shape), 2, tuple(map(jnp.asarray, given)))
    np.testing.assert_allclose(found, exact, rtol=1e-5, atol=1e-5 * np.abs(exact).max())


def job(loss, optimizer, model=None, rows=64, features=7, schedule=None, lanes=1) -> Any:
    """A run of training: what `rounds` is given for three rounds of four steps."""
    random = np.random.default_rng(0)
    model = model or models.Mlp(widths=(16, 32))
    params = model.init(jax.random.key(1), features, 1)
    recipe = jax.tree.map(
        lambda leaf: jnp.full(lanes, leaf, jnp.float32), Recipe(loss, optimizer, schedule or schedules.Linear(), None, model)
    )
    x = random.normal(size=(5, rows, features)).astype(np.float32)
    y = np.abs(x.sum(-1) + random.normal(size=x.shape[:2])).astype(np.float32)
    if loss.about.task is Task.BINARY:
        y = (y > 1.5).astype(np.float32)
    share = np.full(y.shape, 1 / rows, np.float32)
    share[:, :3] = 0
    batches = Batch(*map(jnp.asarray, (x, y, share)))
    run = started(params, optimizer.init(params), lanes)
    return TRAINING, recipe, jnp.float32(20), run, batches, jax.tree.map(lambda leaf: leaf[1], batches), 3, 4


def both(job):
    """By the kernel and by XLA; `None` where the kernel cannot."""
    return (made(*job), by_xla(*job)) if plan_of(*job) is not None else None


@pytest.mark.parametrize("name", [name for name in losses.catalogue if losses.catalogue[name].about.task is not Task.MULTICLASS])
def test_every_loss_of_one_score(name):
    loss = losses.catalogue[name]()
    if loss.outputs() != 1:
        pytest.skip("it needs two scores")
    found = both(job(loss, optimizers.Sgd(learning_rate=0.01)))
    assert (found is None) == (name in OF_TWO_SCORES)
    if found is not None:
        near(*found)


@pytest.mark.parametrize("name", list(optimizers.catalogue))
def test_every_optimizer_that_does_not_search(name):
    optimizer = optimizers.catalogue[name]()
    if gradients_per_step(optimizer) is None or (takes_all_rows(optimizer) and name != "gradient_descent"):
        pytest.skip("it looks at the loss along its way")
    found = both(job(losses.SquaredError(), optimizer))
    assert (found is None) == (name in UNKNOWN)
    if found is not None:
        near(*found)


@pytest.mark.parametrize("name", list(schedules.catalogue))
def test_every_schedule(name):
    found = both(
        job(losses.SquaredError(), optimizers.Sgd(learning_rate=0.01), models.Linear(), schedule=schedules.catalogue[name]())
    )
    assert (found is None) == (name in UNKNOWN)
    if found is not None:
        near(*found)


@pytest.mark.parametrize("model", [models.Linear(), models.Mlp(widths=(64, 64))], ids=lambda model: model.name)
def test_lanes_know_nothing_of_each_other(model):
    pieces, recipe, total, run, *rest = job(losses.Huber(), optimizers.Adam(learning_rate=0.01), model, lanes=4)
    rates = jnp.array([0.1, 0.01, 3e38, 0.001])
    recipe = recipe._replace(optimizer=recipe.optimizer.replace(learning_rate=rates))
    run = run._replace(alive=jnp.array([True, True, True, False]))
    at_once = made(pieces, recipe, total, run, *rest)
    for number in range(4):
        one = jax.tree.map(lambda leaf, at=number: leaf[at : at + 1], (recipe, run))
        alone = made(pieces, one[0], total, one[1], *rest)
        same(jax.tree.map(lambda leaf, at=number: leaf[at : at + 1], at_once), alone)
    assert at_once[0].alive.tolist() == [True, True, False, False]
    same(jax.tree.map(lambda leaf: leaf[3], at_once[0].params), jax.tree.map(lambda leaf: leaf[3], run.params))


@pytest.mark.parametrize(
    "change",
    [jnp.cumsum, jnp.sort, lambda x: x[::-1] + 0, lambda x: x + jnp.arange(6.0)],
    ids=["cumsum", "sort", "reversed", "constant"],
)
def test_what_the_kernel_does_not_know_has_no_plan(change):
    pieces = loop(lambda common, held, row: (change(held), jnp.sum(row)))
    assert plan_of(pieces, (), (), started(jnp.ones(6)), jnp.zeros((1, 2)), jnp.zeros(3)) is None


def test_neither_have_other_types_and_shapes_that_change():
    pieces = loop(lambda common, held, row: (held * 2, jnp.sum(row)))
    assert plan_of(pieces, (), (), started(jnp.ones(3, jnp.bfloat16)), jnp.zeros((1, 2)), jnp.zeros(3)) is None
    with jax.enable_x64():
        assert plan_of(pieces, (), (), started(jnp.ones(3, jnp.float64)), jnp.zeros((1, 2)), jnp.zeros(3)) is None
    pieces = loop(lambda common, held, row: (held[:, None], jnp.sum(row)))
    assert plan_of(pieces, (), (), started(jnp.ones(3)), jnp.zeros((1, 2)), jnp.zeros(3)) is None


@pytest.mark.skipif(not CAN, reason="needs a C compiler and an x86 processor")
def test_the_width_of_the_registers_changes_no_bit(tmp_path, monkeypatch):
    include, library = Path(jaxlib.__file__).parent / "include", tmp_path / "narrow.so"
    options = [
        "-O3",
        "-ffp-contract=fast",
        "-fno-math-errno",
        "-fno-trapping-math",
        "-Wno-psabi",
        "-mavx2",
        "-mfma",
        "-DONE_WIDTH",
    ]
    sources = [str(SOURCES / f"{name}.c") for name in ("rounds", "script", "products", "layer")]
    rest = ["-DWITHOUT_AVX512", "-shared", "-fPIC", f"-I{include}", "-o", str(library), *sources, "-lm"]
    subprocess.run([COMPILER, *options, *rest], check=True)
    narrow = ctypes.CDLL(str(library)).downslope_rounds
    jax.ffi.register_ffi_target("narrow_rounds", jax.ffi.pycapsule(narrow), platform="cpu")
    for loss, model in ((losses.BinaryCrossEntropy(), models.Linear()), (losses.Huber(), models.Mlp(widths=(32, 64)))):
        given = job(loss, optimizers.Adamw(learning_rate=0.01), model, rows=100, features=41)
        wide = made(*given)
        with monkeypatch.context() as patch:
            patch.setattr(module, "KERNEL", "narrow_rounds")
            same(wide, made(*given))
