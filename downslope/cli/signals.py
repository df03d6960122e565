"""Ctrl-C and a request to end: the first stops cleanly, the second at once."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)
SOON = 0.01  # seconds


class Terminated(KeyboardInterrupt):
    """The system asked the process to end; whoever cleans up after Ctrl-C cleans up after this too."""


@contextmanager
def stoppable() -> Iterator[None]:
    """Inside, the first SIGINT or SIGTERM raises and the second leaves without waiting for anything."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, stop) for number in SIGNALS}
    hook, sys.unraisablehook = sys.unraisablehook, again
    try:
        yield
    finally:
        sys.unraisablehook = hook
        for number, handler in before.items():
            signal.signal(number, handler)


def stop(number: int, frame: FrameType | None) -> None:
    """Says so, and interrupts."""
    os.write(2, b"\nStopping; what is finished is written down. Once more to stop at once.\n")
    interrupt(number, frame)


def interrupt(number: int, frame: FrameType | None) -> None:
    """Arms the second signal, and raises."""
    del frame
    for each in SIGNALS:
        signal.signal(each, leave)
    raise Terminated if number == signal.SIGTERM else KeyboardInterrupt


def again(lost: "sys.UnraisableHookArgs") -> None:
    """Interrupts again where the first time was lost: what is raised in a callback of the garbage collector, of which JAX has
    one, is dropped by Python."""
    if not isinstance(lost.exc_value, KeyboardInterrupt):
        sys.__unraisablehook__(lost)
        return
    number = signal.SIGTERM if isinstance(lost.exc_value, Terminated) else signal.SIGINT
    signal.signal(number, interrupt)
    # By another thread and a moment later: raised here it would be lost as well.
    timer = threading.Timer(SOON, signal.pthread_kill, (threading.main_thread().ident, number))
    timer.daemon = True
    timer.start()


def leave(number: int, frame: FrameType | None) -> None:
    """Ends the process now. What is committed is safe; the cursor, which a progress bar hides, comes back."""
    del frame
    if sys.stderr.isatty():
        os.write(2, b"\x1b[?25h\n")
    os._exit(128 + number)
