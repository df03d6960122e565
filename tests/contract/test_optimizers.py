"""What every optimizer promises, for each entry that the catalogue finds."""

from functools import cache, partial

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import optax
import pytest

from downslope.core import tree
from downslope.core.errors import DownslopeError, OutOfRange
from downslope.core.packed import packed
from downslope.core.record import Record
from downslope.optimizers import catalogue
from downslope.optimizers.base import Here

ENTRIES = [pytest.param(catalogue[name], id=name) for name in catalogue]
every_entry = pytest.mark.parametrize("entry", ENTRIES)

PARAMS = {
    "layers": [{"weight": np.linspace(-1.0, 1.0, 12).reshape(4, 3), "bias": np.array([0.5, -0.5, 0.25])}],
    "scale": (np.array(2.0),),
    "empty": np.zeros((0,)),
    "empty_matrix": np.zeros((0, 3)),
    "nothing": {},
    "none": None,
}


def params_of(dtype=jnp.float32):
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, dtype), PARAMS)


def bowl(params):
    """A mild quadratic with its minimum at 0.3 everywhere."""
    wide = jax.tree.leaves(tree.widen(params))
    return sum((jnp.sum((1.0 + 0.5 * index) * (leaf - 0.3) ** 2) for index, leaf in enumerate(wide)), start=0.0) / 2


def stand(params, function=bowl):
    look = jax.value_and_grad(function)
    loss, gradient = look(params)
    return gradient, Here(loss, jax.random.key(0), look)


def as_arrays(optimizer, dtype=jnp.float32):
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, dtype), optimizer)


def with_rate(optimizer, rate):
    """The optimizer, or the one inside it, at this learning rate."""
    if "learning_rate" in optimizer.settings():
        return optimizer.replace(learning_rate=rate)
    return optimizer.replace(**{n: with_rate(v, rate) for n, v in optimizer.values().items() if isinstance(v, Record)})


def rate_range(optimizer):
    """Where a search looks for the learning rate; None for a method that has none."""
    if "learning_rate" in optimizer.settings():
        return optimizer.settings()["learning_rate"].search
    inside = [rate_range(value) for value in optimizer.values().values() if isinstance(value, Record)]
    return inside[0] if inside else None


def train(optimizer, params, steps, function=bowl):
    """The loss before each step and the parameters at the end, in one compiled loop."""

    def advance(carry, _):
        params, state = carry
        gradient, here = stand(params, function)
        change, state = optimizer.update(gradient, state, params, here)
        return (jax.tree.map(lambda p, c: (p + c).astype(p.dtype), params, change), state), here.loss

    (params, state), losses = jax.lax.scan(advance, (params, optimizer.init(params)), length=steps)
    return losses, optimizer.evaluate_at(state, params), state


def types(thing):
    return jax.tree.map(lambda leaf: (jnp.shape(leaf), jnp.result_type(leaf)), thing)


def same_bits(left, right):
    pairs = zip(jax.tree.leaves(left), jax.tree.leaves(right), strict=True)
    return all(np.asarray(a).tobytes() == np.asarray(b).tobytes() for a, b in pairs)


# What an entry declares


@every_entry
def test_says_what_it_is(entry):
    about = entry.about
    assert about.title and about.equation and about.source.authors and about.source.title
    assert about.source.url.startswith("https://") and 1800 < about.source.year < 2100
    assert all(setting.doc.endswith(".") for setting in entry.settings().values())
    assert entry.__name__.lower() == entry.name.replace("_", "")


def test_short_names_are_unique():
    short = [alias for name in catalogue for alias in catalogue[name].about.aliases]
    assert len(short) == len(set(short)) and not set(short) & set(catalogue.names)


@every_entry
def test_defaults_and_search_ranges_are_inside_the_bounds(entry):
    for name, setting in entry.settings().items():
        if setting.kind == "hyper":
            assert setting.allows(getattr(entry(), name)), name
        if setting.search is not None:
            assert setting.search.low < setting.search.high
            assert setting.allows(setting.search.low) and setting.allows(setting.search.high), name


@every_entry
def test_learning_rates_are_searched_over_three_decades(entry):
    found = rate_range(entry())
    if found is not None:
        assert found.scale == "log"
        assert np.isclose(found.high / found.low, 1000.0, rtol=1e-12)


