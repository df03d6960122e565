"""Means of losses in one pass: against double precision, and to the bit against the same program carried out step by step."""

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

from downslope import losses
from downslope.core import compiled
from downslope.core import summed as module
from downslope.core.about import Task
from downslope.core.arithmetic import in_one_pass
from downslope.core.primitive import registered
from downslope.core.summed import FEWEST, summed

SOURCES = Path(module.__file__).parent / "c"
COMPILER = (sysconfig.get_config_var("CC") or "cc").split()[0]
CAN = platform.machine() == "x86_64" and shutil.which(COMPILER) is not None
ROWS = FEWEST + 1237
ONE_SCORE = [name for name, kind in losses.catalogue.items() if kind.about.task is not Task.MULTICLASS and kind().outputs() == 1]
TWO_CLASSES = {name for name in ONE_SCORE if losses.catalogue[name].about.task is Task.BINARY}
LEFT_TO_XLA = {"binary_generalised_cross_entropy"}  # it goes by way of two scores


@pytest.fixture(autouse=True)
def ours():
    """Without the kernel there is nothing to test here."""
    if not registered(module.KERNEL):
        pytest.skip("the kernels were not compiled on this machine")


def rows(name: str, count: int = ROWS) -> tuple[jax.Array, jax.Array]:
    """Scores and targets that a loss takes."""
    draw = np.random.default_rng(7)
    raw = draw.normal(size=count)
    raw = np.abs(raw) if name == "squared_logarithmic_error" else raw
    target = draw.random(count) < 0.5 if name in TWO_CLASSES else np.abs(draw.normal(size=count)) + 0.1
    return jnp.asarray(raw, jnp.float32), jnp.asarray(target, jnp.float32)


def calls(function, *given) -> int:
    """How often the kernel is called."""
    return jax.jit(function).lower(*given).as_text().count("custom_call @downslope_summed")


