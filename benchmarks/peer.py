"""A process that measures when it is asked, and only then: requests and answers are lines of JSON."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
LEFT_OUT = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "QUICK", "JAX_COMPILATION_CACHE_DIR", "PYTHONDONTWRITEBYTECODE")


def cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def environment(cache: Path | None = None) -> dict[str, str]:
    """This process's environment, without what `make` left in it, and with the caches at a place of our choice. Python keeps our
    modules as it has compiled them, as it does those that are installed."""
    kept = {name: value for name, value in os.environ.items() if name not in LEFT_OUT}
    return kept if cache is None else kept | {"XDG_CACHE_HOME": str(cache)}


class Peer:
    """One of `benchmarks.workers` in a process of its own. It sleeps while another one works."""

    def __init__(self, worker: str, cache: Path | None = None, **more: str) -> None:
        self.worker = worker
        self.process = subprocess.Popen(
            [sys.executable, "-m", f"benchmarks.workers.{worker}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment(cache) | more,
        )

    def ask(self, do: str, **request: Any) -> dict[str, Any]:
        """Sends a request and waits for its answer."""
        assert self.process.stdin and self.process.stdout
        try:
            self.process.stdin.write(json.dumps({"do": do, **request}) + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise RuntimeError(
                f"{self.worker} ended with code {self.process.wait()} when asked to {do}; its last words stand above"
            )
        return json.loads(answer)

    def __enter__(self) -> "Peer":
        return self

    def __exit__(self, *problem: object) -> None:
        if self.process.stdin:
            self.process.stdin.close()
        self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()


def serve(worker: Any) -> None:
    """The other end: each request calls the worker's method of that name. What libraries print goes to stderr."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        request = json.loads(line)
        answer: Mapping[str, Any] = getattr(worker, request.pop("do"))(**request)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def rotated(settings: Sequence[Any], turn: int) -> list[Any]:
    """Who is asked when: each turn begins with another one. Who follows a library whose threads keep spinning for a while has
    less of the machine.

    >>> rotated(["ours", "optax", "PyTorch"], turn=4)
    ['optax', 'PyTorch', 'ours']
    """
    first = turn % len(settings)
    return [*settings[first:], *settings[:first]]


def versions(*names: str) -> dict[str, str]:
    """Versions of installed packages."""
    return {name: metadata.version(name) for name in names}
