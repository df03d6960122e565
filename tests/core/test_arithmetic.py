"""Arithmetic in one pass, bit for bit against NumPy's, which rounds each operation by itself."""

import ctypes
import platform
import shutil
import subprocess
import sysconfig
from pathlib import Path

import jax
import jax.numpy as jnp
import jaxlib
import numpy as np
import pytest

from downslope import optimizers
from downslope.core import arithmetic as module
from downslope.core import instructions, plans
from downslope.core.arithmetic import in_one_pass
from downslope.core.compiled import is_compiled
from downslope.core.primitive import registered
from tests.core.programs import MAKES, drawn

COMPILER = (sysconfig.get_config_var("CC") or "cc").split()[0]
SPECIAL = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.1,
    1e30,
    -1e30,
    2e-30,
    np.inf,
    -np.inf,
    np.nan,
    7.25,
    -2.5,
]  # none below the normal numbers, which XLA takes for 0
LEFT, RIGHT = (each.ravel().astype(np.float32) for each in np.meshgrid(SPECIAL, SPECIAL))
ONES = {
    "sqrt": (jnp.sqrt, np.sqrt),
    "abs": (jnp.abs, np.abs),
    "neg": (jnp.negative, np.negative),
    "sign": (jnp.sign, np.sign),
    "square": (jnp.square, np.square),
    "power": (lambda a: a**2, np.square),
}
TWOS = {
    "add": (jnp.add, np.add),
    "sub": (jnp.subtract, np.subtract),
    "mul": (jnp.multiply, np.multiply),
    "div": (jnp.divide, np.divide),
    "max": (jnp.maximum, np.maximum),
    "min": (jnp.minimum, np.minimum),
    "gt": (lambda a, b: (a > b).astype(jnp.float32), np.greater),
    "lt": (lambda a, b: (a < b) * 1.0, np.less),
    "ge": (lambda a, b: jnp.where(a >= b, 1.0, 0.0), np.greater_equal),
    "le": (lambda a, b: jnp.where(a <= b, 1.0, 0.0), np.less_equal),
    "eq": (lambda a, b: jnp.where(a == b, 1.0, 0.0), np.equal),
    "ne": (lambda a, b: jnp.where(a != b, 1.0, 0.0), np.not_equal),
    "where": (lambda a, b: jnp.where(a > 0, a, b), lambda a, b: np.where(a > 0, a, b)),
}


@pytest.fixture(autouse=True)
def ours():
    """Without the kernel there is nothing to test here but one thing."""
    if not registered(module.KERNEL):
        pytest.skip("the kernels were not compiled on this machine")


def calls(change, held) -> int:
    """How often the kernel is called."""
    return jax.jit(lambda held: in_one_pass(change, held)).lower(held).as_text().count("custom_call @downslope_arithmetic")


def same(mine, other) -> None:
    """To the bit, but for what a NaN holds and the sign of a zero."""
    np.testing.assert_array_equal(np.asarray(mine), np.asarray(other, np.float32))


@pytest.mark.parametrize("name", [*ONES, *TWOS])
def test_each_operation(name):
    jaxs, numpys = (ONES | TWOS)[name]
    single = name in ONES
    held = {"to": jnp.asarray(LEFT), "other": jnp.asarray(RIGHT)}

    def change(held):
        return held | {"to": jaxs(held["to"]) if single else jaxs(held["to"], held["other"])}

    assert calls(change, held) == 1
    with np.errstate(all="ignore"):
        same(jax.jit(lambda held: in_one_pass(change, held))(held)["to"], numpys(LEFT) if single else numpys(LEFT, RIGHT))


def test_a_sum_of_products_is_rounded_three_times():
    draw = np.random.default_rng(0).normal
    a, b, c, d = (draw(size=5000).astype(np.float32) for _ in range(4))
    held = dict(zip("abcd", map(jnp.asarray, (a, b, c, d)), strict=True))

    def change(held):
        a, b, c, d = (held[name] for name in "abcd")
        return {"a": a * b + c * d, "b": a + c * d, "c": b / d - a * c, "d": b / a + (c + jnp.sqrt(jnp.abs(d)))}

    done = jax.jit(lambda held: in_one_pass(change, held))(held)
    for name, exact in zip("abcd", (a * b + c * d, a + c * d, b / d - a * c, b / a + (c + np.sqrt(np.abs(d)))), strict=True):
        same(done[name], exact)
    assert {"mul+mul", "mul+", "div+", "sqrt+", "div-mul"} <= names_of(change, held)


