"""Every loss in the catalogue keeps the contract: right to the last digits, differentiable, strict about shapes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from loss_itself import by_itself, differences
from loss_points import every_setting, off, points, truths, value_and_gradient
from loss_truth import FORMULAS, along
from scipy.optimize import minimize

from downslope.core.about import AboutLoss, Task
from downslope.core.errors import BadShape, OutOfRange
from downslope.losses import catalogue
from downslope.losses.base import Loss

HALVES = {"bfloat16": jnp.bfloat16, "float16": jnp.float16}


@pytest.fixture(scope="module", params=catalogue.names)
def loss(request):
    """One class of the catalogue after another."""
    return catalogue[request.param]


@pytest.fixture(scope="module", params=[name for name in catalogue.names if name in FORMULAS])
def proven(request):
    """One class after another whose formula is written down to fifty digits."""
    return catalogue[request.param]


def exactly(loss, where):
    """The truth at some points: from the loss's formula to fifty digits, or by itself until there is one."""
    return truths(loss.name, where) if loss.name in FORMULAS else by_itself(loss, where)


def test_a_careless_formula_without_a_truth_is_noticed():
    """By itself in twice the digits, as long as nobody has written its formula to fifty: rounding shows all the same."""

    class Careless(Loss):
        about = AboutLoss(title="", equation="", source=None, task=Task.BINARY, target="0 or 1", lowest=0.0, highest=1.0)

        def __call__(self, raw, target):
            return jnp.log(1 + jnp.exp((1 - 2 * target) * raw))

        def best_constant(self, target, weight=None, classes=None):
            return np.zeros(1)

    value, _ = worst(Careless, np.float32, 300, seed=1)
    assert value.max() > 1000
    assert worst(catalogue["binary_cross_entropy"], np.float32, 300, seed=1)[0].max() <= 4


def run(loss, where, dtype=np.float32):
    """Our value and gradient at some points, as float64 NumPy arrays."""
    target = where.target if where.target.dtype.kind == "i" else jnp.asarray(where.target, dtype)
    record = loss(**{name: jnp.asarray(v, jnp.promote_types(dtype, np.float32)) for name, v in where.settings.items()})
    value, gradient = value_and_gradient(record, jnp.asarray(where.raw, dtype), target)
    assert value.dtype == gradient.dtype == dtype
    return np.asarray(value, np.float64), np.asarray(gradient, np.float64)


def worst(loss, dtype, count, seed):
    """The largest errors of value and gradient, and how many of each were counted."""
    found = []
    for where in points(loss, count, dtype, seed):
        value, gradient = run(loss, where, dtype)
        exact = exactly(loss, where)
        found.append(
            (
                off(value, exact.value, exact.value_rest, exact.value_size, dtype),
                off(gradient, exact.gradient, exact.gradient_rest, exact.gradient_size, dtype),
            )
        )
    return [np.concatenate(part) for part in zip(*found, strict=True)]


def test_what_is_offered_by_default_has_a_formula_of_its_own():
    """A loss without one may be tried by whoever asks for it, and its page says that it is unverified."""
    assert {name for name in catalogue if catalogue[name].about.default} <= set(FORMULAS) <= set(catalogue)


def test_float32_is_right_to_the_last_digits(loss):
    value, gradient = worst(loss, np.float32, 2600, seed=1)
    assert min(len(value), len(gradient)) >= 2000
    assert value.max() <= loss.about.ulp
    assert gradient.max() <= loss.about.ulp


def test_float64_is_right_to_the_last_digits(proven):
    with jax.enable_x64(True):
        value, gradient = worst(proven, np.float64, 400, seed=2)
    assert value.max() <= 16
    assert gradient.max() <= 16


@pytest.mark.parametrize("half", HALVES)
def test_half_precision_is_rounded_once(loss, half):
    """Within one unit of the format's last place, of the largest term where terms cancel, from the truth at rounded scores."""
    dtype = HALVES[half]
    top, low = float(jnp.finfo(dtype).max), float(jnp.finfo(dtype).tiny)
    for where in points(loss, 200, np.float32, seed=3):
        raw = np.asarray(jnp.asarray(where.raw, dtype), np.float32)
        target = where.target if where.target.dtype.kind == "i" else np.asarray(jnp.asarray(where.target, dtype), np.float32)
        rounded = type(where)(where.settings, raw, target)
        exact = exactly(loss, rounded)
        sizes = (exact.value, exact.value_size), (exact.gradient, exact.gradient_size)
        for ours, (true, size) in zip(run(loss, rounded, dtype), sizes, strict=True):
            inside = (size < top) & (np.abs(true) > low)
            unit = 2.0 ** (np.floor(np.log2(size[inside])) + jnp.finfo(dtype).machep)
            assert (np.abs(ours[inside] - true[inside]) <= unit).all()


