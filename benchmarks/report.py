"""What was measured, printed as it comes and kept as JSON."""

import json
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.figures import Target, line
from benchmarks.peer import cores

RESULTS = Path(__file__).parent / "results"


class Report:
    """Says each thing once, to the terminal and to the file."""

    def __init__(self, quick: bool) -> None:
        self.data: dict[str, Any] = {
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "quick": quick,
            "machine": {"processor": processor(), "cores": cores(), "system": platform.system()},
            "versions": {"python": platform.python_version()},
            "targets": [],
            "where_time_goes": [],
        }
        machine = self.data["machine"]
        self.say(f"{machine['cores']} cores, {machine['processor']}, {self.data['date']}{', a quick look' if quick else ''}")

    def say(self, text: str) -> None:
        """One line, at once."""
        print(text, flush=True)

    def judge(self, target: Target, values: Sequence[float]) -> None:
        """A figure against its target."""
        figure = target.data(values, earnest=not self.data["quick"])
        self.data["targets"].append(figure)
        self.say(line(figure))

    def use(self, versions: dict[str, str]) -> None:
        """Remembers what was measured with."""
        self.data["versions"] |= versions
        self.say(", ".join(f"{name} {number}" for name, number in versions.items()))

    def write(self, path: Path | None) -> Path:
        """Writes the file, by default a new one in the history."""
        path = path or RESULTS / f"{self.data['date'][:19].replace(':', '')}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        return path


def show(data: dict[str, Any], briefly: bool = False) -> None:
    """The figures of a stored report; briefly: what was promised, and nothing else."""
    machine, versions = data["machine"], data["versions"]
    print(f"\n{data['date']}  {machine['cores']} cores, {machine['processor']}")
    print(", ".join(f"{name} {number}" for name, number in versions.items()))
    for case in [] if briefly else data.get("cases", []):
        print(case_line(case))
    for figure in data["targets"]:
        print(line(figure))
    for text in [] if briefly else data["where_time_goes"]:
        print(text)
    for text in data.get("busy", []):
        print(f"not a quiet machine: {text}")


def case_line(case: dict[str, Any]) -> str:
    """Time for a step of one run."""
    measured = f"{case['median']:9.2f} µs ({case['low']:.2f} to {case['high']:.2f})"
    return f"{case['name']:<48} {measured:<36} validation loss {case['validation']:.4f}"


def latest() -> Path | None:
    """The newest report in the history."""
    return max(RESULTS.glob("*.json"), default=None)


def processor() -> str:
    """The processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((text.partition(":")[2].strip() for text in lines if text.startswith("model name")), platform.machine())