@every_entry
def test_bad_settings_are_refused(entry):
    for name, setting in entry.settings().items():
        bad, of_wrong_type = [], []
        if setting.kind == "hyper":
            bad, of_wrong_type = [float("nan"), float("inf")], ["0.1"]
            bad += [setting.above] if setting.above is not None else []
            bad += [setting.below] if setting.below is not None else []
            bad += [setting.at_least - 1] if setting.at_least is not None else []
            bad += [setting.at_most + 1] if setting.at_most is not None else []
        elif setting.kind == "part":
            of_wrong_type = [0.1, "adam"]
        elif setting.options is not None:
            of_wrong_type = ["no such option"]
        for value in bad:
            with pytest.raises(OutOfRange, match=name):
                entry(**{name: value})
        for value in of_wrong_type:  # while testing, the check of annotations may come first
            with pytest.raises((OutOfRange, jaxtyping.TypeCheckError), match=name):
                entry(**{name: value})


# Steps


@every_entry
def test_a_step_is_an_update_and_its_addition(entry):
    """In float32, where a kernel of ours may round otherwise than XLA's, and with everything donated."""
    optimizer = middle(entry)

    def step(params, state):
        gradient, here = stand(params)
        return optimizer.step(gradient, state, params, here)

    def update(params, state):
        gradient, here = stand(params)
        change, state = optimizer.update(gradient, state, params, here)
        return tree.add(params, change), state

    params = params_of()
    mine, other = (params, optimizer.init(params)), (params, optimizer.init(params))
    step, update = jax.jit(step), jax.jit(update)
    for _ in range(4):
        mine, other = step(*mine), update(*other)
        assert types(mine) == types(other)
    for left, right in zip(jax.tree.leaves(mine), jax.tree.leaves(other), strict=True):
        np.testing.assert_allclose(left, right, rtol=2e-5, atol=2e-6)


@every_entry
def test_a_packed_state_stays_so(entry):
    """And nothing else changes."""
    optimizer = middle(entry)

    @jax.jit
    def step(params, state):
        gradient, here = stand(params)
        return optimizer.step(gradient, state, params, here)

    params = params_of()
    mine, other = (params, packed(optimizer.init(params))), (params, optimizer.init(params))
    for _ in range(3):
        mine, other = step(*mine), step(*other)
    for left, right in zip(jax.tree.leaves((mine[0], mine[1].unpacked())), jax.tree.leaves(other), strict=True):
        assert left.dtype == right.dtype
        np.testing.assert_allclose(left, right, rtol=2e-5, atol=2e-6)


# State


@every_entry
@pytest.mark.parametrize("setting_type", [None, "float64"])
@pytest.mark.parametrize("type_name", ["bfloat16", "float32", "float64"])
def test_state_keeps_its_structure_and_types(entry, type_name, setting_type):
    """Whatever the types of parameters and settings: the state is a scan's carry, moments are at least float32."""
    with jax.enable_x64(True):
        params = params_of(jnp.dtype(type_name))
        optimizer = entry() if setting_type is None else as_arrays(entry(), jnp.dtype(setting_type))
        state = optimizer.init(params)

        def step(state, params):
            gradient, here = stand(params)
            return optimizer.update(gradient, state, params, here)

        change, later = jax.eval_shape(step, state, params)
        assert jax.tree.structure(later) == jax.tree.structure(state)
        assert types(later) == types(state)
        wide = jnp.float64 if type_name == "float64" else jnp.float32
        floating = [leaf for leaf in jax.tree.leaves(state) if jnp.issubdtype(jnp.result_type(leaf), jnp.floating)]
        assert all(leaf.dtype == wide for leaf in floating)
        assert types(change) == types(jax.tree.map(lambda p: jnp.zeros(p.shape, wide), params))
        assert types(jax.eval_shape(optimizer.evaluate_at, state, params)) == types(params)


@every_entry
def test_half_precision_parameters_are_trained(entry):
    """bfloat16 parameters inside a scan: they stay what they are, all is finite, and the loss does not rise."""
    losses, params, _ = jax.jit(train, static_argnums=2)(middle(entry), params_of(jnp.bfloat16), 30)
    assert all(leaf.dtype == jnp.bfloat16 for leaf in jax.tree.leaves(params))
    assert np.isfinite(losses).all() and losses[-1] <= losses[0]


# Compilation, lanes


LANES = 7


@cache
def program(entry):
    """One compiled run of seven lanes, which several tests share, and how often it was traced."""
    traced = []

    @jax.jit
    def run(optimizers, sizes, params, steps):
        traced.append(1)

        def lane(optimizer, size):
            def advance(_, carry):
                params, state = carry
                gradient, here = stand(params, lambda at: size * bowl(at))
                change, state = optimizer.update(gradient, state, params, here)
                return jax.tree.map(jnp.add, params, change), state

            params_at_end, state = jax.lax.fori_loop(0, steps, advance, (params, optimizer.init(params)))
            return optimizer.evaluate_at(state, params_at_end), state

        return jax.vmap(lane)(optimizers, sizes)

    return run, traced