def names_of(change, held):
    """The instructions of the one program that carries out `change`."""
    (equation,) = [each for each in jax.make_jaxpr(lambda held: in_one_pass(change, held))(held).eqns if "plan" in each.params]
    numbers = equation.params["plan"].numbers
    return {list(instructions.CODES)[numbers[at]] for at in range(6, numbers[0], instructions.STEP)}


def test_single_numbers_have_instructions_of_their_own():
    """With the same result, wherever they stand; one may be an argument."""
    draw = np.random.default_rng(1).normal
    a, b = (draw(size=1000).astype(np.float32) for _ in range(2))
    held = {"a": jnp.asarray(a), "b": jnp.asarray(b), "c": jnp.asarray(a), "d": jnp.asarray(b), "one": jnp.float32(0.7)}
    third = np.float32(0.3)

    def change(held):
        a, b, one = held["a"], held["b"], held["one"]
        return {
            "a": one * a + 0.3 * b,
            "b": a * one + b * 0.3,
            "c": (one * a) / (jnp.sqrt(jnp.abs(b)) + one),
            "d": b - (one * a + (b - 0.3 * a)),
            "one": one,
        }

    done = jax.jit(lambda held: in_one_pass(change, held))(held)
    one = np.float32(0.7)
    exact = {
        "a": one * a + third * b,
        "b": a * one + b * third,
        "c": (one * a) / (np.sqrt(np.abs(b)) + one),
        "d": b - (one * a + (b - third * a)),
    }
    for name, numbers in exact.items():
        same(done[name], numbers)
    assert {quick for quick, _ in instructions.WITH_SINGLES.values()} <= names_of(change, held)


@pytest.mark.parametrize("size", [0, 1, 95, 96, 97, 193, 70_001, 400_003])
def test_sizes_and_threads(size):
    draw = np.random.default_rng(size).normal
    held = {"w": draw(size=size).astype(np.float32), "b": draw(size=3).astype(np.float32)}
    done = jax.jit(lambda held: in_one_pass(lambda held: jax.tree.map(lambda x: x * 3 - 0.1, held), held))(held)
    for name, before in held.items():
        same(done[name], before * np.float32(3) - np.float32(0.1))


def test_what_is_still_needed_is_not_overwritten():
    draw = np.random.default_rng(3).normal
    a, b = (draw(size=1000).astype(np.float32) for _ in range(2))

    def turned(held):
        return {"a": held["b"], "b": held["a"] + held["b"]}

    def late(held):
        first = held["a"] * 2
        return {"a": first, "b": held["a"] * held["b"] + first}

    def crossed(held):
        return {"a": held["b"] - held["a"], "b": held["a"] * held["a"]}

    for change in (turned, late, crossed):
        for donated in ((), (0,)):
            held = {"a": jnp.asarray(a), "b": jnp.asarray(b)}
            done = jax.jit(lambda held, change=change: in_one_pass(change, held), donate_argnums=donated)(held)
            exact = change({"a": a, "b": b})
            for name in "ab":
                same(done[name], exact[name])
            if not donated:
                same(held["a"], a)
                same(held["b"], b)


@pytest.mark.parametrize("seed", range(25))
def test_whatever_order_results_are_needed_in(seed):
    """Programs drawn by chance, on arrays whose memory the results take."""
    random = np.random.default_rng(seed)
    change = drawn(random, MAKES, longest=25)
    before = [random.normal(size=300).astype(np.float32) for _ in range(4)]
    done = jax.jit(lambda held: in_one_pass(change, held), donate_argnums=0)([jnp.asarray(each) for each in before])
    with np.errstate(all="ignore"):
        for mine, exact in zip(done, change(before), strict=True):
            same(mine, exact)


