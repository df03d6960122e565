"""Ctrl-C and a request to end: the first stops cleanly, the second at once."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Terminated(KeyboardInterrupt):
    """The system asked the process to end; whoever cleans up after Ctrl-C cleans up after this too."""


@contextmanager
def stoppable() -> Iterator[None]:
    """Inside, the first SIGINT or SIGTERM raises and the second leaves without waiting for anything."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def stop(number: int, frame: FrameType | None) -> None:
    """Says so, arms the second signal, and raises."""
    del frame
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, leave)
    os.write(2, b"\nStopping; what is finished is written down. Once more to stop at once.\n")
    raise Terminated if number == signal.SIGTERM else KeyboardInterrupt


def leave(number: int, frame: FrameType | None) -> None:
    """Ends the process now. What is committed is safe; the cursor, which a progress bar hides, comes back."""
    del frame
    if sys.stderr.isatty():
        os.write(2, b"\x1b[?25h\n")
    os._exit(128 + number)
