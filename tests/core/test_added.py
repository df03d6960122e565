"""Sums over blocks that a kernel reads where they lie, beside JAX and NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from downslope.core.added import KERNEL, added, planned
from downslope.core.primitive import registered

ROWS, COLUMNS, PARTS, BLOCKS = 24, 5, 3, 4
DRAW = np.random.default_rng(0)
X = DRAW.normal(size=(ROWS * PARTS * BLOCKS + 7, COLUMNS)).astype(np.float32)  # the last rows belong to no block
Y = DRAW.normal(size=len(X)).astype(np.float32)
WEIGHTS = DRAW.normal(size=(4, COLUMNS)).astype(np.float32)
BLOCK = (jax.ShapeDtypeStruct((ROWS, COLUMNS), jnp.float32), jax.ShapeDtypeStruct((ROWS,), jnp.float32))


@pytest.fixture(autouse=True)
def ours():
    """Without the kernel there is nothing to test here."""
    if not registered(KERNEL):
        pytest.skip("the kernels were not compiled on this machine")


def cost(fixed, rows):
    """Something that uses its numbers also without the rows."""
    scale, weight = fixed
    return jnp.exp(scale) * jnp.sum((rows[0] @ weight - rows[1]) ** 2)


look = jax.value_and_grad(cost)


def sums(alive, first: int, parts: int):
    """Loss and gradient of each part for each of the weights, several runs together."""
    plan = planned(look, (jnp.zeros(()), WEIGHTS[0]), BLOCK)
    assert plan is not None

    def one(scale, weight, flag):
        return added(plan, (scale, weight), (jnp.asarray(X), jnp.asarray(Y)), flag, jnp.asarray(first), parts, BLOCKS)

    scales = jnp.arange(4, dtype=jnp.float32) / 4
    return jax.jit(jax.vmap(one))(scales, jnp.asarray(WEIGHTS), jnp.asarray(alive)), one


def truth(scale: float, weight: np.ndarray, part: int):
    """Of all rows of a part at once, float64."""
    rows = slice(part * BLOCKS * ROWS, (part + 1) * BLOCKS * ROWS)
    x, error = X[rows].astype(np.float64), X[rows].astype(np.float64) @ weight - Y[rows]
    return np.exp(scale) * np.sum(error**2), np.exp(scale) * 2 * x.T @ error


@pytest.mark.parametrize(("first", "parts"), [(0, 3), (1, 2), (2, 1)])
def test_the_parts_asked_for_are_added_up(first, parts):
    (loss, (by_scale, by_weight)), one = sums([True] * 4, first, parts)
    assert loss.shape == (4, parts) and by_weight.shape == (4, parts, COLUMNS)
    for run in range(4):
        for part in range(parts):
            value, slope = truth(run / 4, WEIGHTS[run], first + part)
            np.testing.assert_allclose(loss[run, part], value, rtol=1e-5)
            np.testing.assert_allclose(by_scale[run, part], value, rtol=1e-5)
            np.testing.assert_allclose(by_weight[run, part], slope, rtol=1e-4, atol=1e-3)
        alone = one(jnp.float32(run / 4), jnp.asarray(WEIGHTS[run]), jnp.asarray(True))
        for mine, beside in zip(jax.tree.leaves(alone), jax.tree.leaves((loss, (by_scale, by_weight))), strict=True):
            assert np.asarray(mine).tobytes() == np.asarray(beside[run]).tobytes()


def test_nothing_is_added_for_a_run_that_is_not_alive():
    every, _ = sums([True] * 4, 0, PARTS)
    some, _ = sums([True, False, True, False], 0, PARTS)
    for mine, all_of_them in zip(jax.tree.leaves(some), jax.tree.leaves(every), strict=True):
        assert not np.asarray(mine[1::2]).any() and np.array_equal(mine[::2], all_of_them[::2])


def test_what_the_kernel_does_not_know_has_no_plan():
    assert planned(lambda weight, rows: jnp.sort(rows[0] @ weight), WEIGHTS[0], BLOCK) is None
