"""Every optimizer against recorded trajectories of implementations that are not ours, in float64, step by step.

Each step starts from the recorded point with the state carried on, so an error shows at its own step and no problem
magnifies it. Reading needs none of the frameworks that made the numbers.
"""

import ast
import json
import shutil
import subprocess
import sys
from functools import cache, partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from problems import PROBLEMS, nested

from downslope.core.record import Record
from downslope.optimizers import catalogue
from downslope.optimizers.base import Here

FOLDER = Path(__file__).parent
RECORDED = {path.stem: json.loads(path.read_text())["cases"] for path in sorted(FOLDER.glob("*.json")) if path.stem in catalogue}
CASES = [pytest.param(name, number, id=f"{name}-{number}") for name, cases in RECORDED.items() for number in range(len(cases))]
TOLERANCE = 1e-12
NAMES = list(PROBLEMS)


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


def with_rate(optimizer: Any, rate: Any) -> Any:
    """The optimizer, or the one inside it, at this learning rate."""
    if "learning_rate" in optimizer.settings():
        return optimizer.replace(learning_rate=rate)
    inside = {name: with_rate(value, rate) for name, value in optimizer.values().items() if isinstance(value, Record)}
    return optimizer.replace(**inside)


@jax.jit
def replay(optimizer, rates, before, gradients, problem):
    """What the optimizer changes at each recorded point, and where it would predict afterwards."""

    def look(params, step):
        return jax.lax.switch(problem, [partial(f, xp=jnp) for f in PROBLEMS.values()], params, step)

    def advance(state, now):
        step, rate, point, gradient = now
        here = Here(look(nested(point), step)[0], jax.random.key(0), lambda params: look(params, step))
        moved = with_rate(optimizer, rate)
        change, state = moved.update(nested(gradient), state, nested(point), here)
        after = jax.tree.map(jnp.add, nested(point), change)
        seen = moved.evaluate_at(state, after)
        join = lambda params: jnp.concatenate([params["weight"].reshape(-1), params["bias"]])  # noqa: E731 - read in place
        return state, (join(after), join(seen))

    return jax.lax.scan(
        advance, with_rate(optimizer, rates[0]).init(nested(before[0])), (jnp.arange(len(rates)), rates, before, gradients)
    )[1]


@cache
def recorded(name: str, number: int) -> dict[str, np.ndarray]:
    """One case as arrays, with the gradients at its points by NumPy."""
    case = RECORDED[name][number]
    points = np.array([case["start"], *case["points"]])
    gradient_of = PROBLEMS[case["problem"]]
    slopes = [gradient_of(nested(point), step)[1] for step, point in enumerate(points[:-1])]
    gradients = np.array([np.concatenate([slope["weight"].reshape(-1), slope["bias"]]) for slope in slopes])
    evaluated = np.array(case.get("evaluated", points[1:]))
    return {"rates": np.array(case["rates"]), "points": points, "gradients": gradients, "evaluated": evaluated}


def build(settings: dict[str, Any], entry: Any) -> Any:
    """An instance from recorded settings; a nested entry is recorded as [name, settings]."""
    values = {key: build(value[1], catalogue[value[0]]) if isinstance(value, list) else value for key, value in settings.items()}
    return entry(**values)


def as_arrays(optimizer: Any) -> Any:
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float64), optimizer)


def error(name: str, number: int, optimizer: Any, rates: np.ndarray) -> float:
    """Largest difference from the recorded numbers, relative to the numbers before and after the step."""
    case = recorded(name, number)
    before, after = case["points"][:-1], case["points"][1:]
    problem = NAMES.index(RECORDED[name][number]["problem"])
    copies = [jnp.array(value, copy=True) for value in (rates, before, case["gradients"])]
    ours, seen = replay(as_arrays(optimizer), *copies, problem)
    size = np.maximum(np.abs(before), np.abs(after))
    worst = np.max(np.abs(np.asarray(ours) - after) / size)
    far = np.max(np.abs(np.asarray(seen) - case["evaluated"]) / np.maximum(size, np.abs(case["evaluated"])))
    return float(max(worst, far)) if np.isfinite(worst + far) else np.inf


@pytest.mark.parametrize(("name", "number"), CASES)
def test_follows_the_recorded_trajectory(name, number):
    case = RECORDED[name][number]
    assert len(case["points"]) >= 50
    optimizer = build(case["settings"], catalogue[name])
    assert error(name, number, optimizer, recorded(name, number)["rates"]) <= TOLERANCE, case["made_by"]