def test_eager_and_compiled_agree(loss):
    where = points(loss, 60, np.float32, seed=4)[0]
    record = loss(**where.settings)
    compiled, _ = run(loss, where)
    eager = np.asarray(record(jnp.asarray(where.raw), jnp.asarray(where.target)), np.float64)
    exact = exactly(loss, where)
    for value in (compiled, eager):
        assert off(value, exact.value, exact.value_rest, exact.value_size, np.float32).max() <= loss.about.ulp


def smooth_points(loss, count):
    """A few points per setting away from kinks, moderate in size."""
    rng = np.random.default_rng(5)
    for where in points(loss, 40, np.float64, seed=5):
        raw = rng.normal(size=where.raw.shape) * 2 + 0.1234
        rows = np.arange(min(count, len(raw)))
        yield where, raw[rows], where.target[rows] if where.target.dtype.kind == "i" else np.clip(where.target[rows], -30, 30)


@jax.jit
def five_derivatives(record, raw, target, direction):
    """The slope along a direction forward, the gradient in reverse, and the curvature by three mixed ways."""

    def total(scores):
        return record(scores, target).sum()

    def slope(scores):
        return jax.jvp(total, (scores,), (direction,))[1]

    def reversed_slope(scores):
        return jnp.vdot(jax.grad(total)(scores), direction)

    return (
        jax.jvp(lambda scores: record(scores, target), (raw,), (direction,))[1],
        jax.grad(total)(raw),
        jax.jvp(jax.grad(total), (raw,), (direction,))[1],
        jax.grad(slope)(raw),
        jax.grad(reversed_slope)(raw),
    )


def slopes_along(loss, where, raw, target, direction):
    """First and second derivative of each example along a direction, and how near ours should come."""
    if loss.name not in FORMULAS:
        return *differences(loss, where.settings, raw, target, direction), 1e-6
    rows, ways = raw.reshape(len(raw), -1), direction.reshape(len(raw), -1)
    lines = [along(loss.name, where.settings, r, t, d) for r, t, d in zip(rows, target.tolist(), ways, strict=True)]
    return *np.array(lines, dtype=float).T, 1e-12


def test_derivatives_agree_forward_reverse_and_by_differences(loss):
    rng = np.random.default_rng(6)
    with jax.enable_x64(True):
        for where, raw, target in smooth_points(loss, 8):
            record = loss(**{name: jnp.float64(v) for name, v in where.settings.items()})
            direction = rng.normal(size=raw.shape)

            per_example, gradient, *seconds = map(np.asarray, five_derivatives(record, raw, target, direction))
            first, second, near = slopes_along(loss, where, raw, target, direction)
            size = np.abs(gradient * direction).reshape(len(raw), -1).max(axis=1) + 1e-12
            np.testing.assert_array_less(np.abs(per_example - first), near * (size + 1))
            np.testing.assert_array_less(np.abs((gradient * direction).reshape(len(raw), -1).sum(1) - first), near * (size + 1))
            for curvature in seconds:
                found = (curvature * direction).reshape(len(raw), -1).sum(axis=1)
                np.testing.assert_allclose(found, second, rtol=1e3 * near, atol=1e3 * near)


def test_no_score_breaks_it(loss):
    """Finite wherever the truth is, and never `not a number`, up to scores of 1e4 and at the edges of the domain."""
    for where in points(loss, 100, np.float32, seed=7):
        raw = np.where(np.random.default_rng(8).random(where.raw.shape) < 0.5, np.float32(1e4), np.float32(-1e4))
        at_edge = type(where)(where.settings, raw, where.target)
        value, gradient = run(loss, at_edge)
        exact = exactly(loss, at_edge)
        for ours, true in ((value, exact.value), (gradient, exact.gradient)):
            assert not np.isnan(ours).any()
            assert np.isfinite(ours)[np.abs(true) < 1e38].all()


