"""Every number written in an optimizer's code, changed by one per cent, must break a recorded trajectory.

Settings are changed in the tests beside this one and their defaults are recorded; here it is the numbers in between: a factor
of two, a power, a constant of the paper. The changed file is compiled in this process and followed step by step, in float64,
until it leaves the record. An error while it runs counts as noticed.
"""

import ast
import contextlib
import inspect
import sys
from functools import cache
from types import ModuleType

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from problems import PROBLEMS, nested
from test_line_search import follows
from test_optimizers_golden import RECORDED, TOLERANCE, build, recorded, with_rate

from downslope.core.catalogue import finished_class
from downslope.optimizers import catalogue
from downslope.optimizers.base import Here, Optimizer

DECLARED = {"hyper", "choice", "part"}  # defaults stand in defaults.json, bounds and ranges are the contract tests' matter

LONGEST = 72  # signs by which a number and its line are known
FEW = 12  # steps followed where loops run in Python

# Numbers whose change is without effect on any result, each with the reason; by file, then number and line.
GUARD = "stands in for a divisor that is zero; the quotient is then not used, or what it divides is zero too"
WHOLE = "a whole number is compared or bounded: 1 % more decides the same"
PROPORTIONS = "all batches weigh alike here, and only the proportions of weights count"
ROUNDING = "added to squares far above it, it is less than their rounding"
SQUARE = "the second root is of 1 here; a theorem's test holds it for a wide matrix"
WITHOUT_EFFECT: dict[str, dict[str, str]] = {
    "accumulate": {
        "1.0 in added = jnp.asarray(1.0 if here is None else here.weight, state.w": PROPORTIONS,
        "1 in gathered = state.gathered + 1": WHOLE,
        "1 in most_inside = 1": WHOLE,
        "1 in share = jnp.where(weight > 0, added / jnp.where(weight > 0, weight,": GUARD,
    },
    "adafactor": {
        "1 in return jnp.sqrt(jnp.sum(x**2) / max(x.size, 1))": WHOLE,
        "1e-30 in TINY = 1e-30  # the paper's first epsilon, added to every squar": ROUNDING,
        "2 in tree.map(lambda p: nothing(p) if p.ndim >= 2 else p, zeros),": WHOLE,
        "1 in return keep * old + (1 - keep) * (jnp.sum(g**2 + TINY, axis) / max(": WHOLE,
        "2 in move = g / jnp.sqrt(v) if g.ndim < 2 else g": WHOLE,
    },
    "clip_by_global_norm": {
        "1 in share = jnp.where(long, self.limit / jnp.where(long, length, 1), 1)": GUARD,
    },
    "clip_by_norm": {
        "1 in return jnp.asarray(jnp.where(long, g * (self.limit / jnp.where(long": GUARD,
    },
    "lamb": {
        "1 in return -self.learning_rate * jnp.where(known, length / jnp.where(kn": GUARD,
    },
    "lars": {
        "1 in g = jnp.where(known, self.trust * length / jnp.where(known, reach, ": GUARD,
    },
    "lbfgs": {
        "25 in NARROW, LONGEST = 1e-9, 25  # the search ends when its bracket is ": WHOLE,
        "1 in count = jnp.where(learned, jnp.minimum(state.known + 1, self.memory": WHOLE,
        "1 in scale = jnp.where(learned, bend / jnp.where(learned, jnp.sum(turn**": GUARD,
        "1 in reach = jnp.where(reach > 0, reach, 1)": GUARD,
        "1 in state = State(state.step + 1, slope, move, moves, turns, count, sca": WHOLE,
        "1 in bends = jnp.where(known, jnp.sum(moves * turns, 1), 1)": GUARD,
        "1 in beyond = too_high | ((s.tried > 1) & (f >= s.values[1]))": WHOLE,
        "1 in return Search(s.tried + 1, size, places, values, slopes, tuple(foun": WHOLE,
    },
    "muon": {
        "1 in inputs, outputs = max(g.shape[-2], 1), max(g.shape[-1], 1)": WHOLE,
        '0.5 in size = 0.2 * max(inputs, outputs) ** 0.5 if self.scale == "adam" ': SQUARE,
        "2 in square = tree.map(lambda p: jnp.zeros(0, p.dtype) if p.ndim >= 2 el": WHOLE,
    },
    "polyak": {
        "1 in size = jnp.where(flat, 0, jnp.minimum(gap / jnp.where(flat, 1, stee": GUARD,
    },
    "prodigy": {
        "1 in estimate = self.growth * gained / jnp.where(reach > 0, reach, 1)": GUARD,
    },
    "sam": {
        "1 in climb = self.radius / jnp.where(length > 0, length, 1)": GUARD,
    },
}


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


