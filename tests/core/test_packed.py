"""Arrays held as one, against the same arrays each by itself."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from downslope.core import arithmetic, plans
from downslope.core.arithmetic import in_one_pass
from downslope.core.packed import Packed, packed
from downslope.core.primitive import registered
from tests.core.programs import drawn

SHAPES = {"a": (3, 4), "b": (5,), "empty": (0, 2), "c": (2, 2, 2), "d": (3, 4), "column": (5, 1)}


def held_of(seed=0):
    """Arrays of some shapes, and a count."""
    draw = np.random.default_rng(seed).normal
    return {name: jnp.asarray(draw(size=shape), jnp.float32) for name, shape in SHAPES.items()} | {"count": jnp.array(2)}


def packing(change):
    """The change of what is packed."""
    return lambda held: packed(change(held.unpacked()))


def texts(change, held):
    """A compiled step, before and after XLA has worked on it."""
    lowered = jax.jit(lambda held: in_one_pass(packing(change), held), donate_argnums=0).lower(packed(held))
    return lowered.as_text(), lowered.compile().as_text()


def in_place(change, held):
    """Whether the kernel writes where the old numbers were, and nothing is copied."""
    before, after = texts(change, held)
    return "custom_call @downslope_arithmetic" in before and "concatenate" not in before and " copy(" not in after


def check(change, held, donated=True):
    """The same bits as from the arrays each by itself. Products here are exact: XLA may round them together with a sum."""
    exact = jax.tree.map(np.asarray, in_one_pass(change, held))
    step = jax.jit(lambda held: in_one_pass(packing(change), held), donate_argnums=0 if donated else ())
    done = step(packed(held))
    assert isinstance(done, Packed)
    for mine, other in zip(jax.tree.leaves(done.unpacked()), jax.tree.leaves(exact), strict=True):
        np.testing.assert_array_equal(mine, other)


@pytest.fixture
def ours():
    """Where there is a kernel."""
    if not registered(arithmetic.KERNEL):
        pytest.skip("the kernels were not compiled on this machine")


def test_there_and_back():
    held = held_of()
    both = packed(held)
    assert both.whole.shape == (12 + 5 + 8 + 12 + 5,)
    assert [each.dtype for each in both.others] == [jnp.int32]
    assert jax.tree.structure(both.unpacked()) == jax.tree.structure(held)
    for traced in (both, jax.jit(packed)(held)):
        for mine, other in zip(jax.tree.leaves(traced.unpacked()), jax.tree.leaves(held), strict=True):
            np.testing.assert_array_equal(mine, other)


@pytest.mark.parametrize(
    "held", [{}, {"count": jnp.array(1)}, {"w": jnp.ones((2, 3))}, {"w": jnp.ones(4)}, {"w": jnp.ones(2, jnp.bfloat16)}]
)
def test_few_leaves_or_none(held):
    both = packed(held)
    assert jax.tree.structure(both.unpacked()) == jax.tree.structure(held)
    for mine, other in zip(jax.tree.leaves(both.unpacked()), jax.tree.leaves(held), strict=True):
        np.testing.assert_array_equal(mine, other)
        assert mine.dtype == other.dtype


@pytest.mark.usefixtures("ours")
@pytest.mark.parametrize("names", ["a", "b", "ab", "abcd", ["a", "b", "empty", "c", "d", "count"]])
def test_it_is_changed_where_it_is(names):
    held = {name: held_of()[name] for name in names}

    def change(held):
        return {name: each + 1 if name == "count" else each * 4 - 0.1 for name, each in held.items()}

    check(change, held)
    assert in_place(change, held)


@pytest.mark.usefixtures("ours")
def test_what_does_not_change_stays():
    def change(held):
        return held | {"a": held["a"] * 2 + held["d"]}

    check(change, held_of())
    assert in_place(change, held_of())


CHANGES = {
    "exchanged": lambda held: held | {"a": held["d"] * 1.0, "d": held["a"] * 1.0},
    "moved": lambda held: held | {"a": held["d"], "d": held["a"] + held["d"]},
    "twice": lambda held: held | {"a": held["a"] + held["d"], "d": held["a"] + held["d"]},
    "in two places": lambda held: held | dict.fromkeys("ad", held["a"] + held["d"]),
    "as it is in two places": lambda held: held | {"d": held["a"], "b": held["b"] * 2},
    "from what is not there": lambda held: held | {"a": jnp.full((3, 4), 2.0) * 3},
    "under two shapes": lambda held: held | {"a": held["a"] * 2, "d": (held["a"].reshape(-1) * 4 + 1).reshape(3, 4)},
    "under two names": lambda held: held | {"column": held["column"] * 2, "b": held["column"].reshape(-1) * 4 + held["b"]},
    "of a sum": lambda held: held | {"a": held["a"] / jnp.sum(jnp.abs(held["d"])), "d": held["d"] * 2},
    "by another hand": lambda held: held | {"a": jnp.cumsum(held["a"], 0), "b": held["b"] * 2},
}


@pytest.mark.usefixtures("ours")
@pytest.mark.parametrize("donated", [True, False])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_nothing_is_read_after_it_was_written(change, donated):
    check(change, held_of(), donated)


MAKES = (
    lambda one, two, three: one + two,
    lambda one, two, three: one - two,
    lambda one, two, three: one * 0.5,
    lambda one, two, three: (one > two) * three,
    lambda one, two, three: (one.reshape(-1) * 2).reshape(one.shape),
)


@pytest.mark.usefixtures("ours")
@pytest.mark.parametrize("seed", range(60))
def test_whatever_is_done(seed):
    """Programs drawn by chance, on pieces of one array and on others beside it."""
    random = np.random.default_rng(seed)
    program = drawn(random, MAKES, longest=16)

    def change(held):
        made = program(held)  # every second time each array also stays a part of its own result: then it is changed in place
        return [each * 0.5 + before for each, before in zip(made, held, strict=True)] if seed % 2 else made

    def both(held):
        inside, beside = held
        after = change([*inside.unpacked(), *beside])
        return packed(after[:2]), after[2:]

    before = [jnp.asarray(random.normal(size=(20, 3)), jnp.float32) for _ in range(4)]
    exact = [np.asarray(each) for each in in_one_pass(change, before)]
    inside, beside = jax.jit(lambda held: in_one_pass(both, held), donate_argnums=0)((packed(before[:2]), before[2:]))
    for mine, other in zip([*inside.unpacked(), *beside], exact, strict=True):
        np.testing.assert_array_equal(mine, other)


LOOKS = {
    "at the whole": lambda inside, after: inside.whole + 0.5,
    "at the whole as it is": lambda inside, after: inside.whole,
    "at a part": lambda inside, after: inside.unpacked()[0] + 0.5,
    "at a part as it is": lambda inside, after: inside.unpacked()[1],
    "at what a part becomes": lambda inside, after: after[0],
    "at what a part becomes, and adds to it": lambda inside, after: after[1] + 0.5,
    "at what the whole becomes": lambda inside, after: packed(after).whole,
}


@pytest.mark.usefixtures("ours")
@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_who_else_looks_sees_it_as_it_was(look):
    def change(held):
        inside, _ = held
        after = [each * 2 for each in inside.unpacked()]
        return packed(after), look(inside, after)

    inside = packed([jnp.ones((2, 2)), jnp.full(3, 5.0)])
    _, exact = change((inside, None))
    beside = jnp.zeros(exact.shape)
    done, seen = jax.jit(lambda held: in_one_pass(change, held), donate_argnums=0)((packed(inside.unpacked()), beside))
    np.testing.assert_array_equal(done.whole, [2, 2, 2, 2, 10, 10, 10])
    np.testing.assert_array_equal(seen, exact)


@pytest.mark.usefixtures("ours")
@pytest.mark.parametrize("names", [("b", "column"), ("column", "b")])
def test_an_array_in_another_shape_is_read_as_it_was(names):
    def change(held):
        first, second = names
        after = {first: held[first] * 2, second: held[second] + held[first].reshape(held[second].shape) * 4}
        return {name: after[name] for name in held}

    held = {name: held_of()[name] for name in ("b", "column")}
    exact = {name: np.asarray(each) for name, each in change(held).items()}
    done = jax.jit(lambda held: in_one_pass(change, held), donate_argnums=0)(held)
    for name, each in exact.items():
        np.testing.assert_array_equal(done[name], each)


@pytest.mark.usefixtures("ours")
def test_one_value_in_two_packed_arrays():
    def change(both):
        left, right = (each.unpacked() for each in both)
        total = left[0] + right[0]
        return packed([total, left[1] * 2]), packed([total, right[1] * 4])

    both = [packed([jnp.full((2, 2), number), jnp.full(3, number)]) for number in (1.0, 2.0)]
    left, right = jax.jit(lambda both: in_one_pass(change, both), donate_argnums=0)(tuple(both))
    np.testing.assert_array_equal(left.whole, [3, 3, 3, 3, 2, 2, 2])
    np.testing.assert_array_equal(right.whole, [3, 3, 3, 3, 8, 8, 8])


@pytest.mark.usefixtures("ours")
def test_many_arrays_are_few_calls():
    held = [jnp.full((3, 2), float(number)) for number in range(200)]
    beside = [jnp.ones((3, 2)) for _ in range(200)]

    def change(both):
        inside, beside = both
        return packed([each * 2 + more for each, more in zip(inside.unpacked(), beside, strict=True)]), beside

    before = jax.jit(lambda both: in_one_pass(change, both)).lower((packed(held), beside)).as_text()
    assert before.count("custom_call @downslope_arithmetic") == -(-200 // plans.MOST)
    inside, _ = in_one_pass(change, (packed(held), beside))
    for number, done in enumerate(inside.unpacked()):
        np.testing.assert_array_equal(done, np.full((3, 2), 2 * number + 1))


@pytest.mark.usefixtures("ours")
def test_the_same_by_jax():
    def change(held):
        return packed([each * 3 - 0.25 for each in held.unpacked()])

    both = packed([jnp.arange(6.0).reshape(2, 3), jnp.arange(4.0)])
    (equation,) = jax.make_jaxpr(lambda held: in_one_pass(change, held))(both).eqns
    plan = equation.params["plan"]
    np.testing.assert_array_equal(arithmetic.on_cpu(both.whole, plan=plan)[0], plans.carried_out(both.whole, plan=plan)[0])
    many = jnp.stack([both.whole, -both.whole])
    done = jax.vmap(lambda whole: in_one_pass(change, Packed(whole, both.others, both.layout)).whole)(many)
    np.testing.assert_array_equal(done, many * 3 - 0.25)


def test_nothing_is_lost_without_the_kernel(monkeypatch):
    monkeypatch.setattr(arithmetic, "registered", lambda *_: False)
    before, after = texts(lambda held: {name: each * 2 for name, each in held.items()}, held_of())
    assert "downslope_arithmetic" not in before + after
    done = in_one_pass(packing(lambda held: {name: each * 2 for name, each in held.items()}), packed(held_of()))
    np.testing.assert_array_equal(done.unpacked()["c"], 2 * held_of()["c"])