@pytest.mark.parametrize("name", RECORDED)
def test_all_three_problems_are_recorded(name):
    assert {case["problem"] for case in RECORDED[name]} == set(PROBLEMS)
    assert all(case["made_by"] for case in RECORDED[name])


def numbers_of(optimizer: Any) -> list[str]:
    """Paths of all numbers in an optimizer, those of an optimizer inside it included."""
    return [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_flatten_with_path(optimizer)[0]]


def off_by_one_per_cent(optimizer: Any, path: str) -> Any:
    shrink = lambda at, leaf: leaf * 0.99 if jax.tree_util.keystr(at) == path else leaf  # noqa: E731 - read in place
    return jax.tree_util.tree_map_with_path(shrink, optimizer)


@pytest.mark.parametrize("name", RECORDED)
def test_one_per_cent_off_is_noticed(name):
    """Each setting, changed by 1 %, must break at least one of the comparisons above."""
    made = [build(case["settings"], catalogue[name]) for case in RECORDED[name]]
    for path in numbers_of(catalogue[name]()):
        errors = []
        for number, optimizer in enumerate(made):
            rates = recorded(name, number)["rates"] * (0.99 if path.endswith(".learning_rate") else 1.0)
            errors.append(error(name, number, off_by_one_per_cent(optimizer, path), rates))
        assert max(errors) > TOLERANCE, f"{name}{path} can be 1 % off and no recorded trajectory shows it"


@pytest.mark.parametrize("name", RECORDED)
def test_every_choice_is_recorded_both_ways(name):
    """Each option of each choice stands in some case, so none goes untested; of a count, three values."""
    entry = catalogue[name]
    made = [build(case["settings"], entry) for case in RECORDED[name]]
    for setting, declared in entry.settings().items():
        if declared.kind == "choice" and declared.options is not None:
            recorded_options, is_count = {getattr(optimizer, setting) for optimizer in made}, len(declared.options) > 5
            assert len(recorded_options) >= 3 if is_count else recorded_options == set(declared.options), setting


def test_defaults_are_the_ones_that_were_looked_up():
    """The defaults as they were compared with papers and authors' code, so that none drifts unseen."""
    recorded = json.loads((FOLDER / "defaults.json").read_text())
    present = {name: {k: v for k, v in catalogue[name]().values().items() if not isinstance(v, Record)} for name in recorded}
    assert present == recorded and set(recorded) >= set(RECORDED)


def test_makers_do_not_import_ours():
    for path in FOLDER.glob("*.py"):
        if path.name.startswith("test_"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else [getattr(node, "module", None) or ""]
            assert not any(n.partition(".")[0] == "downslope" for n in names if isinstance(node, ast.Import | ast.ImportFrom)), (
                path
            )


MAKERS = ("with_torch", "with_optax", "with_keras", "with_pytorch_optimizer", "schedules", "line_search", "names")


GUILTY = [(None, ""), ("with_keras", "import"), ("schedules", "import"), ("with_torch", "call")]


@pytest.mark.parametrize(("guilty", "when"), GUILTY)
def test_making_them_fails_if_ours_is_imported(guilty, when, tmp_path):
    """The makers' own program with empty makers, one of which imports us as it is read or as it is called."""
    for name in ("make.py", "problems.py"):
        shutil.copy(FOLDER / name, tmp_path)
    (tmp_path / "downslope.py").write_text("")
    for name in MAKERS:
        mine = "import downslope" if name == guilty else "pass"
        early, late = (mine, "pass") if when == "import" else ("pass", mine)
        functions = f"def cases():\n    {late}\n    return []\n\n\ndef write(place):\n    pass\n"
        (tmp_path / f"{name}.py").write_text(f"{early}\n\n\n{functions}")
    done = subprocess.run([sys.executable, "make.py"], cwd=tmp_path, capture_output=True, text=True, env={})
    assert (done.returncode != 0) == (guilty is not None), done.stderr
    assert ("must not come from ours" in done.stderr) == (guilty is not None)
    assert not (when == "import" and list(tmp_path.glob("*.json"))), "nothing is written before"


def test_reading_needs_no_other_framework():
    assert not {"torch", "keras"} & set(sys.modules)
