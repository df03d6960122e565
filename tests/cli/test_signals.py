"""Ctrl-C and a request to end, sent to a real process."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest

CHILD = textwrap.dedent(
    """
    import signal, sys, types
    work = types.ModuleType("downslope.comparison.compare")
    def compare(source, watcher, **options):
        try:
            print("working", flush=True)
            signal.pause()
        finally:
            print("cleaning up", flush=True)
            if {twice}:
                signal.pause()
    work.compare = compare
    sys.modules[work.__name__] = work
    from downslope.cli.main import cli
    cli(["compare", "demo:iris", "--fresh"])
    """
)


def child(twice: bool) -> subprocess.Popen:
    code = CHILD.replace("{twice}", str(twice))
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    assert process.stdout is not None and process.stdout.readline() == "working\n"
    return process


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_first_signal_cleans_up_and_tells_how_to_continue(number, code):
    process = child(twice=False)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (code, "cleaning up\n")
    assert err.splitlines()[-1].strip() == "downslope compare demo:iris"


def test_the_second_signal_ends_at_once():
    process = child(twice=True)
    process.send_signal(signal.SIGINT)
    assert process.stdout is not None and process.stdout.readline() == "cleaning up\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
