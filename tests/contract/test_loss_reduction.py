"""Around every loss alike: weights, masks, class weights, smoothed labels and denominators, against plain arithmetic in NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from downslope.core.about import Task
from downslope.core.errors import BadData, BadShape, IncompatiblePair, OutOfRange, UnknownName
from downslope.core.examples import reduced
from downslope.losses import BinaryCrossEntropy, CrossEntropy, Hinge, KullbackLeiblerDivergence, Poisson, SquaredError, catalogue

N = 12
REDUCTIONS = ("mean_over_weights", "mean_over_count", "sum", "none")


@pytest.fixture(scope="module", params=catalogue.names)
def loss(request):
    """One loss of the catalogue after another."""
    return catalogue[request.param]()


def batch(loss, seed=0):
    """Scores, targets, weights (two of them 0) and a mask that leaves out three."""
    rng = np.random.default_rng(seed)
    outputs = loss.outputs(4)
    raw = rng.normal(size=(N,) if outputs == 1 else (N, outputs)).astype(np.float32)
    if loss.about.task is Task.MULTICLASS:
        target = rng.integers(0, 4, N).astype(np.int32)
    elif loss.about.task is Task.BINARY:
        target = rng.integers(0, 2, N).astype(np.float32)
    else:
        target = rng.gamma(2.0, 1.0, N).astype(np.float32) + np.float32(0.1)
    weight = rng.uniform(0.5, 3.0, N).astype(np.float32)
    weight[[2, 5]] = 0
    mask = np.ones(N, bool)
    mask[[1, 5, 9]] = False
    return raw, target, weight, mask


def spoiled(loss, raw, target, out):
    """The same with nonsense where examples are left out."""
    raw, target = raw.copy(), target.copy()
    raw[out] = np.array([np.inf, -np.inf, np.nan, 1e30], np.float32)[: out.sum()].reshape((-1,) + (1,) * (raw.ndim - 1))
    target[out] = -7 if target.dtype.kind == "i" else np.nan
    return raw, target


@jax.jit
def all_ways(loss, raw, target, weight, mask):
    """Every reduction, and the gradient of the usual one."""
    ways = {how: loss.reduce(raw, target, weight=weight, mask=mask, reduction=how) for how in REDUCTIONS}
    return ways, jax.grad(lambda scores: loss.reduce(scores, target, weight=weight, mask=mask))(raw)


def test_what_is_left_out_counts_for_nothing_whatever_it_holds(loss):
    raw, target, weight, mask = batch(loss)
    out = ~mask | (weight == 0)
    value = np.asarray(jax.jit(lambda r, t: loss(r, t))(raw, target), np.float64)
    heavy = np.where(mask, weight, 0).astype(np.float64)
    ways, gradient = all_ways(loss, *spoiled(loss, raw, target, out), weight, mask)
    np.testing.assert_allclose(ways["none"], value * heavy, rtol=1e-6)
    np.testing.assert_allclose(ways["sum"], (value * heavy).sum(), rtol=1e-5)
    np.testing.assert_allclose(ways["mean_over_weights"], (value * heavy).sum() / heavy.sum(), rtol=1e-5)
    np.testing.assert_allclose(ways["mean_over_count"], (value * heavy).sum() / mask.sum(), rtol=1e-5)
    gradient = np.asarray(gradient)
    assert (gradient[out] == 0).all()
    kept = jax.grad(lambda r: jnp.vdot(loss(r, target), heavy.astype(np.float32)))(raw)
    np.testing.assert_allclose(gradient[~out], np.asarray(kept)[~out] / heavy.sum(), rtol=1e-5, atol=1e-7)


def test_where_nothing_is_left_loss_and_gradient_are_zero(loss):
    raw, target, weight, mask = batch(loss)
    nonsense = spoiled(loss, np.full_like(raw, np.nan), target, np.arange(N) < 4)
    for heavy, left in ((weight, np.zeros_like(mask)), (np.zeros_like(weight), mask)):
        ways, gradient = all_ways(loss, *nonsense, heavy, left)
        assert all((np.asarray(way) == 0).all() for way in ways.values())
        assert (np.asarray(gradient) == 0).all()


def test_halves_are_rounded_once():
    raw, target, weight, mask = batch(SquaredError())
    for dtype in (jnp.bfloat16, jnp.float16):
        low = jnp.asarray(raw, dtype)
        ours = SquaredError().reduce(low, jnp.asarray(target, dtype), weight=weight, mask=mask)
        heavy = np.where(mask, weight, 0).astype(float)
        error = np.asarray(low, float) - np.asarray(jnp.asarray(target, dtype), float)
        exact = np.average(error**2, weights=heavy)
        assert ours.dtype == dtype
        assert abs(float(ours) - exact) <= 0.51 * 2.0 ** (np.floor(np.log2(exact)) + jnp.finfo(dtype).machep)


@pytest.mark.parametrize("entry", [name for name in catalogue.names if catalogue[name].about.task is not Task.REGRESSION])
def test_balanced_classes_weigh_the_same_together(entry):
    loss = catalogue[entry]()
    raw, target, _, _ = batch(loss, seed=3)
    table = dict(zip(np.unique(target), compute_class_weight("balanced", classes=np.unique(target), y=target), strict=True))
    each = np.array([table[label] for label in target])
    value = np.asarray(loss(raw, target), float)
    ours = jax.jit(lambda r, t: loss.reduce(r, t, class_weight="balanced"))(raw, target)
    np.testing.assert_allclose(ours, np.average(value, weights=each), rtol=1e-5)
    named = loss.reduce(raw, target, class_weight={int(label): weight for label, weight in table.items()})
    np.testing.assert_allclose(named, np.average(value, weights=each), rtol=1e-5)


def test_class_weights_and_sample_weights_multiply_and_unnamed_classes_weigh_one():
    loss = CrossEntropy()
    raw, target, weight, _ = batch(loss)
    value = np.asarray(loss(raw, target), float)
    each = weight * np.where(target == 1, 5.0, 1.0)
    assert float(loss.reduce(raw, target, weight=weight, class_weight={1: 5.0})) == pytest.approx(
        np.average(value, weights=each), rel=1e-5
    )
    silent = loss.reduce(np.where((target == 0)[:, None], np.nan, raw), target, class_weight=[0, 1, 1, 1])
    assert float(silent) == pytest.approx(value[target != 0].mean(), rel=1e-5), "a class of weight 0 is left out"


def test_balanced_means_the_weights_given():
    """Rows counted twice balance like rows written twice."""
    loss = BinaryCrossEntropy()
    raw, target, _, _ = batch(loss)
    times = np.arange(N) % 3
    twice = loss.reduce(np.repeat(raw, times), np.repeat(target, times), class_weight="balanced")
    assert float(loss.reduce(raw, target, weight=times, class_weight="balanced")) == pytest.approx(float(twice), rel=1e-5)


def test_a_soft_label_weighs_what_its_classes_weigh_on_average():
    raw, target, _, _ = batch(CrossEntropy())
    soft = np.random.default_rng(1).dirichlet(np.ones(4), N).astype(np.float32)
    table = np.array([1.0, 2.0, 3.0, 4.0])
    value = np.asarray(CrossEntropy()(raw, soft), float)
    ours = CrossEntropy().reduce(raw, soft, class_weight=table)
    assert float(ours) == pytest.approx(np.average(value, weights=soft @ table), rel=1e-5)


def test_smoothed_labels_are_a_mixture_with_the_uniform_one():
    """The loss is linear in the label, so smoothing it mixes the losses of all labels."""
    loss, amount = CrossEntropy(), 0.1
    raw, target, weight, _ = batch(loss)
    every = np.stack([np.asarray(loss(raw, np.full(N, label, np.int32)), float) for label in range(4)])
    own = every[target, np.arange(N)]
    exact = np.average((1 - amount) * own + amount * every.mean(axis=0), weights=weight)
    assert float(loss.reduce(raw, target, weight=weight, label_smoothing=amount)) == pytest.approx(exact, rel=1e-5)
    hot = np.eye(4, dtype=np.float32)[target]
    assert float(loss.reduce(raw, hot, weight=weight, label_smoothing=amount)) == pytest.approx(exact, rel=1e-5)
    raw, target, _, _ = batch(BinaryCrossEntropy())
    one, zero = (np.asarray(BinaryCrossEntropy()(raw, np.full(N, label, np.float32)), float) for label in (1, 0))
    exact = np.mean(np.where(target == 1, 0.95 * one + 0.05 * zero, 0.05 * one + 0.95 * zero))
    assert float(BinaryCrossEntropy().reduce(raw, target, label_smoothing=amount)) == pytest.approx(exact, rel=1e-5)


def test_smoothing_is_a_number_and_no_other_program():
    raw, target, _, _ = batch(CrossEntropy())
    together = jax.vmap(lambda amount: CrossEntropy().reduce(raw, target, label_smoothing=amount))(jnp.array([0.0, 0.1]))
    alone = [float(CrossEntropy().reduce(raw, target, label_smoothing=amount)) for amount in (None, 0.1)]
    np.testing.assert_allclose(together, alone, rtol=1e-5)


@pytest.mark.parametrize("entry", [name for name in catalogue.names if not catalogue[name].about.soft_labels])
def test_a_loss_without_soft_labels_refuses_to_smooth(entry):
    loss = catalogue[entry]()
    raw, target, _, _ = batch(loss)
    with pytest.raises(IncompatiblePair, match=f"{entry} takes no smoothed labels, for its targets are"):
        loss.reduce(raw, target, label_smoothing=0.1)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"weight": np.ones((N, 1))}, BadShape, r"weight must have the shape of the examples, \(12,\), got \(12, 1\)"),
        ({"mask": np.ones(1, bool)}, BadShape, "mask must have the shape"),
        ({"weight": -np.arange(N)}, BadData, "weight in row 1 is -1, expected a finite weight of at least 0"),
        ({"weight": np.full(N, np.nan)}, BadData, "weight in row 0 is nan"),
        ({"class_weight": "even"}, UnknownName, "class_weight must be 'balanced' or a weight for each class, got 'even'"),
        ({"class_weight": {7: 1.0}}, UnknownName, "class_weight names the class 7; there are only the indices 0 to 3"),
        ({"class_weight": [1.0, 2.0]}, BadShape, r"one weight for each of 4 classes, got the shape \(2,\)"),
        ({"class_weight": [1.0, 2.0, 3.0, -4.0]}, BadData, "class_weight: weight in row 3 is -4"),
        ({"label_smoothing": 1.0}, OutOfRange, "label_smoothing must be one number of at least 0 and below 1, got 1.0"),
        ({"label_smoothing": -0.1}, OutOfRange, "at least 0"),
    ],
)
def test_what_makes_no_sense_is_refused(options, error, words):
    raw, target, _, _ = batch(CrossEntropy())
    with pytest.raises(error, match=words):
        CrossEntropy().reduce(raw, target, **options)


def test_a_denominator_must_have_a_name():
    with pytest.raises(UnknownName, match="unknown reduction 'mean'; known: mean_over_count, mean_over_weights, none, sum"):
        reduced(jnp.ones(2), jnp.ones(2), "mean")


def test_regression_has_no_classes():
    with pytest.raises(IncompatiblePair, match="poisson is a loss for regression targets, which have no classes"):
        Poisson().reduce(jnp.zeros(3), jnp.ones(3), class_weight="balanced")


def test_a_masked_soft_label_may_be_nonsense():
    raw = np.zeros((2, 3), np.float32)
    soft = np.array([[1, 0, 0], [np.nan, -5, 9]], np.float32)
    for loss in (CrossEntropy(), KullbackLeiblerDivergence()):
        value, slope = jax.value_and_grad(lambda r, loss=loss: loss.reduce(r, soft, mask=np.array([True, False])))(raw)
        assert float(value) == pytest.approx(np.log(3), rel=1e-6)
        assert np.isfinite(slope).all() and (np.asarray(slope)[1] == 0).all()


def test_weights_of_zero_in_a_hinge_are_not_looked_at():
    assert float(Hinge().reduce(jnp.array([0.5, 0.0]), jnp.array([1, -1]), weight=jnp.array([2.0, 0.0]))) == 0.5