class Numbers(ast.NodeTransformer):
    """Finds the numbers of a file in order, and multiplies the one at `place`."""

    def __init__(self, place: int = -1) -> None:
        self.place, self.found = place, []

    def visit_Assign(self, node: ast.Assign) -> ast.AST:  # noqa: N802 - the name is ast's
        about = any(isinstance(target, ast.Name) and target.id == "about" for target in node.targets)
        return node if about else self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:  # noqa: N802 - the name is ast's
        declares = isinstance(node.func, ast.Name) and node.func.id in DECLARED
        return node if declares else self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:  # noqa: N802 - the name is ast's
        if isinstance(node.value, bool) or not isinstance(node.value, int | float) or node.value == 0:
            return node
        self.found.append((node.value, node.lineno))
        if len(self.found) - 1 != self.place:
            return node
        return ast.copy_location(ast.Constant(node.value * 1.01), node)


@cache
def source(name: str) -> str:
    return inspect.getsource(sys.modules[catalogue[name].__module__])


def numbers_in(name: str) -> list[str]:
    """Each number with the line it stands in, without the space before it."""
    finder = Numbers()
    finder.visit(ast.parse(source(name)))
    lines = source(name).splitlines()
    return [f"{value} in {lines[number - 1].strip()}"[:LONGEST] for value, number in finder.found]


def changed(name: str, place: int) -> type:
    """The optimizer with one of its numbers one per cent larger."""
    tree = ast.fix_missing_locations(Numbers(place).visit(ast.parse(source(name))))
    module = ModuleType(catalogue[name].__module__)
    exec(compile(tree, name, "exec"), module.__dict__)
    return finished_class(module, Optimizer)


def leaves_the_record(entry: type, name: str, number: int) -> bool:
    """Whether an entry's steps differ from the recorded ones, looked at one after another."""
    case, where = recorded(name, number), RECORDED[name][number]
    function = PROBLEMS[where["problem"]]
    optimizer = build(where["settings"], entry)
    state = with_rate(optimizer, case["rates"][0]).init(as_arrays(nested(case["points"][0])))
    for step, rate in enumerate(case["rates"][: FEW if loops(name) else None]):
        before, after = case["points"][step], case["points"][step + 1]
        point = as_arrays(nested(before))
        look = lambda params, step=step: function(params, step, jnp)  # noqa: E731 - lives for one step
        moved = with_rate(optimizer, rate)
        here = Here(look(point)[0], jax.random.key(0), look)
        change, state = moved.update(as_arrays(nested(case["gradients"][step])), state, point, here)
        reached = jax.tree.map(jnp.add, point, change)
        seen = moved.evaluate_at(state, reached)
        size = np.maximum(np.abs(before), np.abs(after))
        far = np.abs(flat(reached) - after) / size
        apart = np.abs(flat(seen) - case["evaluated"][step]) / np.maximum(size, np.abs(case["evaluated"][step]))
        if not (np.max(far) <= TOLERANCE and np.max(apart) <= TOLERANCE):
            return True
    return False


def as_arrays(params):
    return jax.tree.map(jnp.asarray, params)


def flat(params) -> np.ndarray:
    return np.concatenate([np.ravel(params["weight"]), np.ravel(params["bias"])])


def noticed(name: str, place: int, numbers: list[int]) -> bool:
    """Whether one of these recorded trajectories shows the change."""
    try:
        entry = changed(name, place)
        if name == "lbfgs" and not follows(entry, entry.update.__globals__["wolfe"]):
            return True
        return any(leaves_the_record(entry, name, number) for number in numbers)
    except (TypeError, ValueError, IndexError, AssertionError, ArithmeticError):
        return True


def loops(name: str) -> bool:
    """Whether an entry has loops or branches of JAX. Here they run as Python's: compiling takes seconds."""
    return "jax.lax." in source(name)


@pytest.mark.parametrize("name", RECORDED)
def test_every_number_in_the_code_matters(name):
    with jax.disable_jit() if loops(name) else contextlib.nullcontext():
        whole = list(range(len(RECORDED[name])))
        assert not any(leaves_the_record(catalogue[name], name, number) for number in whole), "unchanged it follows the record"
        exempt = WITHOUT_EFFECT.get(name, {})
        unnoticed = {
            text for place, text in enumerate(numbers_in(name)) if text not in exempt and not noticed(name, place, whole)
        }
    assert not unnoticed, f"{name}: 1 % more of these and no recorded trajectory shows it"


def test_exemptions_are_for_lines_that_exist():
    for name, lines in WITHOUT_EFFECT.items():
        assert set(lines) <= set(numbers_in(name)) and all(lines.values())


def test_a_change_is_found_where_there_is_one():
    """The numbers of Adam, so that the search itself cannot come to look at nothing."""
    assert "1 in step = state.step + 1" in numbers_in("adam")
    assert "3.4445 in STRAIGHT, CUBED, FIFTH = 3.4445, -4.7750, 2.0315" in numbers_in("muon")
    assert noticed("adam", 0, [0]) and not leaves_the_record(catalogue["adam"], "adam", 0)
