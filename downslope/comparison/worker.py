"""A second process beside a short comparison: it fits the references and draws the report while the first one trains."""

import gc
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

from downslope.comparison.later import MODELS, prepare

Result = TypeVar("Result")
SHORT = 500_000  # bytes of a file; a comparison on more of them trains for so long that both cores have enough to do
BUILT_IN = "demo:"


class Worker:
    """The other process, as the first one sees it. It imports what references need, then does one thing after another.

    What it cannot do, because it has died or for any other reason, is done by whoever asked when the answer is wanted.
    """

    def __init__(self) -> None:
        self.connection, other = Pipe()
        # -P and our own path: what lies in the present folder is imported there only if it would be here.
        command = [sys.executable, "-P", "-m", __name__, str(other.fileno())]
        self.process = subprocess.Popen(
            command,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[other.fileno()],
            start_new_session=True,  # a Ctrl-C is for the first process, which decides what is still to be done
        )
        other.close()
        self.asking = ThreadPoolExecutor(1, thread_name_prefix="asking")
        self.asked: list[Future[tuple[bool, Any]]] = []
        self.ask(gc.set_threshold, *gc.get_threshold())
        self.ask(prepare, *MODELS)

    def ask(self, work: Callable[..., Result], *arguments: Any) -> Callable[[], Result]:
        """Has a function of a module called there; the answer waits until it is there."""
        future = self.asking.submit(self.answered, work, arguments)
        self.asked.append(future)

        def answer() -> Result:
            done, value = future.result()
            return value if done else work(*arguments)

        return answer

    def answered(self, work: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[bool, Any]:
        """Whether the other process has done the work, and what came of it."""
        try:
            self.connection.send((work, arguments))
            return self.connection.recv()
        except (OSError, EOFError):  # it has died
            return False, None

    def drop(self) -> None:
        """Forgets what it was asked and has not begun; nobody may wait for those answers."""
        for future in self.asked:
            future.cancel()

    def close(self) -> None:
        """Ends the other process, whatever it does."""
        self.process.kill()
        self.process.wait()
        self.asking.shutdown(cancel_futures=True)
        self.connection.close()


@contextmanager
def beside(source: str) -> Iterator[Worker | None]:
    """A worker for a comparison of this source where it is a short one, and where a process can be started."""
    worker = None
    if source.startswith(BUILT_IN) or Path(source).stat().st_size <= SHORT:
        with suppress(OSError):  # no process can be started here
            worker = Worker()
    try:
        yield worker
    finally:
        if worker is not None:
            worker.close()


def serve(connection: Connection) -> None:
    """Does what comes through the connection, until its other end is closed."""
    with suppress(EOFError, OSError):
        while True:
            work, arguments = connection.recv()
            try:
                answer = True, work(*arguments)
            except Exception:  # whoever asked does it again, and tells it in its own words
                answer = False, None
            connection.send(answer)


if __name__ == "__main__":
    serve(Connection(int(sys.argv[1])))
