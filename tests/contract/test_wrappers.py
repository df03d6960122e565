"""What stands around any optimizer: joined batches, clipped gradients, averaged parameters. In float64, against formulas."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from downslope import schedules
from downslope.core.errors import BadShape, IncompatiblePair, OutOfRange, UnknownName
from downslope.optimizers import catalogue
from downslope.optimizers.base import Here, gradients_per_step, learning_rate, searching, takes_all_rows, with_learning_rate

WRAPPERS = [name for name in catalogue if "optimizer" in catalogue[name].settings()]


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


def make(text):
    return catalogue.parse(text)


ROWS = 24
X = np.sin(1.0 + 12.9898 * np.arange(ROWS * 3)).reshape(ROWS, 3)
Y = np.cos(78.233 * np.arange(ROWS))
WEIGHT = np.array([1.0, 0.5, 3.0, 0.0, 2.0, 1.0] * 4)
WEIGHT[6:12] = 0.0  # a whole small batch that weighs nothing


def cost(params, x, y, weight):
    """Weighted mean squared error, 0 where nothing weighs anything, plus a penalty, as the engine has it."""
    total = jnp.sum(weight)
    share = weight / jnp.where(total > 0, total, 1)
    error = x @ params["weight"] + params["bias"] - y
    return jnp.sum(share * error**2) + 0.05 * jnp.sum(params["weight"] ** 2)


def trained(optimizer, batches, rounds):
    """The parameters after several passes over the batches, each a tuple of x, y and weights."""
    params = {"weight": jnp.array([0.5, -1.0, 2.0]), "bias": jnp.array(0.3)}

    def step(carry, batch):
        params, state = carry
        look = jax.value_and_grad(lambda at: cost(at, *batch))
        loss, gradient = look(params)
        here = Here(loss, jax.random.key(0), look, jnp.sum(batch[2]))
        change, state = optimizer.update(gradient, state, params, here)
        return (jax.tree.map(jnp.add, params, change), state), None

    def one_pass(carry, _):
        return jax.lax.scan(step, carry, batches)

    (params, state), _ = jax.jit(lambda: jax.lax.scan(one_pass, (params, optimizer.init(params)), length=rounds))()
    return optimizer.evaluate_at(state, params)


def cut(parts):
    return tuple(jnp.asarray(part.reshape(parts, -1, *part.shape[1:])) for part in (X, Y, WEIGHT))


SINGLE = [name for name in catalogue if name not in WRAPPERS and gradients_per_step(catalogue[name]()) == 1]


@pytest.mark.parametrize("name", SINGLE)
def test_joined_batches_are_the_large_batch(name):
    """Four small batches of unequal weight, one of weight zero: the same parameters to rounding, for every optimizer."""
    optimizer = catalogue[name]()
    large = trained(optimizer, cut(1), 6)
    small = trained(catalogue["accumulate"](optimizer, steps=4), cut(4), 6)
    for ours, truth in zip(jax.tree.leaves(small), jax.tree.leaves(large), strict=True):
        np.testing.assert_allclose(ours, truth, rtol=1e-11, atol=1e-13)


def test_plain_means_would_be_noticed():
    """The test above can fail: without the weights the result is another one."""
    optimizer = catalogue["sgd"]()
    batches = cut(4)
    unweighted = catalogue["accumulate"](optimizer, steps=4)

    class Deaf:
        init, evaluate_at = unweighted.init, unweighted.evaluate_at

        @staticmethod
        def update(gradient, state, params, here):
            return unweighted.update(gradient, state, params, here._replace(weight=1.0))

    large, deaf = trained(optimizer, cut(1), 6), trained(Deaf, batches, 6)
    assert not np.allclose(large["weight"], deaf["weight"], rtol=1e-3)


def test_batches_that_weigh_nothing_leave_the_penalty():
    optimizer = catalogue["sgd"]()
    nothing = tuple(jnp.asarray(part) for part in (X[None], Y[None], 0 * WEIGHT[None]))
    halves = tuple(part.reshape(2, ROWS // 2, *part.shape[2:]) for part in nothing)
    large, small = trained(optimizer, nothing, 3), trained(catalogue["accumulate"](optimizer, steps=2), halves, 3)
    np.testing.assert_allclose(small["weight"], large["weight"], rtol=1e-13)
    assert float(small["bias"]) == float(large["bias"]) == 0.3


def test_nothing_moves_while_batches_are_gathered():
    joined = make("accumulate(adamw(weight_decay=0.5), steps=3)")
    params, state = jnp.ones((2, 2)), None
    state, moved = joined.init(params), []
    for _ in range(6):
        change, state = joined.update(jnp.ones((2, 2)), state, params)
        moved.append(bool(jnp.any(change != 0)))
    assert moved == [False, False, True] * 2


# Clipping

GRADIENT = {"big": np.array([3.0, -4.0]), "small": np.array([[0.3, 0.4]]), "none": np.zeros((0,)), "zero": np.zeros(2)}


def seen_through(wrapper):
    """What arrives at the optimizer inside: SGD at rate 1 turns it round."""
    change, _ = wrapper.update(GRADIENT, wrapper.init(GRADIENT), GRADIENT)
    return jax.tree.map(lambda leaf: -np.asarray(leaf), change)


def test_each_way_of_clipping():
    sgd = "sgd(learning_rate=1.0)"
    value, norm, whole = (seen_through(make(f"clip_by_{how}({sgd}, limit=1.0)")) for how in ("value", "norm", "global_norm"))
    np.testing.assert_array_equal(value["big"], [1.0, -1.0])
    np.testing.assert_allclose(norm["big"], [0.6, -0.8], rtol=1e-15)
    np.testing.assert_array_equal(value["small"], norm["small"])
    np.testing.assert_array_equal(norm["small"], [[0.3, 0.4]])  # shorter than the limit: not one bit changed
    length = np.sqrt(25.25)
    np.testing.assert_allclose(whole["big"], np.array([3.0, -4.0]) / length, rtol=1e-15)
    np.testing.assert_allclose(whole["small"], np.array([[0.3, 0.4]]) / length, rtol=1e-15)
    for each in (value, norm, whole):
        assert not each["zero"].any() and each["none"].shape == (0,)


def test_inside_sam_the_second_gradient_is_clipped_and_outside_the_first():
    """Why a comparison puts clipping directly around the optimizer that steps."""

    def look(x):
        return jnp.sum(x**4), 4 * x**3

    start = jnp.array([2.0])
    loss, gradient = look(start)
    here = Here(loss, jax.random.key(0), look)

    def change(text):
        optimizer = make(text)
        return float(optimizer.update(gradient, optimizer.init(start), start, here)[0][0])

    assert change("sam(clip_by_global_norm(sgd(1.0), limit=0.5), radius=0.1)") == -0.5
    assert change("clip_by_global_norm(sam(sgd(1.0), radius=0.1), limit=0.5)") == pytest.approx(-4 * 2.1**3)


# Averaging


def path_and_averages(wrapper, rates):
    def step(carry, rate):
        params, state = carry
        change, state = with_learning_rate(wrapper, rate).update(params * jnp.array([1.0, 0.1]), state, params)
        params = params + change
        return (params, state), (params, wrapper.evaluate_at(state, params))

    start = jnp.array([1.0, -2.0])
    return jax.lax.scan(step, (start, wrapper.init(start)), jnp.asarray(rates))[1]


RATES = 0.3 * (1 + np.sin(np.arange(40)))


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.97])
def test_exponential_averaging_is_its_weighted_sum(decay):
    points, seen = path_and_averages(make(f"exponential_averaging(momentum, decay={decay})"), RATES)
    for t in (1, 2, 17, 40):
        weights = decay ** np.arange(t - 1, -1, -1.0)
        np.testing.assert_allclose(seen[t - 1], weights @ np.asarray(points[:t]) / weights.sum(), rtol=1e-12)


@pytest.mark.parametrize("start", [0, 7])
def test_uniform_averaging_is_the_mean_of_what_came_after_its_start(start):
    points, seen = path_and_averages(make(f"uniform_averaging(momentum, start={start})"), RATES)
    for t in (1, 7, 8, 9, 40):
        mean = np.mean(points[start:t], axis=0) if t > start else points[t - 1]
        np.testing.assert_allclose(seen[t - 1], mean, rtol=1e-12)


@pytest.mark.parametrize("name", ["exponential_averaging", "uniform_averaging"])
def test_averaging_leaves_the_steps_alone_and_averages_where_the_inner_one_predicts(name):
    inner = catalogue["schedule_free_sgd"]()
    points, predicted = path_and_averages(inner, RATES)
    same, seen = path_and_averages(catalogue[name](inner), RATES)
    np.testing.assert_array_equal(points, same)
    weights = 0.99 ** np.arange(39, -1, -1.0) if name == "exponential_averaging" else np.ones(40)
    np.testing.assert_allclose(seen[-1], weights @ np.asarray(predicted) / weights.sum(), rtol=1e-12)


def test_uniform_averaging_takes_the_noise_away():
    """SGD on a noisy parabola at a constant rate: the mean of the path is far nearer to the minimum than its end."""
    noise = jax.random.normal(jax.random.key(1), (4000, 8))
    averaged = make("uniform_averaging(sgd(learning_rate=0.3), start=400)")

    def step(carry, kick):
        params, state = carry
        change, state = averaged.update(params + kick, state, params)
        return (params + change, state), None

    start = jnp.ones(8)
    (end, state), _ = jax.lax.scan(step, (start, averaged.init(start)), noise)
    assert jnp.linalg.norm(averaged.evaluate_at(state, end)) < 0.15 * jnp.linalg.norm(end)


# What a wrapper knows of what is inside


@pytest.mark.parametrize("name", WRAPPERS)
def test_wrappers_refuse_what_they_cannot_stand_around(name):
    if name.endswith("averaging"):
        catalogue[name](catalogue["lbfgs"]())
        return
    with pytest.raises(IncompatiblePair, match=f"{name} cannot stand around lbfgs"):
        catalogue[name](catalogue["lbfgs"]())


def test_batches_are_joined_inside_sam_and_not_around_it():
    with pytest.raises(IncompatiblePair, match="put accumulate inside it"):
        make("accumulate(clip_by_value(sam))")
    assert gradients_per_step(make("sam(accumulate(adam))")) == 2


def test_cost_batch_and_rate_are_those_of_all_parts_together():
    nest = make("uniform_averaging(sam(clip_by_norm(adam(learning_rate=0.25))))")
    assert gradients_per_step(nest) == 2 and not takes_all_rows(nest) and learning_rate(nest) == 0.25
    assert gradients_per_step(make("sam(sam(adam))")) == 3
    assert learning_rate(with_learning_rate(nest, 0.5)) == 0.5 and with_learning_rate(nest, 0.5).optimizer.radius == 0.05
    nest = make("exponential_averaging(lbfgs)")
    assert takes_all_rows(nest) and gradients_per_step(nest) is None
    assert takes_all_rows(make("clip_by_value(gradient_descent)"))
    assert int(searching(nest, nest.init(jnp.ones(2))).evaluations) == 0


@pytest.mark.parametrize("name", [name for name in catalogue if gradients_per_step(catalogue[name]()) is None])
def test_those_that_search_count_what_they_look_at(name):
    """Their state says how many gradients they were given and took, and how many updates that made. What the last search found
    where it ended is what the next update is given."""
    looks = []

    def valley(x):
        looks.append(1)
        return jnp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    optimizer, look = catalogue[name](), jax.value_and_grad(valley)
    params = jnp.array([-1.2, 1.0, 0.3])
    state, (loss, gradient) = optimizer.init(params), look(params)
    with jax.disable_jit():  # so that every look of a loop is a call
        for number in range(6):
            change, state = optimizer.update(gradient, state, params, Here(loss, jax.random.key(0), look))
            params = params + change
            assert (int(state.evaluations), int(state.step)) == (len(looks), number + 1)
            loss, gradient = state.ended
            np.testing.assert_allclose(loss, valley(params), rtol=1e-6)
            np.testing.assert_allclose(gradient, jax.grad(valley)(params), rtol=1e-4, atol=1e-4)
            del looks[-2:]
    assert len(looks) > 7, "one at the start, one for each update, and some more"


# Any number as a schedule's or a sweep's


def test_a_factor_reaches_any_setting_however_deep():
    nest = make("sam(adam(learning_rate=0.5, b1=0.8), radius=0.1)")
    half = nest.scaled(learning_rate=0.5, b1=0.25, radius=2.0)
    assert (half.optimizer.learning_rate, half.optimizer.b1, half.radius) == (0.25, 0.2, 0.2)
    assert half.optimizer.b2 == nest.optimizer.b2 and jax.tree.structure(half) == jax.tree.structure(nest)
    inner = make("exponential_averaging(rmsprop(decay=0.8), decay=0.9)").scaled(decay=0.5)
    assert (inner.decay, inner.optimizer.decay) == (0.9, 0.4)


def test_a_factor_for_what_is_not_there_or_may_not_change():
    with pytest.raises(UnknownName, match="unknown setting of adam 'b3'; did you mean"):
        make("adam").scaled(b3=0.5)
    for text, setting in (("adam", "epsilon_hat"), ("schedule_free_sgd", "b1"), ("accumulate", "steps")):
        with pytest.raises(OutOfRange, match=f"{setting} must stay the same during a run"):
            make(text).scaled(**{setting: 0.5})


def test_a_schedule_in_a_plain_loop_compiles_once():
    traced = []

    @jax.jit
    def run(optimizer, fall):
        traced.append(1)

        def step(carry, number):
            params, state = carry
            now = optimizer.scaled(learning_rate=fall(number, 20), momentum=fall(number, 20))
            change, state = now.update(params, state, params)
            return (params + change, state), None

        start = jnp.ones(2)
        return jax.lax.scan(step, (start, optimizer.init(start)), jnp.arange(20))[0][0]

    found = run(make("momentum(learning_rate=0.1, momentum=0.9)"), schedules.catalogue["linear"]())
    x = velocity = np.ones(2)
    velocity = 0 * x
    for number in range(20):
        factor = 1 - number / 20
        velocity = 0.9 * factor * velocity + x
        x = x - 0.1 * factor * velocity
    np.testing.assert_allclose(found, x, rtol=1e-12)
    run(make("momentum(learning_rate=0.2, momentum=0.5)"), schedules.catalogue["linear"](end=0.5))
    assert len(traced) == 1


def test_lanes_repeat_what_is_not_swept():
    rates = jnp.array([0.1, 0.2, 0.3])
    sweep = make("sam").replace(optimizer=catalogue["adam"](learning_rate=rates)).lanes()
    assert {leaf.shape for leaf in jax.tree.leaves(sweep)} == {(3,)}

    def train(optimizer):
        change, _ = optimizer.update(jnp.ones(2), optimizer.init(jnp.ones(2)))
        return change

    found = jax.vmap(train)(catalogue["adam"](learning_rate=rates).lanes())
    np.testing.assert_allclose(found, -rates[:, None] * np.ones((1, 2)), rtol=1e-6)


def test_lanes_need_one_length():
    for bad in ({}, {"learning_rate": jnp.ones(2), "b1": jnp.full(3, 0.9)}, {"learning_rate": jnp.ones((2, 2))}):
        with pytest.raises(BadShape, match="adam: a sweep needs arrays"):
            catalogue["adam"](**bad).lanes()
