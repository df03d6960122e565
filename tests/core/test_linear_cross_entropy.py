"""Cross-entropy in bounded memory: the digits of the plain composition, a fraction of its memory."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from downslope.core.errors import BadData, BadShape
from downslope.losses import CrossEntropy, linear_cross_entropy

BATCH, INPUTS, CLASSES = 23, 5, 17


def problem(seed=0):
    """Features, weights, labels, bias and sample weights, one of them 0."""
    rng = np.random.default_rng(seed)
    x, w = rng.normal(size=(BATCH, INPUTS)), rng.normal(size=(INPUTS, CLASSES))
    heavy = rng.uniform(0.5, 2.0, BATCH)
    heavy[4] = 0
    labels = rng.integers(0, CLASSES, BATCH).astype(np.int32)
    return *(a.astype(np.float32) for a in (x, w)), labels, *(a.astype(np.float32) for a in (rng.normal(size=CLASSES), heavy))


def by_hand(x, w, labels, bias, heavy):
    """Mean and its slopes in float64."""
    x, w, bias, heavy = (np.asarray(a, np.float64) for a in (x, w, bias, heavy))
    raw = x @ w + bias
    log_p = raw - np.log(np.exp(raw).sum(axis=1, keepdims=True))
    share = heavy / heavy.sum()
    each = -log_p[np.arange(len(x)), labels]
    slope = (np.exp(log_p) - np.eye(w.shape[1])[labels]) * share[:, None]
    value = share @ each
    return value, (slope @ w.T, x.T @ slope, slope.sum(axis=0), (each - value) / heavy.sum())


def ours(x, w, labels, bias, heavy, rows=None):
    return linear_cross_entropy(x, w, labels, bias=bias, sample_weight=heavy, rows=rows)


@pytest.mark.parametrize("rows", [None, 1, 7, 23, 100])
def test_value_and_gradients_are_right_however_the_examples_are_cut(rows):
    given = problem()
    value, slopes = jax.jit(jax.value_and_grad(lambda *a: ours(*a, rows=rows), (0, 1, 3, 4)))(*given)
    exact, exact_slopes = by_hand(*given)
    assert float(value) == pytest.approx(exact, rel=2e-7)
    kept = given[4] > 0
    for found, true in zip(slopes[:3], exact_slopes[:3], strict=True):
        np.testing.assert_allclose(found, true, rtol=2e-6, atol=2e-7)
    np.testing.assert_allclose(np.asarray(slopes[3])[kept], exact_slopes[3][kept], rtol=1e-5, atol=1e-7)


def test_it_equals_the_plain_composition_without_bias_and_weights():
    x, w, labels, _, _ = problem(1)
    mine = jax.value_and_grad(lambda x, w: linear_cross_entropy(x, w, labels, rows=8), (0, 1))(x, w)
    plain = jax.value_and_grad(lambda x, w: CrossEntropy().reduce(x @ w, labels), (0, 1))(x, w)
    for a, b in zip(jax.tree.leaves(mine), jax.tree.leaves(plain), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-8)


def test_a_confident_example_keeps_its_digits():
    x, w = np.ones((2, 1), np.float32), np.array([[20.0, 0.0]], np.float32)
    value = linear_cross_entropy(x, w, jnp.array([0, 0]))
    assert float(value) == pytest.approx(float(np.log1p(np.exp(-20.0))), rel=1e-6)


def test_what_has_no_weight_counts_for_nothing():
    x, w, labels, bias, heavy = problem()
    clean = jax.value_and_grad(lambda x: ours(x, w, labels, bias, heavy, 7))(x)
    x[4], labels[4] = np.nan, -3
    value, slope = jax.value_and_grad(lambda x: ours(x, w, labels, bias, heavy, 7))(x)
    assert float(value) == float(clean[0])
    np.testing.assert_array_equal(slope, clean[1])
    nothing = jax.value_and_grad(lambda x, w: ours(x, w, labels, bias, np.zeros_like(heavy), 7), (0, 1))(x * np.nan, w)
    assert all((np.asarray(leaf) == 0).all() for leaf in jax.tree.leaves(nothing))


def test_lanes_and_a_factor_behind_it():
    x, _, labels, _, _ = problem()
    lanes = np.random.default_rng(2).normal(size=(3, INPUTS, CLASSES)).astype(np.float32)

    def twice(w):
        return 2 * linear_cross_entropy(x, w, labels, rows=8)

    together = jax.jit(jax.vmap(jax.value_and_grad(twice)))(lanes)
    for lane, w in enumerate(lanes):
        exact, slopes = by_hand(x, w, labels, np.zeros(CLASSES), np.ones(BATCH))
        assert float(together[0][lane]) == pytest.approx(2 * exact, rel=1e-6)
        np.testing.assert_allclose(together[1][lane], 2 * slopes[1], rtol=1e-5, atol=1e-6)


def test_halves_are_computed_in_single_precision():
    x, w, labels, bias, heavy = problem()
    low = [jnp.asarray(a, jnp.bfloat16) for a in (x, w)]
    value = ours(*low, labels, bias, heavy)
    exact, _ = by_hand(*(np.asarray(a, np.float64) for a in low), labels, bias, heavy)
    assert value.dtype == jnp.bfloat16
    assert abs(float(value) - exact) <= 0.51 * 2.0 ** (np.floor(np.log2(exact)) - 7)


def test_memory_is_a_quarter_of_the_plain_composition_s():
    shapes = [jax.ShapeDtypeStruct(shape, np.float32) for shape in ((8192, 512), (512, 50_000), (50_000,))]
    labels = jax.ShapeDtypeStruct((8192,), np.int32)

    def needed(formula):
        needs = jax.jit(jax.value_and_grad(formula, (0, 1, 2))).lower(*shapes, labels).compile().memory_analysis()
        return needs.argument_size_in_bytes + needs.output_size_in_bytes + needs.temp_size_in_bytes

    mine = needed(lambda x, w, b, y: linear_cross_entropy(x, w, y, bias=b))
    shortest = needed(
        lambda x, w, b, y: (
            jax.nn.logsumexp(x @ w + b[None], axis=-1) - jnp.take_along_axis(x @ w + b[None], y[:, None], axis=-1)[:, 0]
        ).mean()
    )
    assert mine <= shortest / 4


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ((np.zeros(3), np.zeros((3, 2)), np.zeros(3, int)), BadShape, r"features \(batch, inputs\).*got \(3,\), \(3, 2\)"),
        ((np.zeros((4, 3)), np.zeros((2, 3)), np.zeros(4, int)), BadShape, r"got \(4, 3\), \(2, 3\)"),
        ((np.zeros((4, 3)), np.zeros((3, 2)), np.zeros(3, int)), BadShape, r"and \(3,\)"),
        (
            (np.zeros((2, 3)), np.zeros((3, 2)), np.array([1, 2])),
            BadData,
            "label in row 1 is 2, expected a class index from 0 to 1",
        ),
    ],
)
def test_what_does_not_fit_is_refused(arguments, error, words):
    with pytest.raises(error, match=words):
        linear_cross_entropy(*arguments)


def test_a_bias_has_one_number_for_each_class():
    with pytest.raises(BadShape, match=r"bias of the shape \(2,\), got \(3,\)"):
        linear_cross_entropy(np.zeros((2, 3)), np.zeros((3, 2)), np.zeros(2, int), bias=np.zeros(3))
