"""One `downslope compare` as a process of its own: how long, how much memory, which runs, and where the time goes."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.figures import spread
from benchmarks.peer import ROOT, environment

TARGET = "median_house_value"
TWIN = " (twin)"
BESIDE = " | "
Row = tuple[str, str, int, int | None, float]
"""Of a run: contender, phase, updates, the update after which it diverged, seconds."""


class Compared(NamedTuple):
    """One `compare`: wall-clock seconds, for how many of them it waited for the compiler, and peak memory of its process; what it
    wrote."""

    seconds: float
    waited: float
    peak_bytes: int
    result: dict[str, Any]
    runs: list[Row]


def compare(table: Path, folder: Path, cache: Path, options: Iterable[str], target: str = TARGET, **more: str) -> Compared:
    """Runs the command as a user does, with its caches in `cache` and `more` in its environment."""
    waited = folder.with_suffix(".waited")
    command = [sys.executable, "-m", "benchmarks.workers.waiting", str(waited)]
    command += ["compare", str(table), "--target", target, "--out", str(folder), "--fresh"]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.with_suffix(".log"), "w", encoding="utf-8") as log:
        started = time.perf_counter()
        process = subprocess.Popen([*command, *options], stdout=log, stderr=log, cwd=ROOT, env=environment(cache) | more)
        # The peak of this very child. This process stays small, for a child's peak is counted from its parent's size on.
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"compare ended with {process.returncode}: {folder.with_suffix('.log').read_text()[-2000:]}")
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    unit = 1 if sys.platform == "darwin" else 1024
    return Compared(seconds, float(waited.read_text(encoding="utf-8")), usage.ru_maxrss * unit, result, ledger(folder))


def ledger(folder: Path) -> list[Row]:
    """All finished runs."""
    with sqlite3.connect(folder / "ledger.sqlite") as database:
        return database.execute("SELECT contender, phase, updates, diverged_after, seconds FROM runs").fetchall()


def runs_made(runs: Iterable[Row]) -> dict[str, float]:
    """How many runs each contender made, its twin's counted with it, and those that looked for reasons. A loop may stop where a
    run diverges, so that one counts by the part before.

    >>> runs_made([("a", "tuning", 100, None, 0), ("a (twin)", "tuning", 100, 25, 0), ("control linear", "control", 0, None, 1)])
    {'a': 1.25}
    >>> runs_made([("a", "tuning", 100, None, 0), ("a | with an L2 penalty", "counterfactual", 100, None, 0)])
    {'a': 2.0}
    """
    found: dict[str, float] = defaultdict(float)
    for contender, phase, updates, diverged_after, _ in runs:
        if phase != "control":
            found[contender.partition(BESIDE)[0].removesuffix(TWIN)] += 1 if diverged_after is None else diverged_after / updates
    return dict(found)


def training_seconds(runs: Iterable[Row]) -> float:
    """Seconds of training, validation and scoring, those of reference models left out.

    >>> training_seconds([("a", "tuning", 100, None, 2.0), ("control linear", "control", 0, None, 1.0)])
    2.0
    """
    return sum(seconds for _, phase, _, _, seconds in runs if phase != "control")


def where_time_goes(name: str, all_of_them: Sequence[Compared]) -> list[str]:
    """The parts of the comparison whose length is the median."""
    middle = spread([one.seconds for one in all_of_them]).median
    one = min(all_of_them, key=lambda each: abs(each.seconds - middle))
    timing = one.result["timing"]
    training = training_seconds(one.runs)
    controls = sum(seconds for _, phase, _, _, seconds in one.runs if phase == "control")
    parts = {
        "training": training,
        "controls": controls,
        "waiting for the compiler": one.waited,
        "starting Python and imports": one.seconds - timing["total_seconds"],
        "reading, judging, report, the rest": timing["total_seconds"] - training - controls - one.waited,
    }
    return [f"{name}: {one.seconds:6.1f} s in all", *(f"  {seconds:6.1f} s {part}" for part, seconds in parts.items())]
