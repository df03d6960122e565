"""How long a newcomer waits: the demo after set-up with empty caches, a comparison on 500 rows, and the help."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.figures import Target
from benchmarks.neighbours import Watch
from benchmarks.peer import ROOT, environment
from benchmarks.report import Report
from benchmarks.sizes import Sizes

SMALL = ("--losses", "squared_error,huber", "--optimizers", "sgd,momentum,adam")
NEEDED = ("Makefile", "pyproject.toml", "setup.py", "constraints.txt", ".venv")


def timed(command: Sequence[str], folder: Path, cache: Path | None = None) -> float:
    """Seconds of a command; what it prints is shown only if it fails."""
    started = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment(cache), capture_output=True, text=True)
    seconds = time.perf_counter() - started
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {(done.stdout + done.stderr)[-2000:]}")
    return seconds


def demo(command: Sequence[str]) -> float:
    """Seconds of the demo in an empty folder, so that it finds neither programs nor finished runs."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "checkout"
        folder.mkdir()
        for name in NEEDED:
            (folder / name).symlink_to(ROOT / name)
        return timed(command, folder, Path(place) / "cache")


def small_table(file: Path, rows: int = 500) -> Path:
    """Eight numbers and a name that say something about a ninth number."""
    draw = np.random.default_rng(0)
    numbers, names = draw.normal(size=(rows, 8)), draw.choice(list("abcd"), rows)
    target = numbers @ draw.normal(size=8) + np.sin(3 * numbers[:, 0]) + 1.5 * (names == "a") + draw.normal(size=rows) / 2
    lines = [
        ",".join([*map("{:.5f}".format, row), name, f"{y:.5f}"]) for row, name, y in zip(numbers, names, target, strict=True)
    ]
    file.write_text("\n".join([",".join([*(f"x{place}" for place in range(8)), "kind", "y"]), *lines, ""]), encoding="utf-8")
    return file


def small(table: Path, folder: Path, cache: Path, options: Sequence[str]) -> tuple[float, float]:
    """Seconds of a comparison as a user starts it, and seconds until its first contender has a line."""
    command = [sys.executable, "-m", "downslope", "compare", str(table), "--target", "y", "--out", str(folder), *options]
    started, row, said = time.perf_counter(), None, []
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(cache), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr
        for line in process.stderr:
            said.append(line)
            if row is None and line.startswith(("squared_error × ", "huber × ")):
                row = time.perf_counter() - started
    if process.returncode or row is None:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}: {''.join(said)[-2000:]}")
    return time.perf_counter() - started, row


def measure_small(report: Report, sizes: Sizes, watch: Watch) -> None:
    """A comparison on 500 rows, with nothing compiled before and again."""
    options = [*SMALL, *sizes.small]
    report.say(f"\nstart: compare on 500 rows {' '.join(options)}")
    cold, warm = [], []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        table = small_table(folder / "table.csv")
        for number in range(sizes.demos):
            for name, found in (("cold", cold), ("warm", warm)):
                found.append(small(table, folder / f"{name} {number}", folder / f"cache {number}", options))
                watch.check()
    report.judge(Target("500 rows, nothing compiled before", 15, "s", least=False), [seconds for seconds, _ in cold])
    report.judge(Target("500 rows, programs in the cache", 6, "s", least=False), [seconds for seconds, _ in warm])
    report.judge(Target("500 rows, first contender ranked, cold", 6, "s", least=False), [row for _, row in cold])
    report.judge(Target("500 rows, first contender ranked, warm", 6, "s", least=False), [row for _, row in warm])


def measure(report: Report, sizes: Sizes, watch: Watch) -> None:
    """The demo and the help, some times each."""
    report.say(f"\nstart: {' '.join(sizes.demo)}; downslope --help")
    timed(["make", "setup"], ROOT)
    seconds = []
    for _ in range(sizes.demos):
        seconds.append(demo(sizes.demo))
        watch.check()
    report.judge(Target(f"{' '.join(sizes.demo)}, cold", 60, "s", least=False), seconds)
    measure_small(report, sizes, watch)
    command = [str(Path(sys.executable).parent / "downslope"), "--help"]
    waits = [1000 * timed(command, ROOT) for _ in range(sizes.helps + 1)]
    report.judge(Target("downslope --help", 150, "ms", least=False), waits[1:])
    watch.check()
