"""Compute the reference trajectories anew, with implementations that are not ours: `make golden`.

Every file says what made each of its cases. Gradients come from `problems.py` in NumPy; ours is never imported.
"""

import json
import os
import re
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"  # read when Keras is first imported; its norm on torch is in float32 whatever comes

import line_search
import names
import numpy as np
import schedules
import with_keras
import with_optax
import with_pytorch_optimizer
import with_torch
from problems import PROBLEMS, STARTS, STEPS, factors, flat, nested

HERE = Path(__file__).parent


def trajectory(case):
    """The parameters after each step, and the points to predict with where the method averages."""
    gradient_of, rates = PROBLEMS[case.problem], case.rate * (np.ones(STEPS) if case.constant else factors())
    runner = case.start(nested(STARTS[case.problem].copy()), gradient_of)
    points, evaluated = [], []
    for step, rate in enumerate(rates):
        runner.step(step, float(rate))
        points.append(flat(runner.params(), np).tolist())
        if hasattr(runner, "evaluated"):
            evaluated.append(flat(runner.evaluated(), np).tolist())
    assert np.isfinite(points).all(), (case, "diverged")
    record = {"problem": case.problem, "made_by": case.made_by, "settings": case.settings, "rates": rates.tolist()}
    record |= {"start": STARTS[case.problem].tolist(), "points": points}
    return record | ({"evaluated": evaluated} if evaluated else {})


def write(name, cases):
    """One file for each optimizer, one line for each point, so that a change can be read."""
    text = json.dumps({"cases": cases}, indent=1, ensure_ascii=False)
    text = re.sub(r"(?<=[\[,])\s+(?=[-\d])|(?<=\d)\s+(?=\])", "", text)  # join the innermost lists into lines
    text = re.sub(r"(?<=\d),(?=[-\d])", ", ", text)
    (HERE / f"{name}.json").write_text(text + "\n")
    print(f"{name}: {len(cases)} cases from {', '.join(sorted({case['made_by'].partition(',')[0] for case in cases}))}")


def main():
    """Write all files, or those whose names are given."""
    refuse_ours()
    found = {}
    for module in (with_torch, with_optax, with_keras, with_pytorch_optimizer):
        for case in module.cases():
            found.setdefault(case.optimizer, []).append(case)
    for name, cases in sorted(found.items()):
        if not sys.argv[1:] or name in sys.argv[1:]:
            write(name, [trajectory(case) for case in cases])
    if not sys.argv[1:] or "schedules" in sys.argv[1:]:
        write("schedules", list(schedules.cases()))
    if not sys.argv[1:] or "line_searches" in sys.argv[1:]:
        write("line_searches", list(line_search.cases()))
    if not sys.argv[1:] or "names" in sys.argv[1:]:
        names.write(HERE)
    refuse_ours()


def refuse_ours():
    """Ends with an error if our package was imported: before anything is written, and again at the end."""
    ours = [module for module in sys.modules if module.partition(".")[0] == "downslope"]
    if ours:
        sys.exit(f"reference numbers must not come from ours, but these were imported: {', '.join(ours)}")


if __name__ == "__main__":
    main()
