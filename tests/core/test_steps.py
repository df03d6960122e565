"""Many steps by one kernel: against NumPy, against XLA, against fifty digits, and against itself with other lanes and registers."""

import ctypes
import platform
import shutil
import subprocess
import sysconfig
from pathlib import Path

import jax
import jax.numpy as jnp
import jaxlib
import mpmath
import numpy as np
import pytest

from downslope import losses, models, optimizers
from downslope.core import steps as module
from downslope.core.about import Task
from downslope.core.primitive import registered
from downslope.core.steps import steps
from downslope.optimizers.base import gradients_per_step, takes_all_rows
from downslope.schedules import Constant
from downslope.training.many_rows import Batch
from downslope.training.step import Recipe, update
from tests.core.programs import drawn

SOURCES = Path(module.__file__).parent / "c"
COMPILER = (sysconfig.get_config_var("CC") or "cc").split()[0]
CAN = platform.machine() == "x86_64" and shutil.which(COMPILER) is not None
NONE = jnp.zeros(0)
OF_TWO_SCORES = {"binary_generalised_cross_entropy"}
WITHOUT_SCRIPT = {"accumulate"}  # it does something else at some steps


@pytest.fixture(autouse=True)
def ours():
    """Without the kernel there is nothing to test here."""
    if not registered(module.KERNEL):
        pytest.skip("the kernels were not compiled on this machine")


def todo_of(function, *given):
    """What is noted of the one loop in a function; `None` where XLA carries it out."""
    equations = [each for each in jax.make_jaxpr(function)(*given).eqns if each.primitive is module.steps_p]
    return equations[0].params["todo"] if equations else None


def repeated(step, carried, times=5, fixed=(), tables=(), places=None, ahead=None):
    """Some steps, compiled."""
    places = jnp.zeros(times, jnp.int32) if places is None else places
    ahead = jnp.zeros(times) if ahead is None else ahead

    def run(*given):
        return steps(step, *given, jnp.array(True))

    given = (fixed, carried, tables, places, ahead)
    assert todo_of(run, *given) is not None
    return jax.jit(run)(*given)


def test_what_is_carried_changes_places():
    def step(fixed, carried, row, ahead):
        a, b, c, d = carried
        return (b, a + b, c, a), a * 2

    for times in (1, 2, 5, 6):
        carried = (jnp.float32(0), jnp.float32(1), jnp.arange(200.0), jnp.float32(9))
        (a, b, c, d), reports = repeated(step, carried, times)
        exact = [0, 1]
        for _ in range(times):
            exact.append(exact[-1] + exact[-2])
        assert (a, b, d) == (exact[times], exact[times + 1], exact[times - 1])
        assert reports.tolist() == [2 * each for each in exact[:times]]
        np.testing.assert_array_equal(c, np.arange(200.0))


def test_each_step_sees_its_row_and_what_is_known_ahead():
    table, places = jnp.arange(12.0).reshape(4, 3), jnp.array([3, 0, 2])

    def step(fixed, total, row, ahead):
        return total + fixed * row, jnp.sum(row) * ahead

    total, reports = repeated(step, jnp.zeros(3), 3, jnp.float32(2), table, places, jnp.array([1.0, 10.0, 100.0]))
    np.testing.assert_array_equal(total, 2 * (table[3] + table[0] + table[2]))
    assert reports.tolist() == [30.0, 30.0, 2100.0]


