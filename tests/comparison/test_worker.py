"""The second process: it computes what the first one would, and nothing is lost when it dies, refuses or is left alone."""

import gc
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import CancelledError

import numpy as np
import pytest

from downslope.comparison import folder, later, worker
from downslope.comparison.compare import compare
from downslope.comparison.controls import KINDS, Job, Rows, all_fitted
from downslope.comparison.metrics import default_metric
from downslope.comparison.result import Result
from downslope.comparison.watch import Watcher
from downslope.comparison.worker import SHORT, Worker, beside
from downslope.core.about import Task

FILES = ("runs.csv", "model/model.safetensors")
SMALL = {"losses": "squared_error", "optimizers": "sgd, adam", "epochs": 2, "draws": 2, "seeds": 5}


@pytest.fixture(scope="module")
def hired():
    with beside("demo:diabetes") as found:
        assert found is not None
        yield found


def jobs() -> list[Job]:
    draw = np.random.default_rng(0)
    x = draw.normal(size=(300, 4)).astype(np.float32)
    y = x[:, 0] + np.abs(x[:, 1]) + draw.normal(size=300) / 5
    parts = Rows(x[:200], y[:200]), Rows(x[200:250], y[200:250]), x[250:]
    return [Job(kind, 3, Task.REGRESSION, *parts, 2, default_metric(Task.REGRESSION), 1) for kind in KINDS]


def test_references_are_the_same_to_the_last_bit(hired):
    there, here = hired.ask(all_fitted, jobs())(), all_fitted(jobs())
    assert [run._replace(arrays={}, seconds=0) for run in there] == [run._replace(arrays={}, seconds=0) for run in here]
    for one, other in zip(there, here, strict=True):
        assert one.arrays.keys() == other.arrays.keys()
        for name, values in one.arrays.items():
            np.testing.assert_array_equal(values, other.arrays[name])


def plain(result: Result) -> dict:
    data = json.loads((result.folder / "result.json").read_text())
    return {name: value for name, value in data.items() if name != "timing"}


def test_a_comparison_is_the_same_with_and_without(hired, tmp_path, monkeypatch):
    alone = compare("demo:diabetes", out=tmp_path / "alone", **SMALL)
    asked = []

    def answered(work, arguments):
        found = Worker.answered(hired, work, arguments)
        asked.append((work, arguments, found[0]))
        return found

    monkeypatch.setattr(hired, "answered", answered)
    helped = compare("demo:diabetes", out=tmp_path / "helped", worker=hired, **SMALL)
    assert plain(alone) == plain(helped)
    for name in FILES:
        assert (alone.folder / name).read_bytes() == (helped.folder / name).read_bytes()
    assert all(done for *_, done in asked)
    assert [work for work, *_ in asked].count(all_fitted) == 5
    drawn, arguments, _ = asked[-1]
    assert drawn is later.page
    assert hired.ask(eval, "'jax' in __import__('sys').modules")() is False
    assert (helped.folder / "report.html").read_text(encoding="utf-8") == later.page(*arguments)


def test_what_cannot_be_done_there_is_done_here_and_told_here(hired):
    with pytest.raises(ZeroDivisionError):
        hired.ask(divmod, 1, 0)()
    assert hired.ask(divmod, 7, 2)() == (3, 1)  # it goes on


@pytest.mark.parametrize("before", [True, False], ids=["before it is asked", "while it works"])
def test_a_worker_that_dies_is_no_loss(before):
    with beside("demo:diabetes") as mortal:
        assert mortal is not None
        if before:
            mortal.process.kill()
            mortal.process.wait()
        asked = [mortal.ask(time.sleep, 0.2), mortal.ask(divmod, 7, 2)]
        mortal.process.kill()
        assert [answer() for answer in asked] == [None, (3, 1)]


def test_what_has_not_begun_can_be_dropped(hired):
    hired.ask(time.sleep, 0.5)
    dropped = hired.ask(time.sleep, 1000)
    hired.drop()
    assert hired.ask(divmod, 7, 2)() == (3, 1)
    with pytest.raises(CancelledError):
        dropped()


