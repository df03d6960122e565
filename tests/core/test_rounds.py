"""Rounds of a run by one kernel: against XLA, and against itself with other lanes and registers."""

import ctypes
import platform
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import jaxlib
import numpy as np
import pytest

from downslope import losses, models, optimizers, schedules
from downslope.core import rounds as module
from downslope.core.about import Task
from downslope.core.primitive import registered
from downslope.core.rounds import BLOCK, Pieces
from downslope.optimizers.base import gradients_per_step, takes_all_rows
from downslope.training import by_kernel
from downslope.training.many_rows import Batch
from downslope.training.step import Recipe
from tests.core.runs import by_xla, loop, made, near, plan_of, repeated, same, started

SOURCES = Path(module.__file__).parent / "c"
COMPILER = (sysconfig.get_config_var("CC") or "cc").split()[0]
CAN = platform.machine() == "x86_64" and shutil.which(COMPILER) is not None
TRAINING = Pieces(by_kernel.first, by_kernel.step, by_kernel.shown, by_kernel.scores)
OF_SEVERAL_SCORES = {"binary_generalised_cross_entropy", "crammer_singer_hinge", "focal", "generalised_cross_entropy"}
OF_SEVERAL_SCORES |= {"weston_watkins_hinge", "gaussian_negative_log_likelihood"}
UNKNOWN = {"accumulate", "cosine_restarts"}  # one does something else at some steps, one looks numbers up in a table


@pytest.fixture(autouse=True)
def ours():
    """Without the kernel there is nothing to test here."""
    if not registered(module.KERNEL):
        pytest.skip("the kernels were not compiled on this machine")


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


def job(loss, optimizer, model=None, rows=64, features=7, schedule=None, lanes=1, classes=5) -> Any:
    """A run of training: what `rounds` is given for three rounds of four steps."""
    random = np.random.default_rng(0)
    model = model or models.Mlp(widths=(16, 32))
    params = model.init(jax.random.key(1), features, loss.outputs(classes))
    recipe = jax.tree.map(
        lambda leaf: jnp.full(lanes, leaf, jnp.float32), Recipe(loss, optimizer, schedule or schedules.Linear(), None, model)
    )
    x = random.normal(size=(5, rows, features)).astype(np.float32)
    y = np.abs(x.sum(-1) + random.normal(size=x.shape[:2])).astype(np.float32)
    if loss.about.task is Task.BINARY:
        y = (y > 1.5).astype(np.float32)
    elif loss.about.task is Task.MULTICLASS:
        y = np.minimum(y, classes - 1).astype(np.int32)
    share = np.full(y.shape, 1 / rows, np.float32)
    share[:, :3] = 0
    batches = Batch(*map(jnp.asarray, (x, y, share)))
    run = started(params, optimizer.init(params), lanes)
    return TRAINING, recipe, jnp.float32(20), run, batches, jax.tree.map(lambda leaf: leaf[1], batches), 3, 4


def both(job):
    """By the kernel and by XLA; `None` where the kernel cannot."""
    return (made(*job), by_xla(*job)) if plan_of(*job) is not None else None


@pytest.mark.parametrize("name", list(losses.catalogue))
def test_every_loss(name):
    found = both(job(losses.catalogue[name](), optimizers.Sgd(learning_rate=0.01)))
    assert (found is None) == (name in OF_SEVERAL_SCORES)
    if found is not None:
        near(*found)


@pytest.mark.parametrize("classes", [3, 16, 40])
@pytest.mark.parametrize("model", [models.Linear(), models.Mlp(widths=(16,))], ids=lambda model: model.name)
def test_few_and_many_classes(model, classes):
    given = job(losses.CrossEntropy(), optimizers.Sgd(learning_rate=0.1), model, classes=classes)
    mine = made(*given)
    near(mine, by_xla(*given))
    assert mine[1].scores.shape == (1, 3, 64, classes)


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


@pytest.mark.parametrize(("rows", "features"), [(64, 7), (1100, 100)], ids=["one turn a round", "a turn for each step"])
@pytest.mark.parametrize("model", [models.Linear(), models.Mlp(widths=(64, 64))], ids=lambda model: model.name)
def test_lanes_know_nothing_of_each_other(model, rows, features):
    pieces, recipe, total, run, *rest = job(losses.Huber(), optimizers.Adam(learning_rate=0.01), model, rows, features, lanes=4)
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


@pytest.mark.skipif(not CAN, reason="needs a C compiler and an x86 processor")
def test_neither_narrower_registers_nor_compiled_programs_change_a_bit(tmp_path, monkeypatch):
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
        "-DNOTHING_COMPILED",
    ]
    sources = [str(SOURCES / f"{name}.c") for name in ("rounds", "script", "compiled", "products", "layer", "cross_entropy")]
    rest = ["-DWITHOUT_AVX512", "-shared", "-fPIC", f"-I{include}", "-o", str(library), *sources, "-lm"]
    subprocess.run([COMPILER, *options, *rest], check=True)
    narrow = ctypes.CDLL(str(library)).downslope_rounds
    jax.ffi.register_ffi_target("narrow_rounds", jax.ffi.pycapsule(narrow), platform="cpu")
    linear = (losses.BinaryCrossEntropy(), losses.SquaredError(), losses.AbsoluteError(), losses.Hinge())
    for loss, model in (*((each, models.Linear()) for each in linear), (losses.Huber(), models.Mlp(widths=(32, 64)))):
        given = job(loss, optimizers.Adamw(learning_rate=0.01), model, rows=100, features=41)
        wide = made(*given)
        with monkeypatch.context() as patch:
            patch.setattr(module, "KERNEL", "narrow_rounds")
            same(wide, made(*given))
