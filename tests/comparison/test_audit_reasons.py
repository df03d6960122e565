"""The audit computes every reason again from the ledger, and names what was changed in a record or beneath it."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from benchmarks import validate_reasons as known
from downslope.comparison.audit import audit
from downslope.comparison.counterfactual import PAIRS
from downslope.comparison.ledger import Ledger

ARM = "squared_error × adam(learning_rate=0.1) | without rows far out"


@pytest.fixture(scope="module", autouse=True)
def shared():
    """All comparisons of this file share their programs."""
    with known.quick():
        yield


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """A comparison of which one reason is confirmed."""
    place = tmp_path_factory.mktemp("reasons") / "run"
    known.result("outliers", "decisive", 0, out=place)
    return place


@pytest.fixture
def folder(finished, tmp_path) -> Path:
    """A copy of it, to be tampered with."""
    return Path(shutil.copytree(finished, tmp_path / "copy"))


def problem(folder: Path) -> str:
    """The problems in one text; there is at least one."""
    found = audit(folder)
    assert not found.holds and all("\n" not in line for line in found.problems)
    return "; ".join(found.problems)


def edited(folder: Path, change) -> None:
    """`result.json` with a change to the record of outliers."""
    data = json.loads((folder / "result.json").read_text())
    change(known.record(data, "outliers"))
    (folder / "result.json").write_text(json.dumps(data))


def rerun(folder: Path, change) -> None:
    """The ledger with one extra run changed, or without it, its checksum made anew."""
    with Ledger(folder) as ledger:
        run = ledger.runs(ARM, "counterfactual")[0]
        ledger.ask("DELETE FROM runs WHERE contender = ? AND fit = ?", (ARM, run.fit))
        ledger.add([made for made in [change(run)] if made is not None], "forged")


@pytest.mark.parametrize("kind", known.EXPECTED)
@pytest.mark.parametrize("cause", known.TABLES)
def test_every_reason_of_every_table_is_computed_again_from_the_ledger_alone(tmp_path, cause, kind):
    data = known.result(cause, kind, 0, out=tmp_path / "run")
    found = audit(tmp_path / "run")
    assert found.problems == [] and data["reasons"]
    assert any("reasons" in words for words in found.checked)
    if kind == "decisive":
        assert audit(tmp_path / "run", data=known.table(cause, kind, 0)).problems == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda record: record.update(verdict="refuted"), 'verdict is "refuted", the ledger gives "confirmed"'),
        (lambda record: record.update(sentence="Mine is best."), 'sentence is "Mine is best."'),
        (lambda record: record["arms"][0]["effect"].update(low=9.0), "arms 1 effect low is 9.0"),
        (lambda record: record["gap"].update(mean=9.0), "gap mean is 9.0"),
        (lambda record: record["statistic"].update(value=0.5), "statistic value is 0.5"),
        (lambda record: record.update(threshold=0.5), "threshold is 0.5"),
        (lambda record: record.update(needed=0.0), "needed is 0.0"),
        (lambda record: record["arms"][0]["runs"].pop(), "arms 1 runs is"),
    ],
)
def test_a_changed_record_is_named(folder, change, words):
    edited(folder, change)
    assert f"result.json: reasons 1 {words}" in problem(folder)


def test_another_note_of_the_columns_than_the_one_that_is_told_is_named(folder):
    with Ledger(folder) as ledger:
        note = ledger.fact("reason outliers")
        ledger.store("reason outliers", [note[0] | {"mean": 0.004}])
    assert "result.json: reasons 1" in problem(folder)
    with Ledger(folder) as ledger:
        ledger.ask("DELETE FROM facts WHERE name = 'reason outliers'")
    assert "reasons: outliers: the ledger has no note of what was read from the columns" in problem(folder)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda run: None, f"reasons: {ARM}: 1 of {PAIRS} extra runs are missing"),
        (lambda run: run._replace(fit=run.fit + 50), f"reasons: {ARM}: 1 of {PAIRS} extra runs are missing"),
        (lambda run: run._replace(seed=1), f"{ARM}: the counterfactual run of fit 2 at learning rate 0.1 has the seed 1"),
        (lambda run: run._replace(updates=9), "made 9 updates, its budget is"),
        (lambda run: run._replace(arrays=run.arrays | {"order": np.zeros(4, np.uint8)}), "saw other batches"),
        (lambda run: run._replace(arrays=run.arrays | {"judged": run.arrays["judged"] * 0.5}), "arms 1 score is"),
    ],
)
def test_an_extra_run_that_is_not_its_pair_is_named(folder, change, words):
    rerun(folder, change)
    assert words in problem(folder)


def test_extra_runs_that_no_reason_asks_for_are_named(folder):
    with Ledger(folder) as ledger:
        run = ledger.runs(ARM, "counterfactual")[0]
        ledger.add([run._replace(contender=f"{ARM} again"), run._replace(fit=run.fit + 50)], "forged")
    said = problem(folder)
    assert f"{ARM}: {PAIRS + 1} extra runs, and {PAIRS} were asked for" in said
    with Ledger(folder) as ledger:
        ledger.ask("DELETE FROM runs WHERE contender = ? AND fit = ?", (ARM, run.fit + 50))
    assert f"{ARM} again: extra runs that no reason asks for" in problem(folder)


def test_a_run_without_reasons_claims_none_and_holds(tmp_path):
    known.result("outliers", "decisive", 0, out=tmp_path / "run")
    known.result("outliers", "decisive", 0, out=tmp_path / "run", reasons=False)
    assert audit(tmp_path / "run").problems == []