def test_whole_numbers_are_counted():
    def step(fixed, carried, row, ahead):
        count, last = carried
        return (count + 1, (count + 1).astype(jnp.float32) * ahead), last

    (count, last), _ = repeated(step, (jnp.int32(2**24), jnp.float32(0)), 3, ahead=jnp.full(3, 0.5))
    assert (count, count.dtype, last) == (2**24 + 3, jnp.int32, np.float32(2**24 + 3) / 2)


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
    done, _ = repeated(lambda fixed, carried, row, ahead: (change(carried), ahead), [jnp.asarray(each) for each in held], 2)
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
    "power": (lambda x: x**1.7, lambda x: x ** mpmath.mpf(float(np.float32(1.7))), (1e-6, 1e6)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_are_right_to_the_last_digits(name):
    function, true, (low, high) = FUNCTIONS[name]
    x = np.random.default_rng(1).uniform(low, high, 500).astype(np.float32)
    x[:200] *= np.float32(1e-3) if low < 0 else 1
    found, _ = repeated(lambda fixed, carried, row, ahead: (function(carried), ahead), jnp.asarray(x), 1)
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


@pytest.mark.parametrize("shape", [(7, 5, 3), (33, 20, 8), (128, 8, 1), (1, 9, 2), (6, 1, 4)], ids=str)
@pytest.mark.parametrize("name", ARRAYS)
def test_products_and_sums(name, shape):
    rows, inputs, outputs = shape
    draw = np.random.default_rng(rows).normal
    given = [draw(size=size).astype(np.float32) for size in ((rows, inputs), (inputs, outputs), (inputs,))]

    def step(fixed, carried, row, ahead):
        return ARRAYS[name](*fixed) + 0 * carried, ahead

    double = [each.astype(np.float64) for each in given]
    with jax.enable_x64():
        exact = np.asarray(ARRAYS[name](*map(jnp.asarray, double)))
    found, _ = repeated(step, jnp.zeros(exact.shape), 2, tuple(map(jnp.asarray, given)))
    np.testing.assert_allclose(found, exact, rtol=1e-5, atol=1e-5 * np.abs(exact).max())


def job(loss, optimizer, model=None, rows=64, features=7):
    """A run: the step, and what `steps` is given."""
    random = np.random.default_rng(0)
    model = model or models.Mlp(widths=(16, 32))
    params = model.init(jax.random.key(1), features, 1)
    recipe = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float32), Recipe(loss, optimizer, Constant(), None, model))
    x = random.normal(size=(5, rows, features)).astype(np.float32)
    y = np.abs(x.sum(-1) + random.normal(size=x.shape[:2])).astype(np.float32)
    if loss.about.task is Task.BINARY:
        y = (y > 1.5).astype(np.float32)
    share = np.full(y.shape, 1 / rows, np.float32)

    def step(recipe, held, batch, ahead):
        params, state, cost = update(recipe, *held, batch, {"learning_rate": ahead}, None)
        return (params, state), cost

    places, ahead = jnp.arange(12) % 5, jnp.linspace(1.0, 0.1, 12)
    return step, recipe, (params, recipe.optimizer.init(params)), Batch(*map(jnp.asarray, (x, y, share))), places, ahead


def both(step, *given):
    """By the kernel and by XLA; `None` where the kernel cannot."""

    def run(*given):
        return steps(step, *given, jnp.array(True))

    if todo_of(run, *given) is None:
        return None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "registered", lambda *_: False)
        other = jax.jit(lambda *given: steps(step, *given, jnp.array(True)))(*given)
    return jax.jit(run)(*given), other


def near(mine, other):
    """Losses and parameters as near as twelve steps leave them."""
    for one, two in zip(jax.tree.leaves(mine), jax.tree.leaves(other), strict=True):
        scale = np.abs(np.asarray(two)).max(initial=1e-6)
        np.testing.assert_allclose(one, two, rtol=2e-3, atol=2e-4 * scale)


@pytest.mark.parametrize("name", [name for name in losses.catalogue if losses.catalogue[name].about.task is not Task.MULTICLASS])
def test_every_loss_of_one_score(name):
    loss = losses.catalogue[name]()
    if loss.outputs() != 1:
        pytest.skip("it needs two scores")
    found = both(*job(loss, optimizers.Sgd(learning_rate=0.01)))
    assert (found is None) == (name in OF_TWO_SCORES)
    if found is not None:
        near(*found)


@pytest.mark.parametrize("name", list(optimizers.catalogue))
def test_every_optimizer_that_does_not_search(name):
    optimizer = optimizers.catalogue[name]()
    if gradients_per_step(optimizer) is None or (takes_all_rows(optimizer) and name != "gradient_descent"):
        pytest.skip("it looks at the loss along its way")
    found = both(*job(losses.SquaredError(), optimizer))
    assert (found is None) == (name in WITHOUT_SCRIPT)
    if found is not None:
        near(*found)


@pytest.mark.parametrize("model", [models.Linear(), models.Mlp(widths=(64, 64))], ids=lambda model: model.name)
def test_lanes_know_nothing_of_each_other(model):
    step, recipe, held, data, places, ahead = job(losses.Huber(), optimizers.Adam(learning_rate=0.01), model)
    rates = jnp.array([0.1, 0.01, 1e30, 0.001])
    many = recipe._replace(
        optimizer=jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, 4), recipe.optimizer).replace(learning_rate=rates)
    )
    alive = jnp.array([True, True, True, False])

    def lane(optimizer, held, alive):
        return steps(step, recipe._replace(optimizer=optimizer), held, data, places, ahead, alive)

    at_once = jax.jit(jax.vmap(lane, (0, None, 0)))(many.optimizer, held, alive)
    for number in range(3):
        one = jax.tree.map(lambda leaf, at=number: leaf[at], many.optimizer)
        alone = jax.jit(lane)(one, held, jnp.array(True))
        for mine, other in zip(jax.tree.leaves(at_once), jax.tree.leaves(alone), strict=True):
            np.testing.assert_array_equal(mine[number], other)
    assert np.isfinite(np.asarray(at_once[1])[[0, 1]]).all()


