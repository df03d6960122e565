"""Many classes and many leaves: sums that keep their digits, and functions that are traced once."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from downslope.core import exact, tree
from downslope.core.cross_entropy import cross_entropy
from downslope.optimizers import Adam


def hard_rows(classes, rng):
    """Scores of any width: nearly equal, far apart, one above many equal ones (whose rounding errors agree), one certain."""
    rows = [rng.normal(size=classes) * width for width in (0.01, 1.0, 8.0)]
    rows += [np.where(np.arange(classes) == 1, height, 0.0) for height in rng.uniform(0, 12, 3)]
    rows += [np.where(np.arange(classes) == 0, height, rng.normal(size=classes)) for height in (15.0, 40.0)]
    return np.array(rows, np.float32)


@pytest.mark.parametrize("classes", [17, 33, 129, 1000, 6000])
def test_every_digit_with_many_classes(classes):
    """Beside sums in float64, whose own error is invisible here."""
    raw = hard_rows(classes, np.random.default_rng(classes))
    label = np.zeros(len(raw), np.int32)
    value, back = jax.vjp(lambda r: cross_entropy(r, label), jnp.asarray(raw))
    (gradient,) = back(jnp.ones_like(value))
    for row, ours, slopes in zip(raw.astype(float), np.asarray(value, float), np.asarray(gradient, float), strict=True):
        share = np.exp(row - row.max())
        others = math.fsum(share[1:])
        exact_value = (row.max() - row[0]) + math.log1p(others + (share[0] - 1))
        slope = np.array([-others, *share[1:]]) / (others + share[0])
        assert abs(ours - exact_value) <= 4 * np.spacing(np.float32(exact_value))
        assert (np.abs(slopes - slope) <= 4 * np.spacing(np.abs(slope).astype(np.float32))).all()


@pytest.mark.parametrize("count", [1, 32, 33, 40, 512, 1001])
def test_a_sum_of_shares_is_exact(count):
    share = np.random.default_rng(count).uniform(size=(3, count)).astype(np.float32)
    total, lost = jax.jit(exact.added)(share)
    truth = [math.fsum(map(float, row)) for row in share]
    np.testing.assert_allclose(np.asarray(total, float) + np.asarray(lost, float), truth, rtol=2e-9)


def test_equal_leaves_share_one_trace():
    traced = []

    def double(leaf):
        traced.append(leaf.shape)
        return 2 * leaf

    params = [jnp.ones(3)] * tree.MANY + [jnp.ones((2, 2))] * 2
    doubled = jax.jit(lambda params: tree.map(double, params))(params)
    assert sorted(traced) == [(2, 2), (3,)]
    assert all((leaf == 2).all() for leaf in doubled)


def test_a_shared_trace_changes_no_bit(monkeypatch):
    rng = np.random.default_rng(0)
    adam, params = Adam(learning_rate=0.01), [jnp.asarray(rng.normal(size=5), jnp.float32) for _ in range(tree.MANY)]
    shared = jax.jit(adam.update)(params, adam.init(params))
    monkeypatch.setattr(tree, "MANY", len(params) + 1)
    jax.clear_caches()
    apart = jax.jit(adam.update)(params, adam.init(params))
    pairs = zip(jax.tree.leaves(shared), jax.tree.leaves(apart), strict=True)
    assert all(np.asarray(a).tobytes() == np.asarray(b).tobytes() for a, b in pairs)
