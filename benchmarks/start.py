"""How long a newcomer waits: the demo after set-up with empty caches, and the help."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures import Target
from benchmarks.neighbours import Watch
from benchmarks.peer import ROOT, environment
from benchmarks.report import Report
from benchmarks.sizes import Sizes

NEEDED = ("Makefile", "pyproject.toml", "constraints.txt", ".venv")


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


def measure(report: Report, sizes: Sizes, watch: Watch) -> None:
    """The demo and the help, some times each."""
    report.say(f"\nstart: {' '.join(sizes.demo)}; downslope --help")
    timed(["make", "setup"], ROOT)
    seconds = []
    for _ in range(sizes.demos):
        seconds.append(demo(sizes.demo))
        watch.check()
    report.judge(Target(f"{' '.join(sizes.demo)}, cold", 60, "s", least=False), seconds)
    command = [str(Path(sys.executable).parent / "downslope"), "--help"]
    waits = [1000 * timed(command, ROOT) for _ in range(sizes.helps + 1)]
    report.judge(Target("downslope --help", 150, "ms", least=False), waits[1:])
    watch.check()
