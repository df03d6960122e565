"""Cross-entropy by our kernel and by XLA's: every digit, whatever the rows hold, and derivatives of any order."""

import ctypes
import platform
import shutil
import subprocess
import sysconfig
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import jaxlib
import numpy as np
import pytest
from mpmath import exp, log1p, mp, mpf

from downslope.core import cross_entropy as module
from downslope.core.cross_entropy import cross_entropy
from downslope.core.primitive import registered

COMPILER = (sysconfig.get_config_var("CC") or "cc").split()[0]
SHAPES = [(1, 16), (7, 17), (40, 31), (5, 32), (3, 100), (2, 1000)]
BITS = {"ours": 0, "xla": 1e-6}  # ours are the same, however they are called


@pytest.fixture(params=["ours", "xla"])
def kernels(request, monkeypatch):
    """By whose kernel."""
    if request.param == "xla":
        monkeypatch.setattr(module, "registered", lambda name: False)
    elif not registered(module.KERNEL):
        pytest.skip("the kernels were not compiled on this machine")
    return request.param


def table(rows: int, classes: int, width: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
    """Scores and labels."""
    draw = np.random.default_rng(rows * classes)
    return (draw.normal(size=(rows, classes)) * width).astype(np.float32), draw.integers(0, classes, rows).astype(np.int32)


def hard(count: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores of all sizes: far from 0, nearly equal, tied, the own class all but certain, or hopeless."""
    draw = np.random.default_rng(classes)
    raw, label = draw.normal(size=(count, classes)), draw.integers(0, classes, count)
    rows = np.arange(count)
    raw *= 10 ** draw.uniform(-6, 1.5, (count, 1))
    raw += draw.choice([0, 0, 1], (count, 1)) * draw.normal(size=(count, 1)) * 10 ** draw.uniform(0, 4, (count, 1))
    raw[rows, label] += draw.choice([0, 1, -1], count) * 10 ** draw.uniform(0.0, 2, count)
    raw[:, 0] = np.where(draw.uniform(size=count) < 0.2, raw[:, -1], raw[:, 0])
    return raw.astype(np.float32), label.astype(np.int32)


def value_and_slope(raw, label) -> tuple[np.ndarray, np.ndarray]:
    """By `cross_entropy`, compiled anew, in float64."""

    def both(raw):
        value, pull = jax.vjp(lambda raw: cross_entropy(raw, label), raw)
        return value, *pull(jnp.ones_like(value))

    value, slope = jax.jit(both)(jnp.asarray(raw))
    return np.asarray(value, np.float64), np.asarray(slope, np.float64)


def truth(scores: list[mpf], label: int) -> list[mpf]:
    """The loss, then its gradient."""
    odds = [exp(score - scores[label]) for score in scores]
    against = sum(odds[:label]) + sum(odds[label + 1 :])
    slopes = [odd / (1 + against) for odd in odds]
    slopes[label] = -against / (1 + against)
    return [log1p(against), *slopes]


@pytest.mark.parametrize("classes", [16, 21, 37])
def test_every_digit(kernels, classes):
    """At most 4 units of the last place at hard points, beside 50 digits; what is below the normal numbers counts as 0."""
    raw, label = hard(1000, classes)
    value, slope = value_and_slope(raw, label)
    nothing = classes * float(np.finfo(np.float32).tiny)
    with mp.workdps(50):
        for row in range(len(raw)):
            exact = truth([mpf(float(score)) for score in raw[row]], int(label[row]))
            for ours, true in zip([value[row], *slope[row]], exact, strict=True):
                unit = float(np.spacing(np.float32(abs(float(true)))))
                assert abs(mpf(float(ours)) - true) <= 4 * unit + nothing, (row, ours, float(true))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_both_kernels_agree(shape, monkeypatch):
    raw, label = table(*shape)
    mine = value_and_slope(raw, label)
    monkeypatch.setattr(module, "registered", lambda name: False)
    for one, other in zip(mine, value_and_slope(raw, label), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_the_value_alone_is_the_same(kernels):
    raw, label = table(50, 33)
    np.testing.assert_allclose(jax.jit(cross_entropy)(raw, label), value_and_slope(raw, label)[0], rtol=BITS[kernels])


def test_rows_that_hold_something_strange(kernels):
    raw, label = table(10, 18)
    raw[0, 3] = np.nan
    raw[1, label[1]] = np.nan
    raw[2, label[2]] = -np.inf
    raw[3, (label[3] + 1) % 18] = -np.inf
    raw[4, (label[4] + 1) % 18] = np.inf
    raw[5] = 3e38
    raw[6], raw[6, label[6]] = -3e38, 3e38
    label[7], label[8] = -1, 18
    value, slope = value_and_slope(raw, label)
    assert np.isnan(value[[0, 1, 4, 7, 8]]).all() and np.isnan(slope[[0, 1, 4, 7, 8]]).all()
    assert value[2] == np.inf and slope[2, label[2]] == -1 and abs(slope[2].sum()) < 1e-6
    assert np.isfinite(value[3]) and slope[3, (label[3] + 1) % 18] == 0
    assert abs(value[5] - np.log(18)) < 1e-6 and abs(slope[5, label[5]] - 1 / 18 + 1) < 1e-6
    assert value[6] == 0 and not slope[6].any()
    alone = value_and_slope(raw[9:], label[9:])
    assert value[9] == alone[0][0] and (slope[9] == alone[1][0]).all()


def test_a_row_knows_nothing_of_the_others():
    """Not of those beside it, nor of how many there are: the many are shared among threads."""
    raw, label = table(3000, 40)
    value, slope = value_and_slope(raw, label)
    for first, rows in ((0, 1), (17, 5), (2500, 500)):
        some = slice(first, first + rows)
        for one, other in zip(value_and_slope(raw[some], label[some]), (value[some], slope[some]), strict=True):
            np.testing.assert_array_equal(one, other)


def test_whose_kernel_computes_is_decided_by_shape_and_type(kernels):
    def calls(rows, classes, kind=jnp.float32):
        raw, label = jnp.zeros((rows, classes), kind), jnp.zeros(rows, jnp.int32)
        return jax.jit(jax.grad(lambda raw: cross_entropy(raw, label).sum())).lower(raw).as_text().count("custom_call @down")

    assert [calls(4, 16), calls(4, 15), calls(0, 16)] == [int(kernels == "ours"), 0, 0]
    with jax.enable_x64():
        assert calls(4, 16, jnp.float64) == 0


def test_many_at_once_are_more_rows(kernels):
    raw, label = table(12, 20)
    many = raw.reshape(3, 4, 20)
    for labels, axis in ((label.reshape(3, 4), 0), (label[:4], None)):
        value, slope = jax.vmap(jax.value_and_grad(lambda r, at: cross_entropy(r, at).sum()), (0, axis))(many, labels)
        for number in range(3):
            one = value_and_slope(many[number], labels[number] if axis == 0 else labels)
            np.testing.assert_allclose(value[number], one[0].sum(), rtol=1e-6)
            np.testing.assert_allclose(slope[number], one[1], rtol=BITS[kernels])
    found = cross_entropy(many, label.reshape(3, 4)).ravel()
    np.testing.assert_allclose(found, cross_entropy(raw, label), rtol=BITS[kernels])
    by_labels = jax.vmap(cross_entropy, (None, 0))(raw[:4], label.reshape(3, 4))
    np.testing.assert_allclose(by_labels[1], cross_entropy(raw[:4], label[4:8]), rtol=BITS[kernels])


@pytest.mark.parametrize("first", [jax.jacfwd, jax.jacrev])
@pytest.mark.parametrize("second", [jax.jacfwd, jax.jacrev])
def test_twice_derived(kernels, first, second):
    raw, label = table(2, 16)

    def plain(raw):
        return jax.nn.logsumexp(raw, axis=-1) - raw[jnp.arange(2), label]

    mine, other = (second(first(by))(raw) for by in (partial(cross_entropy, label=label), plain))
    np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-6)


@pytest.mark.skipif(
    platform.machine() != "x86_64" or not registered(module.KERNEL) or shutil.which(COMPILER) is None,
    reason="needs a C compiler and an x86 processor",
)
def test_the_width_of_the_registers_changes_no_bit(tmp_path, monkeypatch):
    source, library = Path(module.__file__).parent / "c" / "cross_entropy.c", tmp_path / "narrow.so"
    options = ["-O3", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math", "-Wno-psabi", "-march=x86-64-v3"]
    include = f"-I{Path(jaxlib.__file__).parent / 'include'}"
    subprocess.run(
        [COMPILER, *options, "-DONE_WIDTH", "-shared", "-fPIC", include, "-o", str(library), str(source), "-lm"], check=True
    )
    narrow = ctypes.CDLL(str(library))
    jax.ffi.register_ffi_target("narrow_cross_entropy", jax.ffi.pycapsule(narrow.downslope_cross_entropy), platform="cpu")
    for given in (*(table(*shape) for shape in SHAPES), hard(500, 21)):
        wide = value_and_slope(*given)
        with monkeypatch.context() as patch:
            patch.setattr(module, "KERNEL", "narrow_cross_entropy")
            patch.setattr(module, "registered", lambda name: True)
            for one, other in zip(value_and_slope(*given), wide, strict=True):
                np.testing.assert_array_equal(one, other)
