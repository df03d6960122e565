"""Optimizers from elsewhere: any factory of a learning rate, optax's above all, does here what it does there."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from downslope import compare
from downslope.comparison import trial
from downslope.comparison.contender import contenders
from downslope.comparison.own import code, fingerprint, is_own
from downslope.core.about import Range, Task
from downslope.core.errors import IncompatiblePair, OutOfRange
from downslope.optimizers import Adam, Lion, catalogue
from downslope.optimizers.base import Here, gradients_per_step, with_learning_rate

RATES = np.float32([0.003, 0.03, 0.3])
FACTORIES = {
    "adam": optax.adam,
    "lion_mine": lambda learning_rate: optax.lion(learning_rate, b1=0.8),
    "momentum_mine": lambda rate: optax.sgd(rate, momentum=0.9, nesterov=True),
    "chained": lambda rate: optax.chain(optax.clip_by_global_norm(0.5), optax.adamw(rate)),
    "cosine": lambda rate: optax.adam(optax.cosine_decay_schedule(rate, 10)),
    "with_ours": lambda rate: optax.chain(optax.scale(2.0), Adam(learning_rate=rate)),
    "factored": lambda rate: optax.adafactor(rate, min_dim_size_to_factor=2),
    "averaged": lambda rate: optax.contrib.schedule_free_sgd(rate),
    "polyak_step": lambda rate: optax.polyak_sgd(max_learning_rate=rate),
    "injected": lambda rate: optax.inject_hyperparams(optax.adam)(learning_rate=rate),
    "quasi_newton": lambda rate: optax.lbfgs(rate, memory_size=3),
}


def start():
    return {"layers": [{"weight": jnp.asarray(np.linspace(-1, 1, 6).reshape(3, 2), jnp.float32), "bias": jnp.ones(2)}]}


def valley(params):
    (layer,) = params["layers"]
    return jnp.sum(jnp.asarray([[1.0], [4.0], [9.0]]) * (layer["weight"] - 0.3) ** 2) + jnp.sum(layer["bias"] ** 2)


def alone(theirs):
    """One update as optax's documentation does it."""

    @jax.jit
    def step(params, state):
        loss, gradient = jax.value_and_grad(valley)(params)
        change, state = theirs.update(gradient, state, params, value=loss, grad=gradient, value_fn=valley)
        return optax.apply_updates(params, change), state

    return step


def made(name, factory):
    return catalogue.make(factory, name)