def test_one_array_under_two_names():
    x = jnp.asarray(np.random.default_rng(1).normal(size=999), jnp.float32)
    before = np.asarray(x).copy()

    @jax.jit
    def step(x):
        return in_one_pass(lambda held: {"x": held["x"] * 2 - held["y"], "y": (held["y"] + x) / 3}, {"x": x, "y": x})

    done = step(x)
    same(done["x"], before * 2 - before)
    same(done["y"], (before + before) / np.float32(3))


def test_in_a_loop():
    def step(held, _):
        return in_one_pass(lambda held: {"a": held["a"] * 0.5 + held["b"], "b": held["b"] - held["a"]}, held), None

    a, b = np.ones(300, np.float32), np.full(300, 2, np.float32)
    done, _ = jax.jit(lambda held: jax.lax.scan(step, held, length=10))({"a": a, "b": b})
    for _ in range(10):
        a, b = a * np.float32(0.5) + b, b - a
    same(done["a"], a)
    same(done["b"], b)


def test_what_others_need_stays_with_xla():
    held = {"w": jnp.arange(1, 7.0).reshape(2, 3), "count": jnp.zeros((), jnp.int32)}

    def change(held):
        norm = jnp.sqrt(jnp.sum(held["w"] * held["w"]))
        return {"w": jnp.where(held["count"] > 2, held["w"], held["w"] / norm), "count": held["count"] + 1}

    assert calls(change, held) == 1
    done = in_one_pass(change, held)
    np.testing.assert_allclose(done["w"], held["w"] / np.sqrt(91), rtol=1e-6)
    assert done["count"] == 1
    assert calls(lambda held: {"w": jnp.cumsum(held["w"], 0), "count": held["count"]}, held) == 0


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16, jnp.int32])
def test_other_types_stay_with_xla(dtype):
    held = jnp.arange(5).astype(dtype)
    assert calls(lambda x: x * 2 + 1, held) == 0
    np.testing.assert_array_equal(in_one_pass(lambda x: x * 2 + 1, held), np.arange(5) * 2 + 1)


def test_double_precision_stays_with_xla():
    with jax.enable_x64():
        held = jnp.arange(5.0) + 1e-12
        assert calls(lambda x: x * 2, held) == 0
        assert in_one_pass(lambda x: x * 2, held).dtype == jnp.float64


def test_derivatives_and_many_at_once():
    def change(x):
        return in_one_pass(lambda held: {"x": held["x"] * held["x"] / 3 + jnp.sqrt(held["x"])}, {"x": x})["x"]

    def plain(x):
        return x * x / 3 + jnp.sqrt(x)

    x = jnp.linspace(0.5, 3.0, 12)
    for derived in (jax.jacfwd, jax.jacrev, lambda f: jax.jacfwd(jax.jacrev(f))):
        np.testing.assert_allclose(derived(change)(x), derived(plain)(x), rtol=1e-5, atol=1e-6)
    many = jnp.stack([x, 2 * x])
    np.testing.assert_allclose(jax.vmap(change)(many), plain(many), rtol=1e-6)