@pytest.mark.parametrize("name", ONE_SCORE)
def test_every_loss_beside_double_precision(name):
    loss, (raw, target) = losses.catalogue[name](), rows(name)
    both = jax.value_and_grad(lambda raw: loss.reduce(raw, target))
    assert calls(both, raw) == (0 if name in LEFT_TO_XLA else 1)
    value, slope = jax.jit(both)(raw)
    with jax.enable_x64():
        wide = [jnp.asarray(np.asarray(each), jnp.float64) for each in (raw, target)]
        true, exact = jax.value_and_grad(lambda raw: jnp.mean(loss(raw, wide[1])))(wide[0])
    np.testing.assert_allclose(value, true, rtol=3e-7)
    np.testing.assert_allclose(slope, exact, rtol=2e-6, atol=2e-6 * np.abs(exact).max())


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    """The kernel compiled in other ways: without its compiled programs, and for narrower registers."""
    if not CAN:
        pytest.skip("needs a C compiler and an x86 processor")
    folder = tmp_path_factory.mktemp("kernels")
    options = ["-O3", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math", "-Wno-psabi", "-shared", "-fPIC"]
    options += [f"-I{Path(jaxlib.__file__).parent / 'include'}", *(str(SOURCES / f"{name}.c") for name in ("summed", "compiled"))]
    for name, more in (("carried", ["-DNOTHING_COMPILED"]), ("narrow", ["-DONE_WIDTH", "-mavx2", "-mfma"])):
        subprocess.run([COMPILER, *more, *options, "-o", str(folder / f"{name}.so"), "-lm"], check=True)
        target = ctypes.CDLL(str(folder / f"{name}.so")).downslope_summed
        jax.ffi.register_ffi_target(f"{name}_summed", jax.ffi.pycapsule(target), platform="cpu")
    return ["carried_summed", "narrow_summed"]


@pytest.mark.parametrize("name", [name for name in ONE_SCORE if name not in LEFT_TO_XLA])
def test_neither_compiling_nor_the_width_of_registers_changes_a_bit(others, monkeypatch, name):
    loss, (raw, target) = losses.catalogue[name](), rows(name)
    text = module.program_of(losses.base.share_of, (loss, raw, target, jnp.float32(1)), by=1)
    assert text is not None and compiled.is_compiled(text)

    def both():
        return jax.jit(jax.value_and_grad(lambda raw: loss.reduce(raw, target)))(raw)

    mine = both()
    monkeypatch.setattr(module, "registered", lambda *_: True)
    for other in others:
        if other.startswith("carried") and sum(text[:4]) > module.PLACES:
            continue
        monkeypatch.setattr(module, "KERNEL", other)
        for one, two in zip(mine, both(), strict=True):
            np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("reduction", ["mean_over_weights", "mean_over_count", "sum"])
def test_weights_masks_and_denominators(reduction):
    loss, (raw, target) = losses.Huber(delta=0.7), rows("huber")
    draw = np.random.default_rng(1)
    weight, mask = draw.integers(0, 3, ROWS).astype(np.float32), draw.random(ROWS) < 0.8
    raw = jnp.where((weight > 0) & mask, raw, jnp.nan)  # what counts for nothing may hold anything

    def mean(raw):
        return loss.reduce(raw, target, weight=jnp.asarray(weight), mask=jnp.asarray(mask), reduction=reduction)

    assert calls(jax.value_and_grad(mean), raw) == 1
    value, slope = jax.jit(jax.value_and_grad(mean))(raw)
    error, heavy = np.asarray(raw, np.float64) - np.asarray(target, np.float64), np.where(mask, weight, 0)
    each = np.where(heavy > 0, np.where(np.abs(error) <= 0.7, error**2 / 2, 0.7 * (np.abs(error) - 0.35)), 0)
    below = {"mean_over_weights": heavy.sum(), "mean_over_count": mask.sum(), "sum": 1}[reduction]
    np.testing.assert_allclose(value, np.sum(heavy * each) / below, rtol=1e-6)
    np.testing.assert_allclose(slope, np.where(heavy > 0, heavy * np.clip(error, -0.7, 0.7), 0) / below, rtol=1e-5, atol=1e-12)


def test_nothing_weighs_anything():
    loss, (raw, target) = losses.SquaredError(), rows("squared_error")
    value, slope = jax.jit(jax.value_and_grad(lambda raw: loss.reduce(raw, target, mask=jnp.zeros(ROWS, bool))))(raw)
    assert value == 0 and not np.any(slope)


def test_derivatives_by_settings_targets_and_of_second_order():
    raw, target = rows("huber")
    loss = losses.Huber(delta=jnp.float32(0.5))

    def mean(loss, raw, target):
        return loss.reduce(raw, target)

    by_loss, by_target = jax.jit(jax.grad(mean, (0, 2)))(loss, raw, target)
    error = np.asarray(raw, np.float64) - np.asarray(target, np.float64)
    np.testing.assert_allclose(by_loss.delta, np.mean(np.maximum(np.abs(error) - 0.5, 0)), rtol=1e-5)
    np.testing.assert_allclose(by_target, -np.clip(error, -0.5, 0.5) / ROWS, rtol=1e-5, atol=1e-12)
    moved = jnp.asarray(np.random.default_rng(0).normal(size=ROWS), jnp.float32)
    curve = jax.jit(lambda raw: jax.jvp(jax.grad(lambda raw: losses.Poisson().reduce(raw, target)), (raw,), (moved,))[1])(raw)
    np.testing.assert_allclose(curve, np.exp(np.asarray(raw, np.float64)) * moved / ROWS, rtol=1e-5, atol=1e-12)


def test_many_at_once_and_without_jit():
    raw, target = rows("poisson")
    both = jnp.stack([raw, raw / 2])
    found = jax.vmap(lambda raw: losses.Poisson().reduce(raw, target))(both)
    alone = [losses.Poisson().reduce(each, target) for each in both]
    np.testing.assert_allclose(found, alone, rtol=1e-6)


def test_few_rows_other_types_and_several_scores_are_left_to_xla():
    raw, target = rows("huber")
    loss = losses.Huber()
    assert calls(lambda raw: loss.reduce(raw, target[:100]), raw[:100]) == 0
    assert calls(lambda raw: loss.reduce(raw, target), raw.astype(jnp.bfloat16)) == 0
    labels = jnp.zeros(FEWEST, jnp.int32)
    assert calls(lambda raw: losses.CrossEntropy().reduce(raw, labels), jnp.zeros((FEWEST, 2))) == 0


def test_a_formula_of_ones_own_is_carried_out():
    x = jnp.asarray(np.random.default_rng(0).normal(size=ROWS), jnp.float32)

    def mine(x, scale):
        return jnp.tanh(scale * x) * x - jnp.minimum(x, 0.3)

    def total(x, scale):
        return summed(mine, x, scale)

    assert calls(jax.grad(total), x, jnp.float32(2)) == 1
    slope, by_scale = jax.jit(jax.grad(total, (0, 1)))(x, jnp.float32(2))
    wide = np.asarray(x, np.float64)
    tanh = np.tanh(2 * wide)
    np.testing.assert_allclose(slope, 2 * (1 - tanh**2) * wide + tanh - (wide < np.float32(0.3)), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(by_scale, np.sum((1 - tanh**2) * wide**2), rtol=1e-5)
    assert calls(lambda x: summed(lambda x: jnp.cumsum(x), x), x) == 0
    assert calls(lambda x: summed(lambda x: jnp.sin(x) * x, x), x) == 0


FUNCTIONS = {
    "exp": (jnp.exp, mpmath.exp, [(-87, 88.7), (-1, 1), (-1e-3, 1e-3)], 1),
    "log": (jnp.log, mpmath.log, [(1e-6, 2), (0.7, 1.5), (0.999, 1.001), (0, 1e30)], 1),
    "expm1": (jnp.expm1, mpmath.expm1, [(-20, 88), (-1, 1), (-1e-3, 1e-3)], 1.5),
    "log1p": (jnp.log1p, lambda x: mpmath.log(1 + x), [(-0.999, 100), (-0.5, 0.5), (-1e-3, 1e-3), (0, 1e20)], 2.5),
    "tanh": (jnp.tanh, mpmath.tanh, [(-9, 9), (-1, 1), (-1e-3, 1e-3)], 3),
    "logistic": (jax.nn.sigmoid, lambda x: 1 / (1 + mpmath.exp(-x)), [(-80, 80), (-3, 3)], 2),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_are_right_to_the_last_digits(name):
    function, true, ranges, bound = FUNCTIONS[name]
    for low, high in ranges:
        x = np.random.default_rng(1).uniform(low, high, 2000).astype(np.float32)
        found = np.asarray(jax.jit(lambda held: in_one_pass(function, held))(jnp.asarray(x)))
        with mpmath.workdps(50):
            exact = [true(mpmath.mpf(float(each))) for each in x]
            units = [mpmath.mpf(float(np.spacing(np.float32(float(abs(each)))))) for each in exact]
            errors = [abs(mpmath.mpf(float(a)) - b) / unit for a, b, unit in zip(found, exact, units, strict=True)]
        assert max(errors) <= bound, (low, high)


def test_functions_where_numbers_end():
    special = np.array([0, np.inf, -np.inf, np.nan, -1, 1, 100, -100, 89, -1e30, 1e30], np.float32)
    for name, (function, *_) in FUNCTIONS.items():
        found = jax.jit(lambda held, function=function: in_one_pass(function, held))(jnp.asarray(special))
        with jax.enable_x64():
            exact = np.asarray(function(jnp.asarray(special, jnp.float64)))
        with np.errstate(over="ignore"):
            np.testing.assert_allclose(found, exact.astype(np.float32), rtol=3e-7, atol=2e-38, err_msg=name)