def lanes_of(optimizer, factors):
    """Seven of them, every number multiplied by another factor."""
    return jax.tree.map(lambda leaf: leaf * jnp.asarray(factors, jnp.float32), as_arrays(optimizer))


def sizes_of(*sizes):
    return jnp.asarray([*sizes, *[1.0] * (LANES - len(sizes))], jnp.float32)


@every_entry
def test_a_broken_lane_leaves_its_neighbours_alone(entry):
    """The second lane goes wild in one run and is lost in another, and the others must not move by one bit."""
    lanes = lanes_of(entry(), [1.0, 1.0, 0.95, 0.9, 0.99, 0.98, 0.97])
    run, _ = program(entry)
    calm, wild, lost = (run(lanes, sizes_of(1.0, size), params_of(), 6) for size in (1.0, 1e38, np.nan))
    assert not same_bits(calm, lost)
    others = np.array([0, 2, 3, 4, 5, 6])
    for broken in (wild, lost):
        assert same_bits(*(jax.tree.map(lambda leaf: leaf[others], whole) for whole in (calm, broken)))


@every_entry
def test_a_new_value_compiles_nothing(entry):
    run, traced = program(entry)
    for factor in (1.0, 0.999):
        run(lanes_of(entry(), [factor] * LANES), sizes_of(factor), params_of(), 1)
    assert len(traced) == 1


@every_entry
def test_does_not_divide_by_zero(entry):
    """Gradients of exactly zero, and parameters of exactly zero, from the first step on."""
    zeros = jax.tree.map(jnp.zeros_like, params_of())
    ends = program(entry)[0](lanes_of(entry(), [1.0] * LANES), sizes_of(*[0.0] * LANES), zeros, 3)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(ends) if jnp.issubdtype(leaf.dtype, jnp.floating))


# Cost and effect


@every_entry
def test_declared_gradients_are_counted(entry):
    calls = []

    def step(params):
        gradient, here = stand(params)

        def counting(at):
            calls.append(1)
            return here.loss_and_gradient(at)

        return entry().update(gradient, entry().init(params), params, here._replace(loss_and_gradient=counting))

    jax.eval_shape(step, params_of())
    if entry.about.gradients_per_step is None:
        assert calls  # the number depends on the data, so it must look further than the gradient it was given
    else:
        assert 1 + len(calls) == entry.about.gradients_per_step


def middle(entry):
    """The entry at the middle of its range of learning rates."""
    found = rate_range(entry())
    return entry() if found is None else with_rate(entry(), (found.low * found.high) ** 0.5)


@every_entry
def test_comes_down_a_bowl(entry):
    """Somewhere in its own range of learning rates, within 300 steps, the loss falls to less than a hundredth."""
    found, lanes = rate_range(entry()), lanes_of(entry(), [1.0] * LANES)
    if found is not None:
        lanes = with_rate(lanes, jnp.asarray(np.geomspace(found.low, found.high, LANES), jnp.float32))
    params, _ = program(entry)[0](lanes, sizes_of(), params_of(), 300)
    reached = jax.vmap(bowl)(params)
    assert np.nanmin(reached) < 0.01 * bowl(params_of())


# Beside optax


def missing(entry, params=True, here=True):
    """The complaint of an update that gets no parameters or no `here`; nothing if it needs none."""
    optimizer = entry()

    def step(at):
        gradient, whole = stand(at)
        return optimizer.update(gradient, optimizer.init(at), at if params else None, whole if here else None)

    try:
        jax.eval_shape(step, params_of())
    except DownslopeError as error:
        return str(error)
    return ""


@every_entry
def test_says_so_when_something_is_missing(entry):
    for what, complaint in (("params", missing(entry, params=False)), ("here", missing(entry, here=False))):
        assert not complaint or (what in complaint and entry.name in complaint and "\n" not in complaint)


@every_entry
def test_drops_into_optax(entry):
    """In a chain after a transformation that changes nothing, and through `apply_updates`, it does what it does alone."""
    needs_here = bool(missing(entry, here=False))

    @jax.jit
    def both(optimizer, params):
        gradient, here = stand(params)
        told = optax.GradientTransformation(optimizer.init, partial(optimizer.update, here=here)) if needs_here else optimizer
        chain = optax.chain(optax.scale(1.0), told)
        alone, _ = optimizer.update(gradient, optimizer.init(params), params, here)
        changes, state = chain.update(gradient, chain.init(params), params)
        moved = optax.apply_updates(params, changes)
        chain.update(gradient, state, moved)
        return alone, changes, moved

    alone, changes, moved = both(as_arrays(middle(entry)), params_of())
    assert same_bits(alone, changes)
    assert types(moved) == types(params_of())
