"""The search of L-BFGS against PyTorch's, size by size, in float64. Trajectories alone say little about its numbers: most decide
only where a search is long or ends at the border of a condition, and there are such searches here."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from problems import bowl, curve

from downslope.optimizers import catalogue, lbfgs
from downslope.optimizers.base import Here

CASES = json.loads((Path(__file__).parent / "line_searches.json").read_text())["cases"]
SEARCHES = [case for case in CASES if "form" in case]
(SMALLEST,) = [case for case in CASES if "points" in case]


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True), jax.disable_jit():  # so that every look of a loop is a call
        yield


def searched(search, case):
    """The sizes a search looks at, and the one it takes."""
    looks = []

    def look(size):
        looks.append(float(size))
        return curve(size, case["form"], jnp)

    value, slope = curve(jnp.float64(0.0), case["form"], jnp)
    taken, *_ = search(look, jnp.float64(case["first"]), value, slope, jnp.float64(case["longest"]))
    return [*looks, float(taken)]


def two_steps(optimizer):
    """Where two steps from the recorded start lead."""
    curvature, point = jnp.asarray(SMALLEST["curvature"]), jnp.asarray(SMALLEST["points"][0])
    state, points = optimizer.init(point), []
    for _ in range(2):
        value, gradient = bowl(point, curvature)
        here = Here(value, jax.random.key(0), lambda at: bowl(at, curvature))
        change, state = optimizer.update(gradient, state, point, here)
        point = point + change
        points.append(np.asarray(point))
    return points


def follows(entry, search):
    """Whether a class and its search do all that is recorded here."""
    for case in SEARCHES:
        found, right = searched(search, case), [*case["sizes"], case["taken"]]
        if len(found) != len(right) or not np.allclose(found, right, rtol=1e-9, atol=0):
            return False
    return np.allclose(two_steps(entry()), SMALLEST["points"][1:], rtol=1e-9, atol=0)


@pytest.mark.parametrize("number", range(len(SEARCHES)))
def test_every_size_is_pytorchs(number):
    case = SEARCHES[number]
    np.testing.assert_allclose(searched(lbfgs.wolfe, case), [*case["sizes"], case["taken"]], rtol=1e-9)


def test_the_least_curvature_that_counts_is_pytorchs():
    np.testing.assert_allclose(two_steps(catalogue["lbfgs"]()), SMALLEST["points"][1:], rtol=1e-9)


def test_some_searches_are_long():
    assert max(len(case["sizes"]) for case in SEARCHES) >= 6
    assert follows(catalogue["lbfgs"], lbfgs.wolfe)
