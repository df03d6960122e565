"""Killed at any moment, stopped by Ctrl-C, on one core or two, from a cold or a warm cache: the same bytes in the end."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import downslope
from downslope.comparison import run as running
from downslope.comparison.watch import Watcher
from downslope.training import budget
from tests.comparison import small

SCRIPT = Path(__file__).parent / "stopped.py"
LINE = [
    *("compare", "prices.csv", "--target", "price", "--losses", "huber", "--optimizers", "sgd,adam"),
    *("--model", "mlp(widths=[8])", "--epochs", "8", "--draws", "3", "--seeds", "4", "--quiet"),
]
KILLS = 5


class Place:
    """A folder with a table, in which the program is run and stopped."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.cache, self.count = folder, folder / "cache", folder / "events"
        self.again = 0  # events of a run that finds everything done: any run has so many before its end
        small.write(folder / "prices.csv", small.only(*small.PLAIN))

    def start(self, out: str, how: str = "never", where: float = 0, cores: int = 2) -> subprocess.CompletedProcess[str]:
        """Runs the command in its own process, on so many cores."""
        environment = os.environ | {"XDG_CACHE_HOME": str(self.cache), "EVENTS": str(self.count), "CORES": str(cores)}
        return subprocess.run(
            [sys.executable, "-W", "error", str(SCRIPT), how, str(where), *LINE, "--out", out],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
        )

    def intact(self, out: str) -> bool:
        """Whether the ledger is a whole database (a copy is asked, so that the journal stays for the program itself)."""
        copy = self.folder / "copy"
        copy.mkdir(exist_ok=True)
        for name in ("ledger.sqlite", "ledger.sqlite-wal"):
            (copy / name).unlink(missing_ok=True)
            if (self.folder / out / name).exists():
                (copy / name).write_bytes((self.folder / out / name).read_bytes())
        database = sqlite3.connect(copy / "ledger.sqlite")
        found = database.execute("PRAGMA integrity_check").fetchall()
        database.close()
        return found == [("ok",)]


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Place:
    """The table, and in `whole` the run that nobody stopped, with an empty compilation cache."""
    place = Place(tmp_path_factory.mktemp("resume"))
    done = place.start("whole")
    assert done.returncode == 0, done.stderr
    first = small.timeless(place.folder / "whole")
    place.start("whole")
    assert small.timeless(place.folder / "whole") == first, "the same command again says the same"
    place.again = int(place.count.read_text())
    return place


@pytest.fixture(scope="module")
def whole(place) -> dict[str, bytes]:
    """What must come out."""
    return small.timeless(place.folder / "whole")


def test_killed_again_and_again_it_ends_in_the_same_bytes(place, whole):
    draw = np.random.default_rng(2024)
    struck = 0
    for number in range(KILLS):
        how, moment = ("clock", draw.uniform(0.1, 1.0)) if number % 2 else ("event", int(draw.integers(1, place.again)))
        done = place.start("killed", how, moment)
        struck += done.returncode in (-signal.SIGKILL, -signal.SIGALRM)
        assert done.returncode <= 0, done.stderr
        assert place.intact("killed")
    assert struck >= 3, "the kills must meet a program at work"
    done = place.start("killed")
    assert (done.returncode, done.stderr) == (0, "")
    assert small.timeless(place.folder / "killed") == whole


def test_killed_while_it_writes_the_answer(place, whole):
    for before in (0, 3):
        assert place.start("whole", "event", place.again - before).returncode == -signal.SIGKILL
    assert small.strict(place.folder / "whole" / "result.json"), "a file is whole or absent"
    assert place.start("whole").returncode == 0
    assert small.timeless(place.folder / "whole") == whole


def test_one_core_and_a_warm_cache_give_the_bits_of_two_cores_and_a_cold_one(place, whole):
    assert place.start("single", cores=1).returncode == 0
    assert small.timeless(place.folder / "single") == whole


def test_ctrl_c_leaves_a_report_and_the_command_that_continues(place, whole):
    done = place.start("stopped", "interrupt", 1)
    assert (done.returncode, done.stdout) == (130, "")
    out = place.folder / "stopped"
    assert done.stderr.splitlines()[-1].split()[:2] == ["downslope", "compare"] and "Traceback" not in done.stderr
    data = small.strict(out / "result.json")
    assert data["finished"] is False and data["test"] == {}
    states = {entry["optimizer"]: (entry["status"], entry["score"] is None) for entry in data["contenders"]}
    assert states == {"sgd": ("ok", False), "adam": ("out_of_budget", True)}
    assert (out / "report.html").read_text(encoding="utf-8").lstrip().lower().startswith("<!doctype html>")
    assert not (out / "model" / "manifest.json").exists()
    assert place.intact("stopped")
    again = place.start("stopped")
    assert again.returncode == 0, again.stderr
    assert small.timeless(out) == whole
    assert small.strict(out / "result.json")["finished"] is True


class Listener(Watcher):
    """Stops the comparison after so many device calls."""

    def __init__(self, calls: int) -> None:
        self.calls = calls

    def advanced(self, done, total, seconds_left, best) -> None:
        self.calls -= 1
        if self.calls == 0:
            raise KeyboardInterrupt


def test_in_the_middle_of_a_bundle_it_goes_on_from_the_checkpoint(tmp_path, monkeypatch):
    monkeypatch.setattr(budget, "CALL_SECONDS", 0.0001)  # a run takes several device calls
    monkeypatch.setattr(running, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    thawed = []
    thaw = running.checkpoint.thaw
    monkeypatch.setattr(
        running.checkpoint, "thaw", lambda bundle, frozen: thawed.append(bundle.cut.calls) or thaw(bundle, frozen)
    )
    options = {"target": "price", "losses": "huber", "optimizers": "adam", "model": "mlp(widths=[8])", "epochs": 12, "seeds": 2}
    table = small.only(*small.PLAIN)
    downslope.compare(table, out=tmp_path / "whole", draws=2, **options)
    assert not thawed
    for calls in (2, 1, 2):
        with pytest.raises(KeyboardInterrupt):
            downslope.compare(table, out=tmp_path / "stopped", draws=2, watcher=Listener(calls), **options)
    downslope.compare(table, out=tmp_path / "stopped", draws=2, **options)
    assert thawed and min(thawed) > 2
    assert small.timeless(tmp_path / "stopped") == small.timeless(tmp_path / "whole")
