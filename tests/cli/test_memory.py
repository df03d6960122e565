"""Memory that is free stays with the process."""

import ctypes
import subprocess
import sys

import pytest

from downslope.cli import memory

SCRIPT = """
from downslope.cli import memory

def held() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 >> 20

def grown() -> int:
    before, blocks = held(), [bytearray(4 << 20) for _ in range(30)]
    for block in blocks:
        block[::4096] = b"x" * len(block[::4096])
    del block, blocks
    return held() - before

print(grown(), memory.keep(), grown())
"""


CAN = sys.platform == "linux" and hasattr(ctypes.CDLL(None), "mallopt")


@pytest.mark.skipif(not CAN, reason="needs Linux and its usual C library")
def test_what_is_free_is_kept_once_that_was_asked_for():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    before, _, after = done.stdout.split()
    assert int(before) < 60 < 100 < int(after), done.stdout


def test_elsewhere_nothing_is_asked(monkeypatch):
    asked = []
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(ctypes, "CDLL", lambda *given: asked.append(given))
    memory.keep()
    assert not asked