def test_a_perfect_prediction_costs_what_it_should(loss):
    if loss.about.perfect is None:
        pytest.skip("the loss of a perfect prediction depends on the target")
    for setting in every_setting(loss, np.float32):
        record = loss(**setting)
        if loss.about.task is Task.MULTICLASS:
            raw, target = jnp.eye(4) * 2e4 - 1e4, jnp.arange(4)
        elif loss.about.task is Task.BINARY:
            raw, target = jnp.array([1e4, -1e4]), jnp.array([1, 0])
        else:
            target = jnp.array([0.5, 3.0, 1e3])
            raw = {"identity": target, "expm1": jnp.log1p(target), "exp": jnp.log(target)}[loss.about.link]
        assert np.asarray(record(raw, target)) == pytest.approx(loss.about.perfect, abs=1e-12)
        assert (np.asarray(record(raw[::-1], target))[0] > loss.about.perfect).all()


def sample(loss, seed=9):
    """A target of forty examples and their weights, one of them zero."""
    rng = np.random.default_rng(seed)
    weight = rng.integers(0, 4, 40).astype(float)
    weight[0] = 0
    if loss.about.task is Task.MULTICLASS:
        return rng.choice(3, 40, p=[0.2, 0.7, 0.1]), weight
    if loss.about.task is Task.BINARY:
        return (rng.random(40) < 0.3).astype(float), weight
    return (rng.gamma(2.0, 2.0, 40) + 0.1 if np.isfinite(loss.about.lowest) else rng.standard_t(3, 40)), weight


@jax.jit
def at_constant(record, target, weight, constant):
    """The weighted sum of losses when every example gets the same scores."""
    raw = jnp.broadcast_to(constant, (len(target), len(constant)))
    return jnp.vdot(record(raw if len(constant) > 1 else raw[:, 0], target), weight)


def mean_loss(record, target, weight, constant):
    """The weighted mean loss when every example gets the same scores."""
    weight = np.ones(len(target)) if weight is None else weight
    return float(at_constant(record, target, weight, np.asarray(constant, float))) / weight.sum()


@pytest.mark.parametrize("weighted", [False, True])
def test_the_best_constant_is_a_minimum(loss, weighted):
    target, weight = sample(loss)
    weight = weight if weighted else None
    with jax.enable_x64(True):
        for setting in every_setting(loss, np.float64):
            record = loss(**{name: jnp.float64(value) for name, value in setting.items()})
            best = record.best_constant(target, weight, classes=3)
            assert best.shape == (record.outputs(3),) and best.dtype == np.float64
            reached = mean_loss(record, target, weight, best)
            starts = [best, best + 0.3, best * 0.5 + np.linspace(-0.1, 0.2, len(best))]

            def cost(constant, record=record):
                return mean_loss(record, target, weight, constant)

            searched = [minimize(cost, start, method="Nelder-Mead").fun for start in starts]
            assert reached <= min(searched) + 1e-9 * abs(reached)


