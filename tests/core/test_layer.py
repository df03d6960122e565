"""A layer with rectifiers against NumPy in float64, by our kernels and by XLA's: values, gradients, second derivatives."""

import ctypes
import platform
import shutil
import subprocess
import sysconfig
from pathlib import Path

import jax
import jax.numpy as jnp
import jaxlib
import numpy as np
import pytest

from downslope.core import layer as module
from downslope.core.layer import layer

SOURCE = Path(module.__file__).parent / "c" / "layer.c"
COMPILER = (sysconfig.get_config_var("CC") or "cc").split()[0]  # the one that builds what belongs to Python
CAN = platform.machine() in ("x86_64", "aarch64", "arm64") and shutil.which(COMPILER) is not None
SHAPES = [(1, 16, 16), (7, 3, 32), (128, 64, 64), (129, 20, 80), (300, 144, 48), (257, 64, 208), (5, 1024, 16), (640, 16, 1024)]


def numbers(rows: int, inputs: int, outputs: int) -> tuple[np.ndarray, ...]:
    """Features, weights, biases and the slope of the result, float32."""
    draw = np.random.default_rng(rows + inputs + outputs).normal
    shapes = ((rows, inputs), (inputs, outputs), (outputs,), (rows, outputs))
    return tuple(draw(size=shape).astype(np.float32) for shape in shapes)


def truth(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, slope: np.ndarray) -> tuple[np.ndarray, ...]:
    """The result and the three gradients in float64."""
    x, weight, bias, slope = (each.astype(np.float64) for each in (x, weight, bias, slope))
    result = np.maximum(x @ weight + bias, 0)
    slope = np.where(result > 0, slope, 0)
    return result, slope @ weight.T, x.T @ slope, slope.sum(0)


def found(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, slope: np.ndarray) -> tuple[jax.Array, ...]:
    """The same by the layer, compiled anew."""

    def both(*values: jax.Array) -> tuple[jax.Array, ...]:
        result, pull = jax.vjp(layer, *values)
        return result, *pull(slope)

    return jax.jit(both)(x, weight, bias)


@pytest.fixture(params=["ours", "xla"])
def kernels(request, monkeypatch):
    """By whose kernels."""
    if request.param == "xla":
        monkeypatch.setattr(module, "able", lambda: False)
    elif not module.able():
        pytest.skip("the kernels were not compiled on this machine")
    return request.param


@pytest.mark.skipif(not CAN, reason="no C compiler, or a processor for which there are no kernels")
def test_the_kernels_are_there_where_they_can_be():
    assert module.able()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_layer_and_its_gradients(kernels, shape):
    given = numbers(*shape)
    for mine, exact in zip(found(*given), truth(*given), strict=True):
        np.testing.assert_allclose(mine, exact, rtol=1e-4, atol=2e-6 * np.abs(exact).max())


def test_whose_kernels_compute_is_decided_by_shape_and_type(kernels):
    def calls(shape, kind=jnp.float32):
        values = [jnp.zeros(each, kind) for each in (shape[:2], shape[1:], shape[2:])]
        return (
            jax.jit(jax.grad(lambda *given: jnp.sum(layer(*given)), (0, 1))).lower(*values).as_text().count("custom_call @down")
        )

    ours = 2 if kernels == "ours" else 0
    assert [calls(shape) for shape in ((8, 32, 16), (8, 32, 24), (8, 2048, 16), (8, 16, 2048), (0, 16, 16))] == [ours, 0, 0, 0, 0]
    assert calls((8, 24, 16)) == ours // 2  # forward only: 24 inputs are no whole columns for the gradient by them
    with jax.enable_x64():
        assert calls((8, 32, 16), jnp.float64) == 0


@pytest.mark.parametrize("inputs", range(1, 19))
def test_every_number_of_inputs_and_of_rows(kernels, inputs):
    """Tiles have so many of both, and the last one has what is left."""
    for rows, outputs in zip((1, 2, 3, 4, 5, 131, 258), (16, 32, 48, 64, 80, 112, 144), strict=True):
        x, weight, bias, slope = numbers(rows, inputs, outputs)
        result, pull = jax.vjp(lambda *given, x=x: layer(x, *given), weight, bias)
        exact, _, *gradients = truth(x, weight, bias, slope)
        for mine, right in zip((result, *pull(slope)), (exact, *gradients), strict=True):
            np.testing.assert_allclose(mine, right, rtol=1e-4, atol=2e-6 * np.abs(right).max())


def test_data_has_no_gradient():
    x, weight, bias, _ = numbers(8, 16, 16)
    assert "by_x=False" in str(jax.make_jaxpr(jax.grad(lambda w, b: jnp.sum(layer(x, w, b)), (0, 1)))(weight, bias))
    assert "by_x=True" in str(jax.make_jaxpr(jax.grad(lambda v, w: jnp.sum(layer(v, w, bias)), (0, 1)))(x, weight))


