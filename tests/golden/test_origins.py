"""Where recorded numbers come from: PyTorch, Keras or optax where one of them has the published rule. What comes from elsewhere
says why (`origins.json`), and the reason is tried here: the others leave the record, or a printed number is met.
"""

import json
import math
import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from problems import nested
from test_optimizers_golden import RECORDED, TOLERANCE, recorded

from downslope import optimizers, schedules

FOLDER = Path(__file__).parent
FRAMEWORK = re.compile(r"(torch|keras|optax) (\d+\.\d+\.\d+)")
REASONS = json.loads((FOLDER / "origins.json").read_text(encoding="utf-8"))
SCHEDULED = json.loads((FOLDER / "schedules.json").read_text())["cases"]
SEARCHED = json.loads((FOLDER / "line_searches.json").read_text())["cases"]
MADE_BY = [(name, case["made_by"]) for name, cases in RECORDED.items() for case in cases]
MADE_BY += [(case["schedule"], case["made_by"]) for case in SCHEDULED] + [("lbfgs", case["made_by"]) for case in SEARCHED]


def test_every_entry_has_recorded_numbers():
    assert {name for name, _ in MADE_BY} == {*optimizers.catalogue, *schedules.catalogue}


def test_what_comes_from_elsewhere_says_why():
    elsewhere = {name for name, made_by in MADE_BY if not FRAMEWORK.match(made_by)}
    assert elsewhere == set(REASONS) and all(len(reason) > 40 for reason in REASONS.values())


def test_versions_are_the_pinned_ones():
    pinned = dict(line.split("==") for line in (FOLDER.parents[1] / "constraints.txt").read_text().split())
    said = {pair for _, made_by in MADE_BY for pair in re.findall(r"([\w-]+) (\d+\.\d+\.\d+)", made_by)}
    assert {name for name, _ in said} == {"torch", "keras", "optax", "pytorch-optimizer"}
    assert all(pinned[name.replace("-", "_")] == version for name, version in said)


CLOSEST = {
    "adan": lambda rate, s: optax.adan(rate, s["b1"], s["b2"], s["b3"], s["epsilon"], weight_decay=s["weight_decay"]),
    "lars": lambda rate, s: optax.lars(rate, s["weight_decay"], trust_coefficient=s["trust"], momentum=s["momentum"]),
    "prodigy": lambda rate, s: optax.contrib.prodigy(
        rate,
        (s["b1"], s["b2"]),
        eps=s["epsilon"],
        estim_lr0=s["first_distance"],
        estim_lr_coef=s["growth"],
        weight_decay=s["weight_decay"],
    ),
}


@pytest.mark.parametrize("name", CLOSEST)
def test_what_optax_has_leaves_the_record(name):
    """Within three steps, and by far more than rounding."""
    with jax.enable_x64(True):
        for number, case in enumerate(RECORDED[name]):
            if FRAMEWORK.match(case["made_by"]):
                continue
            truth, state, far = recorded(name, number), None, []
            for step in range(3):
                rule = CLOSEST[name](truth["rates"][step], case["settings"])
                point, gradient = (nested(jnp.asarray(truth[what][step])) for what in ("points", "gradients"))
                state = rule.init(point) if state is None else state
                change, state = rule.update(gradient, state, point)
                reached = optax.apply_updates(point, change)
                moved = np.concatenate([np.ravel(reached["weight"]), np.ravel(reached["bias"])])
                far.append(np.max(np.abs(moved - truth["points"][step + 1]) / np.abs(truth["points"][step + 1])))
            assert max(far) > 1e6 * TOLERANCE


def test_the_written_out_equation_meets_printed_rates():
    """Trax, trax/supervised/lr_schedules_test.py: 24 steps of warm-up and a greatest rate of 0.25. Its steps count from 1."""
    printed = {1: 0.01, 2: 0.02, 23: 0.23, 24: 0.24, 25: 0.25} | {
        n: 0.25 * (5 / math.sqrt(n)) for n in (26, 27, 300, 4000, 50000)
    }
    rising, steps = 24, 60000
    after = schedules.catalogue["inverse_square_root"](warmup=rising / steps, timescale=(rising + 1) / (steps - rising))
    with jax.enable_x64(True):
        for number, rate in printed.items():
            assert 0.25 * float(after(number - 1, steps)) == pytest.approx(rate, rel=1e-9)


def test_no_peer_has_the_schedule_that_is_written_out():
    assert not [name for name in dir(optax.schedules) if "sqrt" in name or "inverse" in name]
    names = json.loads((FOLDER / "names.json").read_text(encoding="utf-8"))
    assert not [name for peer in ("PyTorch", "Keras") for name in names[peer]["names"]["schedule"] if "sqrt" in name.lower()]