def test_weights_count_like_repeated_rows(loss):
    target, weight = sample(loss, seed=10)
    repeated = np.repeat(target, weight.astype(int))
    classes = 3 if loss.about.task is Task.MULTICLASS else None
    weighted = loss().best_constant(target, weight, classes)
    np.testing.assert_allclose(weighted, loss().best_constant(repeated, None, classes), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(weighted, loss().best_constant(target, weight * 7, classes), rtol=1e-9, atol=1e-12)


def test_a_target_of_one_value_has_a_finite_best_constant(loss):
    for value in (0, 1):
        target = np.full(12, value, dtype=int if loss.about.task is Task.MULTICLASS else float)
        if loss.about.open_ends:
            target = target + 0.5
        assert np.isfinite(loss().best_constant(target, None, 3)).all()


def test_nothing_is_broadcast(loss):
    record, n = loss(), 4
    outputs = 3 if loss.about.task is Task.MULTICLASS else record.outputs()
    good = (n,) if outputs == 1 else (n, outputs)
    whole = jnp.int32 if loss.about.task is Task.MULTICLASS else jnp.float32
    assert record(jnp.zeros(good), jnp.ones(n, whole)).shape == (n,)
    wrong = [
        ((n, 1), (n,)),
        ((n,), (n, 1)),
        ((n,), (1,)),
        ((1,), (n,)),
        ((n, 1, outputs), (n,)),
        ((), (n,)),
        ((n, outputs), (1,)),
        (good, ()),
    ]
    for raw, target in wrong:
        with pytest.raises(BadShape, match=f"{loss.name}.*reshape"):
            jax.eval_shape(record, jnp.zeros(raw), jnp.ones(target, whole))


def test_a_setting_that_holds_many_values_is_not_broadcast(loss):
    for name, setting in loss.settings().items():
        if setting.kind == "hyper":
            record = loss(**{name: jnp.full(4, getattr(loss(), name))})
            raw = jnp.zeros((4, 3) if loss.about.task is Task.MULTICLASS else 4)
            with pytest.raises(BadShape, match="vmap"):
                record(raw, jnp.zeros(4, jnp.int32))


def test_a_setting_out_of_bounds_is_refused(loss):
    for name, setting in loss.settings().items():
        if setting.kind != "hyper":
            continue
        beyond = [b - 1 for b in (setting.above, setting.at_least) if b is not None]
        beyond += [b + 1 for b in (setting.below, setting.at_most) if b is not None]
        beyond += [b for b in (setting.above, setting.below) if b is not None]
        for value in [*beyond, float("nan"), float("inf")]:
            with pytest.raises(OutOfRange, match=f"{loss.name}: {name} must be"):
                loss(**{name: value})


def test_a_search_range_lies_inside_the_bounds(loss):
    for name, setting in loss.settings().items():
        if setting.search is not None:
            assert setting.search.low < setting.search.high
            assert setting.allows([setting.search.low, setting.search.high, getattr(loss(), name)])
        assert setting.doc.endswith(".")


def test_another_value_is_no_other_program(loss):
    traces = []

    @jax.jit
    def total(record, raw, target):
        traces.append(record.name)
        return record(raw, target).sum()

    where = points(loss, 40, np.float32, seed=11)[0]
    for setting in every_setting(loss, np.float32):
        total(loss(**{name: jnp.float32(v) for name, v in setting.items()}), where.raw, where.target)
    assert traces == [loss.name]


def test_lanes_equal_single_runs(loss):
    settings = every_setting(loss, np.float32)
    where = points(loss, 200, np.float32, seed=12)[0]
    lanes = loss(**{name: jnp.array([s[name] for s in settings], jnp.float32) for name in settings[0]})
    together = np.asarray(jax.jit(jax.vmap(lambda record: record(where.raw, where.target), axis_size=len(settings)))(lanes))
    for lane, setting in zip(together, settings, strict=True):
        alone = run(loss, type(where)(setting, where.raw, where.target))[0]
        np.testing.assert_allclose(lane, alone, rtol=2e-6, atol=1e-30)


def test_example_by_example_equals_the_batch(loss):
    where = points(loss, 60, np.float32, seed=13)[0]
    alone = jax.jit(jax.vmap(lambda r, t: loss()(r[None], t[None])[0]))(where.raw, where.target)
    np.testing.assert_allclose(alone, run(loss, where)[0], rtol=1e-6, atol=1e-30)


def test_the_declared_shape_is_the_real_one(loss):
    """Convex where it says so, by midpoints; where it says otherwise some midpoint lies above."""
    rng = np.random.default_rng(14)
    bulge = []
    with jax.enable_x64(True):
        for where in points(loss, 200, np.float64, seed=14):
            record = loss(**{name: jnp.float64(v) for name, v in where.settings.items()})
            target = where.target
            a, b = (rng.normal(size=where.raw.shape) * scale for scale in (3, 8))
            at = [np.asarray(value_and_gradient(record, x, target)[0]) for x in (a, b, (a + b) / 2)]
            bulge.append(at[2] - (at[0] + at[1]) / 2 - 1e-12 * (np.abs(at[0]) + np.abs(at[1])))
    assert (np.concatenate(bulge).max() <= 0) == loss.about.convex


def test_it_says_what_it_is(loss):
    about = loss.about
    assert about.title and about.equation and about.aims_at and about.target
    assert about.source.url.startswith("https://") and about.source.title and about.source.authors
    assert about.differs and all(text.endswith(".") for text in about.differs.values())
    assert loss.__doc__ and "Not " in loss.__doc__ and ">>>" in loss.__doc__
    assert about.probabilities <= (about.link in ("sigmoid", "softmax"))


def test_names_are_file_names_and_no_two_are_alike():
    taken = [*catalogue.names, *(alias for name in catalogue.names for alias in catalogue[name].about.aliases)]
    assert len(taken) == len(set(taken))
    for name in catalogue.names:
        assert catalogue[name].__name__.lower() == name.replace("_", "")
        assert catalogue.find(name) is catalogue[name]


@pytest.mark.parametrize("task", list(Task))
def test_every_task_has_defaults(task):
    assert [name for name in catalogue.names if catalogue[name].about.task is task and catalogue[name].about.default]
