"""On a GPU: the share of its matrix rate, the whole job against two cores, the same bits after a resume; `make bench-gpu`."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from benchmarks.compared import TARGET, compare
from benchmarks.figures import Target, spread
from benchmarks.job import TABLE
from benchmarks.neighbours import Watch
from benchmarks.peer import ROOT, Peer, environment
from benchmarks.report import RESULTS, Report
from benchmarks.shapes import operations
from benchmarks.sizes import Sizes

DETERMINISTIC = "--xla_gpu_deterministic_ops=true"
WIDTHS = (64, 64)
DEMO = "demo:diabetes"  # where the large table is not there, and for a quick look


class NoCard(Exception):
    """There is no GPU; the message says so in one line."""


def flags() -> str:
    """Deterministic operations beside what the caller has set."""
    return f"{os.environ.get('XLA_FLAGS', '')} {DETERMINISTIC}".strip()


def two_cores() -> float | None:
    """Seconds of the newest stored warm comparison on two cores."""
    for path in sorted(RESULTS.glob("*.json"), reverse=True):
        data = json.loads(path.read_text(encoding="utf-8"))
        if "job" in data and data["machine"]["cores"] == 2:
            return spread(data["job"]["warm_seconds"]).median
    return None


def measure(report: Report, sizes: Sizes, watch: Watch) -> None:
    """Refuses without a card, unless it is only a quick look: then everything runs, small, on what there is."""
    with tempfile.TemporaryDirectory() as place, Peer("ours", Path(place), XLA_FLAGS=flags()) as ours:
        card = ours.ask("card")
        if card["platform"] == "cpu" and not report.data["quick"]:
            raise NoCard("no GPU: JAX finds none, nothing was measured; docs/benchmarks.md says how to install JAX for a card")
        report.data["card"] = card
        report.say(f"\ncard: {card['name']} ({card['platform']}), XLA_FLAGS={flags()}")
        rates(report, sizes, ours)
    watch.check()
    whole(report, sizes)
    watch.check()


def rates(report: Report, sizes: Sizes, ours: Peer) -> None:
    """Many runs of the MLP together, in the layout for this kind of device and in others, against a large product."""
    problem, lanes = replace(sizes.problem, epochs=sizes.network_epochs), sizes.card_lanes
    given = {name: value for name, value in asdict(problem).items() if name != "rows"}
    for layout in (None, *sizes.card_layouts):
        report.use(ours.ask("prepare", count=problem.rows, widths=WIDTHS, layout=layout, **given))
        ours.ask("run", model="mlp", lanes=lanes, threads=0)
        shares, micro = [], []
        for _ in range(sizes.alternations):
            rate = ours.ask("product", side=sizes.card_side)["rate"]
            answer = ours.ask("run", model="mlp", lanes=lanes, threads=0)
            each = answer["seconds"] / (answer["steps"] * lanes)
            micro.append(1e6 * each)
            shares.append(100 * operations(problem, WIDTHS) / each / rate)
        words = "as downslope chooses" if layout is None else f"{layout[0]} blocks of {layout[1]}"
        report.say(f"{lanes} runs of MLP 64-64, {words}: a step of one run {spread(micro).median:.3f} µs")
        bound = 30 if layout is None else None
        report.judge(Target(f"{lanes} runs, {words}, of the matrix rate", bound, "%"), shares)


def whole(report: Report, sizes: Sizes) -> None:
    """The comparison from an empty cache, again for its time, and once more killed and continued."""
    small = report.data["quick"] or not TABLE.exists()
    table, target = (Path(DEMO), "progression") if small else (TABLE, TARGET)
    more = {"XLA_FLAGS": flags()}
    with tempfile.TemporaryDirectory() as place:
        folder, cache = Path(place), Path(place) / "cache"
        first = compare(table, folder / "first", cache, sizes.options, target, **more)
        warm = [compare(table, folder / f"warm {n}", cache, sizes.options, target, **more).seconds for n in range(sizes.jobs)]
        report.data["card_seconds"] = {"cold": first.seconds, "warm": warm}
        before = two_cores()
        if before is not None and not small:
            report.judge(Target("whole compare, against two cores", 20), [before / seconds for seconds in warm])
        killed(table, target, folder / "resumed", cache, sizes, runs=max(1, len(first.runs) // 2))
        again = command(table, target, folder / "resumed", sizes)
        subprocess.run(again, cwd=ROOT, env=environment(cache) | more, check=True, capture_output=True)
        same = contents(folder / "first") == contents(folder / "resumed")
        report.judge(Target("killed halfway and continued: the same bytes (1 is yes)", 1, ""), [float(same)])


def command(table: Path, target: str, folder: Path, sizes: Sizes) -> list[str]:
    """The comparison as it is continued: without `--fresh`."""
    return [sys.executable, "-m", "downslope", "compare", str(table), "--target", target, "--out", str(folder), *sizes.options]


def killed(table: Path, target: str, folder: Path, cache: Path, sizes: Sizes, runs: int) -> None:
    """Starts the comparison and kills it as soon as its ledger holds so many runs."""
    process = subprocess.Popen(
        command(table, target, folder, sizes),
        cwd=ROOT,
        env=environment(cache) | {"XLA_FLAGS": flags()},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while process.poll() is None and finished(folder) < runs:
        time.sleep(0.02)
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGKILL)
    process.wait()


def finished(folder: Path) -> int:
    """Runs in a ledger that another process writes."""
    try:
        with sqlite3.connect(f"file:{folder / 'ledger.sqlite'}?mode=ro", uri=True) as database:
            return database.execute("SELECT count(*) FROM runs").fetchone()[0]
    except sqlite3.OperationalError:
        return 0  # not there yet


def contents(folder: Path) -> dict[str, Any]:
    """The result without its times, and the model's files."""
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    result.pop("timing")
    files = {path.name: path.read_bytes() for path in sorted((folder / "model").rglob("*")) if path.is_file()}
    return {"result": result, **files}