@pytest.mark.parametrize("name", FACTORIES)
def test_all_rates_run_in_one_trace_and_each_as_optax_alone(name):
    """Ours with the rate as a traced leaf under vmap; theirs one by one, with the rate as a plain number."""
    ours, steps, traced = made(name, FACTORIES[name]), 8, []

    @jax.jit
    def sweep(optimizers):
        traced.append(1)

        def one(optimizer):
            def step(carry, _):
                params, state = carry
                loss, gradient = jax.value_and_grad(valley)(params)
                here = Here(loss, jax.random.key(0), jax.value_and_grad(valley))
                change, state = optimizer.update(gradient, state, params, here)
                return (jax.tree.map(lambda p, c: p + c, params, change), state), None

            (params, _), _ = jax.lax.scan(step, (start(), optimizer.init(start())), length=steps)
            return params

        return jax.vmap(one)(optimizers)

    ends = sweep(with_learning_rate(ours, jnp.asarray(RATES)))
    sweep(with_learning_rate(ours, jnp.asarray(RATES * 2)))
    assert len(traced) == 1
    for lane, rate in enumerate(RATES.tolist()):
        theirs, params = FACTORIES[name](rate), start()
        step = alone(optax.with_extra_args_support(theirs))
        state = theirs.init(params)
        for _ in range(steps):
            params, state = step(params, state)
        for mine, wanted in zip(jax.tree.leaves(ends), jax.tree.leaves(params), strict=True):
            np.testing.assert_allclose(mine[lane], wanted, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("name", FACTORIES)
def test_they_pass_the_trial_and_their_cost_is_known(name):
    optimizer = made(name, FACTORIES[name])
    trial.try_optimizer(optimizer, start(), 0.01)
    assert gradients_per_step(optimizer) == (None if name == "quasi_newton" else 1)
    jax.eval_shape(optimizer.init, start())


@pytest.mark.parametrize(
    "held",
    [
        optax.inject_hyperparams(optax.adam),
        lambda learning_rate: optax.chain(optax.identity(), optax.inject_hyperparams(optax.adam)(learning_rate, b1=0.9)),
        lambda learning_rate: optax.inject_hyperparams(optax.inject_hyperparams(optax.adam))(learning_rate),
    ],
)
def test_a_rate_that_lies_in_the_state_follows_the_schedule_too(held):
    """As optax.adam with the rate of each update, and not with that of the first one."""
    plain, theirs, params = made("plain", optax.adam), made("held", held), start()
    states, points = [plain.init(params), theirs.init(params)], [params, params]
    for rate in (0.1, 0.03, 0.001):
        for which, optimizer in enumerate((plain, theirs)):
            gradient = jax.grad(valley)(points[which])
            change, states[which] = optimizer.replace(learning_rate=rate).update(gradient, states[which], points[which])
            points[which] = optax.apply_updates(points[which], change)
    for mine, wanted in zip(jax.tree.leaves(points[1]), jax.tree.leaves(points[0]), strict=True):
        np.testing.assert_allclose(mine, wanted, rtol=2e-4, atol=2e-5)


def test_a_line_search_is_charged_for_what_it_tried():
    optimizer, params = made("mine", FACTORIES["quasi_newton"]), start()
    state, before = optimizer.init(params), 0
    for number in range(1, 4):
        loss, gradient = jax.value_and_grad(valley)(params)
        here = Here(loss, jax.random.key(0), jax.value_and_grad(valley))
        change, state = optimizer.update(gradient, state, params, here)
        params = optax.apply_updates(params, change)
        told = int(optax.tree.get(state, "num_linesearch_steps"))
        assert int(state.step) == number and int(state.evaluations) == before + 1 + told and told > 0
        before = int(state.evaluations)


# How they are named and where their rates are looked for


def field(wanted, **options):
    return contenders("mse", wanted, task=Task.REGRESSION, batch=32, draws=3, **options)


def test_a_mapping_gives_names_and_may_hold_ours():
    found = field({"mine": FACTORIES["lion_mine"], "adam": "adam(b1=0.5)", "sgd": "sgd@8", "momentum": "momentum"})
    assert [one.id for one in found] == [f"squared_error × {name}" for name in ("mine", "adam(b1=0.5)", "sgd@8", "momentum")]
    assert [one.batch for one in found] == [32, 32, 8, 32]


def test_a_list_may_hold_names_factories_and_mappings():
    def steady(learning_rate):
        return optax.sgd(learning_rate)

    found = field(["adam", steady, {"other": optax.sgd}, Lion(learning_rate=0.1)])
    assert [one.optimizer.name for one in found] == ["adam", "steady", "other", "lion"]


def test_the_name_of_one_of_ours_is_told_apart():
    ours, theirs = field(["lion", {"lion": optax.lion}])
    assert (ours.optimizer.name, theirs.optimizer.name) == ("lion", "lion (own)")


@pytest.mark.parametrize(
    ("given", "rates", "ratio"),
    [
        (optax.sgd, (1e-4, 1e-2, 1.0), 100.0),
        ((optax.sgd, Range(1e-5, 1e-3)), (1e-5, 1e-4, 1e-3), 10.0),
        ((optax.sgd, 0.25), (0.25,), 1.0),
        ((optax.sgd, [0.5, 0.1]), (0.1, 0.5), 1.0),
    ],
)
def test_where_the_rates_come_from(given, rates, ratio):
    (one,) = field({"mine": given})
    assert one.rates == pytest.approx(rates) and one.ratio == pytest.approx(ratio)
    fixed = len(rates) == 1
    assert one.id == "squared_error × mine" + ("(learning_rate=0.25)" if fixed else "")


def test_a_factory_may_say_its_range_and_its_batch():
    def steady(learning_rate):
        return optax.sgd(learning_rate)

    steady.learning_rates, steady.batch = (1e-2, 1.0), "full"
    (one,) = field(steady)
    assert one.rates == pytest.approx((0.01, 0.1, 1.0)) and one.batch is None


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"mine": optax.lion(0.1)}, "holds its learning rate already; give the function that makes it"),
        (optax.lion(0.1), "holds its learning rate already"),
        ([lambda rate: optax.sgd(rate)], "needs a name of letters and digits, got '<lambda>'"),
        ({"a × b": optax.sgd}, "needs a name of letters and digits"),
        ({"slow": "adam(b1=0.5)"}, r"adam\(b1=0.5\) is called adam and not 'slow'"),
        ({"mine": 3}, "expected the name of a known optimizer or an object of the class Optimizer, got 3"),
    ],
)
def test_what_cannot_be_understood(given, told):
    with pytest.raises(IncompatiblePair, match=told):
        field(given)


