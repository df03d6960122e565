"""Ctrl-C and a request to end, sent to a real process."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest

CHILD = textwrap.dedent(
    """
    import gc, signal, sys, threading, types
    def wait(phase, info):
        gc.callbacks.clear()
        signal.pause()
    work = types.ModuleType("downslope.comparison.compare")
    def compare(source, watcher, **options):
        try:
            print("working", flush=True)
            if {lost}:
                gc.callbacks.append(wait)
                gc.collect()
                print("gone on", flush=True)
                threading.Event().wait(60)
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


def child(twice: bool = False, lost: bool = False) -> subprocess.Popen:
    code = CHILD.replace("{twice}", str(twice)).replace("{lost}", str(lost))
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    assert process.stdout is not None and process.stdout.readline() == "working\n"
    return process


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_first_signal_cleans_up_and_tells_how_to_continue(number, code):
    process = child()
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (code, "cleaning up\n")
    assert err.splitlines()[-1].strip() == "downslope compare demo:iris"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_that_comes_while_python_looks_for_cycles_is_not_lost(number, code):
    """JAX has a callback there, and what is raised in one is dropped."""
    process = child(lost=True)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert out in ("cleaning up\n", "gone on\ncleaning up\n")
    assert "Traceback" not in err and err.count("Stopping") == 1
    assert err.splitlines()[-1].strip() == "downslope compare demo:iris"


def test_what_else_python_drops_is_told_as_ever():
    code = """if True:
        import downslope.cli.signals as signals
        class Broken:
            def __del__(self):
                raise ValueError("in the end")
        with signals.stoppable():
            Broken()
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "ValueError: in the end" in done.stderr


def test_the_second_signal_ends_at_once():
    process = child(twice=True)
    process.send_signal(signal.SIGINT)
    assert process.stdout is not None and process.stdout.readline() == "cleaning up\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
