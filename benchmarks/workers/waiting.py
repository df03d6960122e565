"""Runs `downslope` with the arguments that follow a file's name, and writes to that file how long it waited for the compiler: the
seconds in which its main thread waits for what another thread compiles or loads, or traces, compiles or loads one itself."""

import functools
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

COMPILING = "/jax/core/compile/"


def length(spans: Iterable[tuple[float, float]]) -> float:
    """Seconds that lie in at least one of the spans: tracing one program may trace another one.

    >>> length([(0.0, 2.0), (1.0, 3.0), (5.0, 6.0)])
    4.0
    """
    total, reached = 0.0, float("-inf")
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total


def main() -> None:
    """Runs the command, writes the file, and ends with the command's code."""
    file, *arguments = sys.argv[1:]
    from jax import monitoring

    from downslope.cli.main import main as downslope
    from downslope.training.trainer import Trainer

    spans: list[tuple[float, float]] = []

    def compiled(event: str, duration_secs: float, **_: Any) -> None:
        if event.startswith(COMPILING) and threading.current_thread() is threading.main_thread():
            now = time.perf_counter()
            spans.append((now - duration_secs, now))

    def timed(work: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(work)
        def wrapped(*given: Any) -> Any:
            started = time.perf_counter()
            try:
                return work(*given)
            finally:
                spans.append((started, time.perf_counter()))

        return wrapped

    monitoring.register_event_duration_secs_listener(compiled)
    Trainer.compiled = timed(Trainer.compiled)
    sys.argv = ["downslope", *arguments]
    try:
        downslope()
    finally:
        Path(file).write_text(f"{length(spans):.3f}", encoding="utf-8")


if __name__ == "__main__":
    main()