def test_a_range_must_be_one():
    def steady(learning_rate):
        return optax.sgd(learning_rate)

    steady.learning_rates = (1.0, 0.1)
    with pytest.raises(OutOfRange, match="steady: learning_rates must be two numbers, 0 < low < high"):
        field(steady)


# What they are recognised by


def program_of(factory):
    optimizer = made("mine", factory)
    assert is_own(optimizer)
    return fingerprint(optimizer, trial.first_step(optimizer), start(), 0.1)


def test_the_same_program_has_the_same_fingerprint_and_another_another():
    def built(b1, scale=1.0):
        numbers = np.float32([scale, 2.0])

        def stretched(changes, params):
            return jax.tree.map(lambda x: x * jnp.broadcast_to(numbers, x.shape), changes)

        return lambda rate: optax.chain(optax.sgd(rate, momentum=b1), optax.stateless(stretched))

    assert program_of(built(0.9)) == program_of(built(0.9))
    assert len({program_of(built(0.9)), program_of(built(0.8)), program_of(built(0.9, scale=1.5))}) == 3


def test_how_they_are_written_down():
    assert code(made("lion", optax.lion), 0.1) == "{'lion': (lion, 0.1)}"
    assert code(made("mine", lambda rate: optax.sgd(rate))) == "{'mine': mine}"
    assert code(Adam()) is None


# A comparison


def test_a_comparison_sweeps_them_in_one_program_and_agrees_with_ours(tmp_path):
    """optax's SGD beside ours: the same rule, the same seeds, so the same scores but for rounding."""
    from downslope.training import program

    before = len(program.COMPILED)
    options = {"target": "species", "losses": "cross_entropy", "epochs": 2, "draws": 2, "seeds": 2, "model": "linear"}
    wanted = ["sgd", {"sgd": (optax.sgd, Range(1e-3, 1.0, "log"))}]
    result = compare("demo:iris", optimizers=wanted, out=tmp_path / "run", **options)
    assert len(program.COMPILED) - before == 2
    ours, theirs = sorted(result.data["contenders"], key=lambda entry: entry["id"])
    assert (ours["optimizer"], theirs["optimizer"]) == ("sgd", "sgd (own)")
    assert [p["learning_rate"] for p in ours["grid"]] == [p["learning_rate"] for p in theirs["grid"]]
    np.testing.assert_allclose([p["score"] for p in ours["grid"]], [p["score"] for p in theirs["grid"]], rtol=1e-5)
    assert ours["own"] == {} and theirs["own"]["optimizer"]["path"] is None
    again = compare("demo:iris", optimizers=wanted, out=tmp_path / "run", **options)
    assert len(program.COMPILED) - before == 2 and again.data["identity"] == result.data["identity"]
