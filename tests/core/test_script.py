"""What scripts can do: against NumPy and fifty digits; and what they cannot."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

from downslope.core.primitive import registered
from downslope.core.rounds import KERNEL
from tests.core.programs import MAKES, drawn
from tests.core.runs import loop, plan_of, repeated, started


@pytest.fixture(autouse=True)
def ours():
    """Without the kernel there is nothing to test here."""
    if not registered(KERNEL):
        pytest.skip("the kernels were not compiled on this machine")


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