def test_lanes_with_rows_of_their_own_are_left_to_xla():
    def step(fixed, total, row, ahead):
        return total + row, ahead

    table = jnp.arange(4.0)

    def lane(places):
        return steps(step, (), jnp.float32(0), table, places, jnp.zeros(2), jnp.array(True))[0]

    assert jax.vmap(lane)(jnp.array([[0, 1], [3, 3]])).tolist() == [1.0, 6.0]
    tables = jnp.stack([table, 10 * table])
    found = jax.vmap(lambda table: steps(step, (), jnp.float32(0), table, jnp.array([1, 2]), jnp.zeros(2), jnp.array(True))[0])(
        tables
    )
    assert found.tolist() == [3.0, 30.0]


@pytest.mark.parametrize(
    "change",
    [jnp.cumsum, jnp.sort, lambda x: x[::-1] + 0, lambda x: x + jnp.arange(6.0)],
    ids=["cumsum", "sort", "reversed", "constant"],
)
def test_what_the_kernel_does_not_know_is_left_to_xla(change):
    x = jnp.array([3.0, 1.0, 2.0, 0.5, 4.0, 1.5])

    def run(x):
        return steps(
            lambda fixed, carried, row, ahead: (change(carried), ahead),
            (),
            x,
            (),
            jnp.zeros(1, jnp.int32),
            jnp.zeros(1),
            jnp.array(True),
        )

    assert todo_of(run, x) is None
    np.testing.assert_array_equal(run(x)[0], change(x))


def test_double_and_half_precision_are_left_to_xla():
    def run(x):
        return steps(
            lambda fixed, carried, row, ahead: (carried * 2, ahead),
            (),
            x,
            (),
            jnp.zeros(1, jnp.int32),
            jnp.zeros(1),
            jnp.array(True),
        )

    assert todo_of(run, jnp.ones(3, jnp.bfloat16)) is None
    with jax.enable_x64():
        assert todo_of(run, jnp.ones(3, jnp.float64)) is None


def test_the_same_by_xla():
    """What other platforms, and lanes with rows of their own, are given."""
    step, *given = job(losses.SquaredError(), optimizers.Momentum())
    mine = jax.jit(lambda *given: steps(step, *given, jnp.array(True)))(*given)
    todo = todo_of(lambda *given: steps(step, *given, jnp.array(True)), *given)
    fixed, carried, tables, places, ahead = given
    values = (*jax.tree.leaves((fixed, carried, tables, ahead)), jnp.array(True), places)
    near(mine, jax.jit(lambda *values: module.plain(*values, todo=todo, own=(False,) * len(values)))(*values))


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
    sources = [str(SOURCES / f"{name}.c") for name in ("steps", "products", "layer")]
    rest = ["-DWITHOUT_AVX512", "-shared", "-fPIC", f"-I{include}", "-o", str(library), *sources, "-lm"]
    subprocess.run([COMPILER, *options, *rest], check=True)
    narrow = ctypes.CDLL(str(library)).downslope_steps
    jax.ffi.register_ffi_target("narrow_steps", jax.ffi.pycapsule(narrow), platform="cpu")
    for loss, model in ((losses.BinaryCrossEntropy(), models.Linear()), (losses.Huber(), models.Mlp(widths=(32, 64)))):
        step, *given = job(loss, optimizers.Adamw(learning_rate=0.01), model, rows=100, features=40)
        wide = jax.jit(lambda *given, step=step: steps(step, *given, jnp.array(True)))(*given)
        with monkeypatch.context() as patch:
            patch.setattr(module, "KERNEL", "narrow_steps")
            patch.setattr(module, "registered", lambda *_: True)
            other = jax.jit(lambda *given, step=step: steps(step, *given, jnp.array(True)))(*given)
        for one, two in zip(jax.tree.leaves(wide), jax.tree.leaves(other), strict=True):
            np.testing.assert_array_equal(one, two)
