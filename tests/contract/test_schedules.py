"""What every schedule promises, and each formula against another implementation's recorded numbers."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from downslope.core.errors import OutOfRange
from downslope.schedules import catalogue

every_entry = pytest.mark.parametrize("entry", [pytest.param(catalogue[name], id=name) for name in catalogue])
RECORDED = json.loads((Path(__file__).parent.parent / "golden" / "schedules.json").read_text())["cases"]


def factors(schedule, steps):
    return np.asarray(jax.vmap(lambda step: schedule(step, steps))(jnp.arange(steps)))


@pytest.mark.parametrize("case", [pytest.param(case, id=f"{case['schedule']}-{i}") for i, case in enumerate(RECORDED)])
def test_follows_the_recorded_factors(case):
    with jax.enable_x64(True):
        schedule = catalogue[case["schedule"]](**case["settings"])
        ours = factors(schedule, case["steps"])
        np.testing.assert_allclose(ours, case["factors"], rtol=1e-12, atol=1e-14, err_msg=case["made_by"])


@pytest.mark.parametrize("name", sorted({case["schedule"] for case in RECORDED}))
def test_one_per_cent_off_is_noticed(name):
    cases = [case for case in RECORDED if case["schedule"] == name]
    with jax.enable_x64(True):
        for setting, declared in catalogue[name].settings().items():
            if declared.kind != "hyper" or setting == "warmup":  # the warm-up has its own test
                continue
            differences = []
            for case in cases:
                schedule = catalogue[name](**case["settings"])
                off = schedule.replace(**{setting: getattr(schedule, setting) * 0.99})
                differences.append(np.max(np.abs(factors(off, case["steps"]) - case["factors"])))
            assert max(differences) > 1e-9, f"{name}.{setting} can be 1 % off and no recorded factor shows it"


@every_entry
def test_is_a_factor(entry):
    """Finite and not negative at every step, nearly 1 at its highest, and above 0 at the last step."""
    for steps in (1, 2, 7, 1000):
        for warmup in (0.0, 0.1, 0.9):
            found = factors(entry(warmup=warmup), steps)
            assert found.shape == (steps,) and np.isfinite(found).all()
            assert (found >= 0).all() and found.max() <= 1.0 + 1e-6
            assert found[-1] > 0
    assert factors(entry(), 1000).max() > 0.999


@every_entry
def test_warm_up_rises_in_a_straight_line_and_meets_the_shape(entry):
    steps, schedule = 1000, entry(warmup=0.2)
    found, start = factors(schedule, steps), float(entry().shape(jnp.asarray(0.0)))
    np.testing.assert_allclose(found[:200], start * np.arange(1, 201) / 201, rtol=1e-5)
    np.testing.assert_allclose(found[200], start, rtol=1e-5)
    shape = np.asarray(jax.vmap(schedule.shape)(jnp.arange(800) / 800))
    np.testing.assert_allclose(found[200:], shape, rtol=1e-4, atol=1e-5)


@every_entry
def test_a_new_value_compiles_nothing_and_lanes_do_not_meet(entry):
    traced = []

    @jax.jit
    def look(schedule, step, steps):
        traced.append(1)
        return schedule(step, steps)

    lanes = jax.tree.map(lambda leaf: jnp.stack([jnp.float32(leaf), jnp.float32(leaf) * 0.9]), entry(warmup=0.5))
    both = jax.vmap(lambda schedule: look(schedule, jnp.asarray(3), jnp.asarray(10)))(lanes)
    assert both.shape == (2,)
    as_arrays = jax.tree.map(jnp.float32, entry(warmup=0.5))
    look(as_arrays, jnp.asarray(3), jnp.asarray(10))
    before = len(traced)
    look(as_arrays.replace(warmup=jnp.float32(0.25)), jnp.asarray(4), jnp.asarray(20))
    assert len(traced) == before


@every_entry
def test_says_what_it_is_and_refuses_bad_settings(entry):
    assert entry.about.title and entry.about.equation
    for bad in (-0.1, 1.0, float("nan")):
        with pytest.raises(OutOfRange, match="warmup"):
            entry(warmup=bad)
    for name, setting in entry.settings().items():
        assert setting.doc.endswith(".")
        for bound, away in ((setting.above, 0), (setting.at_least, -1), (setting.below, 0), (setting.at_most, 1)):
            if setting.kind == "hyper" and bound is not None:
                with pytest.raises(OutOfRange, match=name):
                    entry(**{name: bound + away})
