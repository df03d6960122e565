"""What is said while the work goes on: seldom on a pipe, live on a terminal, nothing odd anywhere."""

import os
import pty
import re
import select
import subprocess
import sys
import textwrap

import pytest

from downslope.cli.progress import Progress

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
CHILD = textwrap.dedent(
    """
    import sys
    from downslope.cli.progress import Progress
    with Progress() as watcher:
        for done in range(1, 41):
            watcher.advanced(done, 40, 90.0 - done, "[b]huber[/b] \\x1b[5m" + "long " * 40)
        watcher.say("a line above")
        watcher.finished(None)
        print("after", file=sys.stderr)
    """
)


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_on_a_pipe_a_plain_line_at_most_every_ten_seconds(capsys):
    clock = Clock()
    with Progress(clock=clock) as watcher:
        for second in range(60):
            clock.now = float(second)
            watcher.advanced(second, 60, 60.0 - second, "huber × adam 49 012")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "10 of 60 runs, about 50 s left, best so far huber × adam 49 012"
    assert len(lines) == 5


def test_on_a_pipe_every_contender_has_a_line_as_soon_as_it_has_a_score(capsys):
    row = {"id": "huber × adam", "words": "huber × adam RMSE 49.01", "status": "ok"}
    with Progress(clock=Clock()) as watcher:
        watcher.ranked(row)
        watcher.ranked(row | {"id": "huber × sgd", "words": "huber × sgd RMSE nan", "status": "diverged"})
    with Progress(quiet=True, clock=Clock()) as watcher:
        watcher.ranked(row)
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["huber × adam RMSE 49.01", "huber × sgd diverged"]


def test_the_first_line_without_a_leader_or_a_time(capsys):
    clock = Clock()
    with Progress(clock=clock) as watcher:
        clock.now = 11.0
        watcher.advanced(1, 60, None, "")
    assert capsys.readouterr().err == "1 of 60 runs\n"


def test_quiet_is_quiet(capsys, dataset):
    clock = Clock()
    with Progress(quiet=True, clock=clock) as watcher:
        watcher.found(dataset)
        watcher.planned(["something"])
        watcher.say("something")
        clock.now = 100.0
        watcher.advanced(1, 2, 1.0, "x")
    assert capsys.readouterr().err == ""


def on_a_terminal(columns: int, **environment: str) -> str:
    """What a child writes on stderr when that is a terminal."""
    ours, theirs = pty.openpty()
    environment = (
        {k: v for k, v in os.environ.items() if k != "NO_COLOR"} | {"COLUMNS": str(columns), "TERM": "xterm"} | environment
    )
    child = subprocess.Popen([sys.executable, "-c", CHILD], stderr=theirs, stdout=subprocess.DEVNULL, env=environment)
    os.close(theirs)
    written = b""
    while select.select([ours], [], [], 60)[0]:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # the child has closed its side
            break
        if not piece:
            break
        written += piece
    os.close(ours)
    assert child.wait() == 0, written
    return written.decode()


@pytest.mark.parametrize("columns", [40, 100])
def test_live_on_a_terminal(columns):
    written = on_a_terminal(columns)
    assert "40/40" in written and "about 50 s left" in written
    assert "\x1b[5m" not in written and ("best so far [b]huber[/b] [5mlong" in written or columns == 40)
    assert written.count("\x1b[?25l") == written.count("\x1b[?25h") == 1  # the cursor is hidden once and comes back
    for line in re.split(r"[\r\n]+", ESCAPE.sub("", written)):
        assert len(line) <= columns
    assert written.rstrip().endswith("after")


def test_without_colours_there_are_none():
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", on_a_terminal(80, NO_COLOR="1"))


def test_a_dumb_terminal_gets_plain_lines():
    written = on_a_terminal(80, TERM="dumb")
    assert "\x1b" not in written
    assert [line.strip() for line in written.splitlines()] == ["a line above", "after"]
