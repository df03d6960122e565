"""The program, with a clock or a counter that ends it: run as a script by the tests of resuming.

`stopped.py HOW WHERE ARGUMENTS…`: `event N` kills the process at the N-th statement of the ledger or the N-th file put in
place, `clock S` kills it S seconds after the ledger was opened, `interrupt 1` sends Ctrl-C when the first contender is done,
`never 0` lets it be. The number of events goes to the file that the environment's `EVENTS` names; `CORES` says how many
cores the process may use.
"""

import atexit
import os
import signal
import sqlite3
import sys
from pathlib import Path

how, where, *arguments = sys.argv[1:]
out = Path(arguments[arguments.index("--out") + 1]).resolve()
events = 0
connect = sqlite3.connect


def event(*_: object) -> None:
    """Counts, and ends the process without a word when its time has come."""
    global events
    events += 1
    if how == "event" and events == int(where):
        os.kill(os.getpid(), signal.SIGKILL)


def watched(*args, **keywords) -> sqlite3.Connection:
    """A connection whose statements count."""
    if how == "clock":
        signal.signal(signal.SIGALRM, signal.SIG_DFL)  # ends the process as SIGKILL does: no handler, no clean-up
        signal.setitimer(signal.ITIMER_REAL, float(where))
    database = connect(*args, **keywords)
    database.set_trace_callback(event)
    return database


def audit(name: str, details: tuple) -> None:
    """Files of the run folder that are put in place count."""
    if name == "os.rename" and out in Path(os.fsdecode(details[1])).resolve().parents:
        event()


if __name__ == "__main__":
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(os.environ["CORES"])])
    sqlite3.connect = watched
    sys.addaudithook(audit)
    atexit.register(lambda: Path(os.environ["EVENTS"]).write_text(str(events)))
    if how == "interrupt":
        from downslope.comparison.progress import Progress

        finished = Progress.finished

        def and_stop(self: Progress, contender, row) -> None:
            """Ctrl-C as soon as the first contender is done."""
            finished(self, contender, row)
            os.kill(os.getpid(), signal.SIGINT)

        Progress.finished = and_stop
    from downslope.cli.main import cli

    cli(arguments)
