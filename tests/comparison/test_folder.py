"""Run folders: who may work in them, what is continued, what is refused, and that refusals leave nothing behind."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest

import downslope
from downslope.comparison.folder import OURS, open_folder
from downslope.core.errors import BadData, DownslopeError
from tests.comparison import small

IDENTITY = {"data": "abc", "seed": 0, "devices": "many"}


def test_the_folder_holds_what_it_should_and_nothing_else(prices_folder):
    assert {path.name for path in prices_folder.iterdir()} == {"report.html", "result.json", "runs.csv", "ledger.sqlite", "model"}
    assert {path.name for path in (prices_folder / "model").iterdir()} == {"model.safetensors", "manifest.json"}


def test_the_same_call_continues_and_trains_nothing(prices, tmp_path):
    from downslope.training import program

    table = small.write(tmp_path / "prices.csv", small.only(*small.PLAIN))
    folder = prices.save(tmp_path / "run")
    before, compiled = small.timeless(folder), len(program.COMPILED)
    # The source's path is another, the bytes are the same: the data decide.
    again = downslope.compare(str(table), out=folder, **small.PRICES)
    assert len(program.COMPILED) == compiled
    assert again.data["contenders"] == prices.data["contenders"]
    assert small.timeless(folder)["model/model.safetensors"] == before["model/model.safetensors"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seed": 1}, "seed: 0, now 1"),
        ({"epochs": 7}, "epochs: 6, now 7"),
        ({"seeds": 6}, "runs"),
        ({"metric": "mae"}, 'metric: "rmse", now "mae"'),
        ({"losses": "huber(delta=2)"}, "contenders"),
        ({"optimizers": "adam, sgd"}, "contenders"),
        ({"drop": ("noise",)}, "columns"),
        ({"single": True}, "single: false, now true"),
        ({"penalty": "l2"}, "penalty"),
        ({"schedule": "cosine"}, "schedule"),
        ({"model": "linear"}, "model"),
        ({"margin": 0.5}, "margin"),
    ],
)
def test_other_arguments_in_the_same_folder_are_refused(prices_folder, tmp_path, change, words):
    before = small.timeless(prices_folder)
    table = small.write(tmp_path / "prices.csv", small.only(*small.PLAIN))
    with pytest.raises(DownslopeError) as caught:
        downslope.compare(table, out=prices_folder, **(small.PRICES | change))
    assert words in str(caught.value) and "--fresh starts anew" in str(caught.value) and "\n" not in str(caught.value)
    assert small.timeless(prices_folder) == before


@pytest.mark.parametrize("place", [("price", 17), ("size", 3)])
def test_one_changed_cell_is_other_data(prices_folder, tmp_path, place):
    table = small.only(*small.PLAIN)
    table[place[0]][place[1]] += 1e-3
    path = small.write(tmp_path / "prices.csv", table)
    with pytest.raises(DownslopeError, match="the data has changed"):
        downslope.compare(path, out=prices_folder, **small.PRICES)


def test_devices_of_another_kind_are_refused(tmp_path):
    open_folder(tmp_path / "run", IDENTITY, fresh=False).close()
    with pytest.raises(DownslopeError, match="made with many device"):
        open_folder(tmp_path / "run", IDENTITY | {"devices": "one"}, fresh=False)


def test_fresh_starts_anew_and_leaves_other_files_alone(tmp_path):
    folder = tmp_path / "run"
    open_folder(folder, IDENTITY, fresh=False).close()
    for name in ("report.html", "result.json", "model/manifest.json", "model/notes.txt", "my notes.txt"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("old")
    with open_folder(folder, IDENTITY | {"seed": 1}, fresh=True) as ledger:
        assert ledger.fact("identity")["seed"] == 1
    left = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert left == {"ledger.sqlite", "my notes.txt", "model/notes.txt"}


def test_a_folder_of_somebody_else_is_not_touched(tmp_path):
    (tmp_path / "thesis.tex").write_text("chapter 1")
    for fresh in (False, True):
        with pytest.raises(BadData, match=r"holds other files \(thesis.tex\)"):
            open_folder(tmp_path, IDENTITY, fresh)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_place_where_no_folder_can_be(tmp_path, place):
    (tmp_path / "file").write_text("")
    with pytest.raises(BadData, match="cannot write to the folder .*--out"):
        open_folder(tmp_path / place, IDENTITY, fresh=False)


def test_a_folder_that_may_not_be_written(tmp_path):
    tmp_path.chmod(0o500)
    try:
        if os.access(tmp_path, os.W_OK):
            pytest.skip("this user may write everywhere")
        with pytest.raises(BadData, match="Permission denied"):
            open_folder(tmp_path, IDENTITY, fresh=False)
    finally:
        tmp_path.chmod(0o700)


OWNER = textwrap.dedent(
    """
    import signal, sys
    from pathlib import Path
    from downslope.comparison.ledger import Ledger
    ledger = Ledger(Path(sys.argv[1]))
    ledger.store("owner", "the first")
    print("working", flush=True)
    signal.pause()
    """
)


@pytest.fixture
def owned(tmp_path):
    """A folder in which another process works."""
    process = subprocess.Popen([sys.executable, "-c", OWNER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "working\n"
    yield tmp_path, process
    process.kill()
    process.communicate()


@pytest.mark.parametrize("fresh", [False, True])
def test_a_second_process_is_refused_at_once_and_a_dead_one_blocks_nobody(owned, fresh):
    folder, process = owned
    with pytest.raises(DownslopeError, match="is in use by another process; wait for it, or name another folder with --out"):
        open_folder(folder, IDENTITY, fresh)
    process.send_signal(signal.SIGKILL)
    process.wait()
    with open_folder(folder, IDENTITY, fresh) as ledger:
        assert ledger.fact("owner") == (None if fresh else "the first"), "what it had written survives it"


def test_every_file_of_ours_is_known():
    assert len(OURS) == len(set(OURS)) and "ledger.sqlite" in OURS


def test_drafts_of_a_killed_process_are_swept_and_nothing_else(tmp_path):
    (tmp_path / "ledger.sqlite").touch()
    ours, theirs = tmp_path / ".result.json.123.part", tmp_path / ".notes.part"
    for path in (ours, theirs):
        path.write_text("half")
    open_folder(tmp_path, {"seed": 0}, fresh=False).close()
    assert not ours.exists() and theirs.exists()