def test_at_zero_the_gradient_is_zero_and_what_is_no_number_stays_so(kernels):
    x, weight, bias, slope = numbers(9, 16, 32)
    x[3] = 0
    x[5, 2] = np.nan
    x[6, 2] = np.inf
    bias[:] = 0
    result, by_x, *_ = found(x, weight, bias, slope)
    assert not np.any(result[3]) and not np.any(by_x[3])
    assert np.isnan(result[5]).all() and set(np.unique(result[6]).tolist()) == {0.0, np.inf}
    assert np.isfinite(np.delete(np.asarray(result), [5, 6], axis=0)).all()


def test_a_row_knows_nothing_of_the_others(kernels):
    if kernels == "xla":
        pytest.skip("XLA promises no such thing")
    x, weight, bias, _ = numbers(200, 64, 96)
    whole = np.asarray(layer(x, weight, bias))
    for first, rows in ((0, 1), (17, 5), (100, 100)):
        np.testing.assert_array_equal(layer(x[first : first + rows], weight, bias), whole[first : first + rows])


@pytest.mark.parametrize("first", [jax.jacfwd, jax.jacrev])
@pytest.mark.parametrize("second", [jax.jacfwd, jax.jacrev])
def test_twice_derived(kernels, first, second):
    x, weight, bias, slope = numbers(5, 16, 16)

    def cost(apply, *values):
        return jnp.sum(jnp.tanh(apply(*values) / 10) * slope)

    def plain(x, weight, bias):
        return jax.nn.relu(x @ weight + bias[None])

    for place in range(3):
        mine, other = (second(first(lambda *v, f=f: cost(f, *v), place), place)(x, weight, bias) for f in (layer, plain))
        np.testing.assert_allclose(mine, other, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("shape", [(100, 107, 64), (300, 130, 80), (40, 256, 16), (17, 16, 32)], ids=str)
def test_looking_for_what_is_not_zero_changes_no_bit(shape):
    """The first rows decide whether it pays to look: the same rows behind some that are full give the same."""
    if not module.able():
        pytest.skip("the kernels were not compiled on this machine")
    x, weight, bias, slope = numbers(*shape)
    x[np.random.default_rng(0).random(x.shape) < 0.9] = 0
    full = np.concatenate([np.ones((128, shape[1]), np.float32), x])
    mine = jax.jit(lambda w, b: layer(x, w, b))(weight, bias)
    np.testing.assert_array_equal(mine, jax.jit(lambda w, b: layer(full, w, b))(weight, bias)[128:])
    sides = [(x, slope), (full, np.concatenate([np.zeros((128, shape[2]), np.float32), slope]))]
    thin, dense = (
        jax.jit(jax.grad(lambda w, b, x=x, slope=slope: jnp.sum(slope * layer(x, w, b)), (0, 1)))(weight, bias)
        for x, slope in sides
    )
    for one, other in zip(thin, dense, strict=True):
        np.testing.assert_array_equal(one, other)
    exact = truth(x, weight, bias, slope)
    np.testing.assert_allclose(thin[0], exact[2], rtol=1e-4, atol=2e-6 * np.abs(exact[2]).max())


def test_many_at_once(kernels):
    x, weight, bias, slope = numbers(6, 16, 32)
    many = [jnp.stack([each, 2 * each]) for each in (x, weight, bias)]
    at_once = jax.vmap(lambda *given: jax.grad(lambda *v: jnp.sum(slope * layer(*v)), (0, 1, 2))(*given))(*many)
    for number in range(2):
        alone = jax.grad(lambda *v: jnp.sum(slope * layer(*v)), (0, 1, 2))(*(each[number] for each in many))
        for one, other in zip(at_once, alone, strict=True):
            np.testing.assert_allclose(one[number], other, rtol=1e-5, atol=1e-5)


@pytest.mark.skipif(not CAN or platform.machine() != "x86_64", reason="needs a C compiler and an x86 processor")
def test_the_width_of_the_registers_changes_no_bit(tmp_path, monkeypatch):
    include, library = Path(jaxlib.__file__).parent / "include", tmp_path / "narrow.so"
    options = ["-O3", "-ffp-contract=fast", "-Wno-psabi", "-DWITHOUT_AVX512", "-shared", "-fPIC", f"-I{include}"]
    subprocess.run([COMPILER, *options, "-o", str(library), str(SOURCE)], check=True)
    narrow = ctypes.CDLL(str(library))
    for shape in SHAPES:
        given = numbers(*shape)
        wide = found(*given)
        with monkeypatch.context() as patch:
            for name in ("FORWARD", "BACKWARD"):
                target = getattr(module, name)
                jax.ffi.register_ffi_target(f"narrow_{target}", jax.ffi.pycapsule(getattr(narrow, target)), platform="cpu")
                patch.setattr(module, name, f"narrow_{target}")
            patch.setattr(module, "able", lambda: True)
            for one, other in zip(found(*given), wide, strict=True):
                np.testing.assert_array_equal(one, other)