@pytest.mark.parametrize(("moment", "alone"), [("write_result", True), ("write_report", False)])
def test_an_answer_that_is_being_written_is_written_to_the_end(hired, tmp_path, monkeypatch, alone, moment):
    write, calls = getattr(folder, moment), []

    def interrupted(*arguments):
        calls.append(moment)
        if len(calls) == 1:
            raise KeyboardInterrupt
        write(*arguments)

    monkeypatch.setattr(folder, moment, interrupted)
    with pytest.raises(KeyboardInterrupt):
        compare("demo:diabetes", out=tmp_path / "run", worker=None if alone else hired, **SMALL)
    data = json.loads((tmp_path / "run" / "result.json").read_text())
    assert data["finished"] is True and data["test"]
    assert (tmp_path / "run" / "report.html").stat().st_size > 100_000


def test_a_comparison_that_is_stopped_has_its_report_drawn_there(hired, tmp_path, monkeypatch):
    class Stopping(Watcher):
        def ranked(self, row):
            raise KeyboardInterrupt

    asked = []
    monkeypatch.setattr(hired, "ask", lambda work, *arguments: asked.append(work) or Worker.ask(hired, work, *arguments))
    with pytest.raises(KeyboardInterrupt):
        compare("demo:diabetes", out=tmp_path / "run", worker=hired, watcher=Stopping(), **SMALL)
    assert asked[-2:] == [later.prepare, later.page]
    assert json.loads((tmp_path / "run" / "result.json").read_text())["finished"] is False
    assert (tmp_path / "run" / "report.html").stat().st_size > 20_000


def test_it_looks_for_cycles_as_rarely_as_the_first_process(hired):
    before = gc.get_threshold()
    gc.set_threshold(12_345, 6, 7)
    try:
        with beside("demo:diabetes") as other:
            assert other is not None
            assert other.ask(gc.get_threshold)() == (12_345, 6, 7)
    finally:
        gc.set_threshold(*before)


def test_control_c_is_for_the_first_process(hired):
    assert os.getsid(hired.process.pid) == hired.process.pid != os.getsid(0)


def test_it_ends_with_a_first_process_that_is_killed():
    code = "import os, signal; from downslope.comparison.worker import Worker; w = Worker(); print(w.process.pid, flush=True); "
    first = subprocess.run(
        [sys.executable, "-c", code + "os.kill(os.getpid(), signal.SIGKILL)"], capture_output=True, text=True, check=False
    )  # returns when nobody holds its stderr any more
    assert first.returncode == -signal.SIGKILL
    assert first.stderr == ""
    with pytest.raises(ProcessLookupError):
        for _ in range(600):
            os.kill(int(first.stdout), 0)
            time.sleep(0.1)


def test_nothing_in_the_present_folder_is_run(tmp_path, monkeypatch):
    for name in ("numpy", "sklearn", "matplotlib", "downslope"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').write('{name}')")
    monkeypatch.chdir(tmp_path)
    with beside("demo:diabetes") as other:
        assert other is not None
        (answered,) = other.asking.map(other.answered, [all_fitted], [(jobs(),)])
        assert answered[0]
    assert not (tmp_path / "ran").exists()


def test_only_short_comparisons_have_one_and_none_where_no_process_can_be_started(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise BlockingIOError(11, "Resource temporarily unavailable")

    small, large = tmp_path / "small.csv", tmp_path / "large.csv"
    small.write_text("a,b\n1,2\n")
    large.write_bytes(b"0" * (SHORT + 1))
    with beside(str(small)) as found:
        assert isinstance(found, Worker)
        process = found.process
    assert process.returncode == -signal.SIGKILL
    monkeypatch.setattr(worker.subprocess, "Popen", refuse)
    with beside(str(large)) as none, beside(str(small)) as neither:
        assert none is neither is None


def test_the_first_process_of_a_short_comparison_imports_neither_references_nor_pictures(tmp_path):
    """They take as long to import as such a comparison trains."""
    words = ["compare", "demo:iris", "--losses", "cross_entropy", "--optimizers", "sgd,adam", "--epochs", "2", "--draws", "2"]
    words += ["--seeds", "5", "--quiet", "--out", str(tmp_path / "run")]
    code = f"""
import sys
from downslope.cli.main import cli
try:
    cli({words})
except SystemExit as ended:
    print(ended.code, [name for name in ("sklearn.ensemble", "sklearn.linear_model", "matplotlib") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 []"
    assert (tmp_path / "run" / "report.html").stat().st_size > 100_000