def test_many_arrays_are_few_calls():
    held = [jnp.full((3, 2), float(number)) for number in range(200)]
    assert calls(lambda held: [each * 2 + 1 for each in held], held) == -(-200 // (plans.MOST // 2))
    for number, done in enumerate(in_one_pass(lambda held: [each * 2 + 1 for each in held], held)):
        same(done, np.full((3, 2), 2 * number + 1))


def test_more_than_the_kernel_holds_stays_with_xla():
    held = {f"{number}": jnp.full(4, float(number)) for number in range(60)}

    def change(held):
        total = sum(held.values())
        return {name: each + total for name, each in held.items()}

    assert calls(change, held) == 0
    same(in_one_pass(change, held)["2"], np.full(4, 2 + 59 * 30))


def test_it_may_be_called_without_jit_and_gives_back_what_it_got():
    held = (jnp.ones(3), {"none": (), "count": jnp.zeros((), jnp.int32)})
    done = in_one_pass(lambda held: (held[0] + 1, {"none": (), "count": held[1]["count"] + 1}), held)
    assert jax.tree.structure(done) == jax.tree.structure(held)
    same(done[0], [2, 2, 2])


def test_the_same_by_jax():
    held = {"a": jnp.asarray(LEFT), "b": jnp.asarray(RIGHT)}

    def change(held):
        a, b = held["a"], held["b"]
        return {"a": jnp.where(a > b, a * 2, -b), "b": jnp.maximum(b * 3 + a * 4, jnp.sqrt(jnp.abs(b)) - jnp.sign(a))}

    (equation,) = jax.make_jaxpr(lambda held: in_one_pass(change, held))(held).eqns
    plan, values = equation.params["plan"], list(held.values())
    for mine, other in zip(module.on_cpu(*values, plan=plan), plans.carried_out(*values, plan=plan), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-6)


def test_nothing_is_lost_without_the_kernel(monkeypatch):
    held = jnp.arange(4.0)
    monkeypatch.setattr(module, "registered", lambda *_: False)
    assert calls(lambda x: x * 2, held) == 0
    same(in_one_pass(lambda x: x * 2, held), [0, 2, 4, 6])


@pytest.fixture(scope="module")
def carried(tmp_path_factory):
    """The kernel without its compiled programs."""
    if shutil.which(COMPILER) is None or platform.system() == "Windows":
        pytest.skip("needs a C compiler")
    place = tmp_path_factory.mktemp("kernels") / "carried.so"
    sources = [str(Path(module.__file__).parent / "c" / f"{name}.c") for name in ("arithmetic", "compiled")]
    options = ["-O3", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math", "-Wno-psabi", "-shared", "-fPIC"]
    include = f"-I{Path(jaxlib.__file__).parent / 'include'}"
    subprocess.run([COMPILER, "-DNOTHING_COMPILED", *options, include, "-o", str(place), *sources, "-lm"], check=True)
    target = ctypes.CDLL(str(place)).downslope_arithmetic
    jax.ffi.register_ffi_target("carried_arithmetic", jax.ffi.pycapsule(target), platform="cpu")
    return "carried_arithmetic"


DEFAULT = [name for name, kind in optimizers.catalogue.items() if kind.about.default]


@pytest.mark.parametrize("weak", [False, True], ids=["numbers of its own type", "numbers of weak type"])
@pytest.mark.parametrize("name", DEFAULT)
def test_steps_of_default_optimizers_are_compiled(name, weak):
    optimizer = optimizers.catalogue[name]()
    array = jax.ShapeDtypeStruct((10, 100), np.float32)
    gradient = jax.ShapeDtypeStruct((10, 100), np.float32, weak_type=weak)
    traced = jax.make_jaxpr(optimizer.step)(gradient, jax.eval_shape(optimizer.init, array), array)
    plans = [each.params["plan"] for each in traced.eqns if each.primitive is module.arithmetic_p]
    assert plans and all(is_compiled(text) for plan in plans for text in plan.texts())


@pytest.mark.parametrize("name", DEFAULT)
def test_compiled_and_carried_out_are_the_same_to_the_bit(carried, monkeypatch, name):
    optimizer, draw = optimizers.catalogue[name](), np.random.default_rng(2).normal
    before = {"w": draw(size=(700, 100)).astype(np.float32), "b": draw(size=7).astype(np.float32)}

    def steps():
        step = jax.jit(lambda gradient, state, params: optimizer.step(gradient, state, params), donate_argnums=(1, 2))
        params = jax.tree.map(jnp.array, before)
        state = optimizer.init(params)
        for _ in range(3):
            params, state = step(jax.tree.map(jnp.sin, params), state, params)
        return params, state

    mine = steps()
    monkeypatch.setattr(module, "KERNEL", carried)
    monkeypatch.setattr(module, "registered", lambda *_: True)
    for one, other in zip(jax.tree.leaves(mine), jax.tree.leaves(steps()), strict=True):
        same(one, other)


def test_there_is_a_kernel_where_there_is_a_compiler():
    assert shutil.which(COMPILER) is None or platform.system() == "Windows" or registered(module.KERNEL)
