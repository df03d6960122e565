"""With the table at hand the audit also computes what its columns give, and names what the ledger alone could not show."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

import downslope
from benchmarks import validate_reasons as known
from downslope.cli.main import cli
from downslope.comparison.audit import audit
from downslope.comparison.ledger import Ledger
from downslope.core.errors import BadData
from downslope.prediction.save import save_model
from downslope.prediction.tensors import load
from tests.comparison import small

ADAM = "squared_error × adam"
ARM = "squared_error × adam(learning_rate=0.1) | without rows far out"


@pytest.fixture
def folder(prices_folder, tmp_path) -> Path:
    """A copy of a finished run, to be tampered with."""
    return Path(shutil.copytree(prices_folder, tmp_path / "copy"))


@pytest.fixture
def table(prices_folder) -> Path:
    """The file that it read."""
    return prices_folder.parent / "prices.csv"


def problem(folder: Path, data) -> str:
    """The problems that only the table shows, in one text."""
    before = audit(folder).problems
    found = audit(folder, data)
    assert not found.holds and all("\n" not in line for line in found.problems)
    return "; ".join(line for line in found.problems if line not in before)


def test_an_honest_run_holds_beside_its_table(folder, table):
    found = audit(folder, table)
    assert found.problems == [] and len(found.checked) == 9
    assert found.unchecked == ["that training leads from these rows to these parameters: nothing is trained here"]
    done = CliRunner().invoke(cli, ["audit", str(folder), "--data", str(table)])
    assert done.exit_code == 0 and done.stdout.count("; holds") == 9 and done.stdout.endswith("Everything holds.\n")


def test_another_table_is_refused_in_one_line(folder, tmp_path):
    other = small.write(tmp_path / "other.csv", small.only(*small.PLAIN, seed=1))
    with pytest.raises(BadData, match=r"other\.csv is not the table of this run: its digest is [0-9a-f]{16}, the run's"):
        audit(folder, other)
    done = CliRunner().invoke(cli, ["audit", str(folder), "--data", str(other)])
    assert done.exit_code == 2 and done.stderr.count("\n") == 1


def test_targets_that_are_not_the_table_s_are_named(folder, table):
    with Ledger(folder) as ledger:
        rows = ledger.kept("rows") or {}
        rows["target"][3] += 1
        ledger.keep("rows", rows)
    assert "target: the ledger holds other values than the table" in problem(folder, table)


def test_a_note_of_the_table_that_it_does_not_give_is_named(folder, table):
    data = json.loads((folder / "result.json").read_text())
    data["columns"][0]["distinct"] = 7
    (folder / "result.json").write_text(json.dumps(data))
    with Ledger(folder) as ledger:
        frame = ledger.fact("frame")
        frame["columns"][0]["distinct"] = 7
        ledger.store("frame", frame)
    assert "what was read: columns 1 distinct is 7" in problem(folder, table)


def test_parameters_that_do_not_predict_what_is_judged_are_named(folder, table):
    with Ledger(folder) as ledger:
        run = ledger.runs(ADAM, "confirmation")[0]
        ledger.add([run._replace(arrays=run.arrays | {"params 0": run.arrays["params 0"] * 2})], "forged")
    assert f"{ADAM}: the confirmation run of fit 2 predicts something else on the judged rows" in problem(folder, table)


def test_a_reference_model_that_is_another_one_is_named(folder, table):
    with Ledger(folder) as ledger:
        run = ledger.runs("control boosted_trees")[0]
        ledger.add([run._replace(arrays={"value": run.arrays["value"] * 0 + 3.0})], "forged")
    assert f"control boosted_trees: the run of fit {run.fit} predicts something else" in problem(folder, table)


def test_another_encoder_and_another_word_on_the_test_rows_are_named(folder, table):
    file = folder / "model" / "manifest.json"
    manifest = json.loads(file.read_text())
    manifest["members"][1]["encoder"]["parts"][0]["centre"] += 1
    save_model(folder / "model", manifest, load((folder / "model" / "model.safetensors").read_bytes(), manifest))
    said = problem(folder, table)
    assert "manifest.json: encoders 2 parts 1 centre is" in said
    assert "model: it says something else of the test rows than was noted" in said


@pytest.fixture(scope="module")
def reasoned(tmp_path_factory):
    """A comparison of a linear model of which one reason is confirmed."""
    place = tmp_path_factory.mktemp("reasoned") / "run"
    with known.quick():
        known.result("outliers", "decisive", 0, out=place, metric="mae")
        yield place


def forged(reasoned: Path, tmp_path: Path, change) -> str:
    """The problems beside the table after the ledger was changed."""
    folder = Path(shutil.copytree(reasoned, tmp_path / "copy"))
    with Ledger(folder) as ledger:
        change(ledger)
    return problem(folder, known.table("outliers", "decisive", 0))


def test_a_sign_that_the_columns_do_not_give_is_named(reasoned, tmp_path):
    folder = Path(shutil.copytree(reasoned, tmp_path / "copy"))
    data = json.loads((folder / "result.json").read_text())
    with Ledger(folder) as ledger:
        note = ledger.fact("reason outliers")[0] | {"mean": 0.0503}
        ledger.store("reason outliers", [note])
    record = known.record(data, "outliers")
    record["statistic"]["value"] = note["mean"]
    (folder / "result.json").write_text(json.dumps(data))
    said = problem(folder, known.table("outliers", "decisive", 0))
    assert said.startswith("result.json: reasons 1 statistic value is 0.0503, the ledger gives 0.05")


def test_an_optimum_that_a_solver_does_not_find_is_named(reasoned, tmp_path):
    folder = Path(shutil.copytree(reasoned, tmp_path / "copy"))
    data = json.loads((folder / "result.json").read_text())
    data["optimum"]["share"]["mean"] = 0.5
    (folder / "result.json").write_text(json.dumps(data))
    with Ledger(folder) as ledger:
        ledger.store("optimum", data["optimum"])
    assert "optimum share mean is 0.5" in problem(folder, known.table("outliers", "decisive", 0))


def test_other_weights_in_an_extra_run_are_named(reasoned, tmp_path):
    def other(ledger: Ledger) -> None:
        run = ledger.runs(ARM, "counterfactual")[0]
        ledger.add([run._replace(arrays=run.arrays | {"weighed": run.arrays["weighed"] * 0})], "forged")

    assert "learned with other weights of rows than the reason gives" in forged(reasoned, tmp_path, other)


def test_what_was_asked_of_the_table_is_asked_again(tmp_path):
    columns = small.only("size", "age", "price", "importance", "street")
    columns["entry"] = list(range(1, 201))
    table = small.write(tmp_path / "prices.csv", columns)
    last = small.write(tmp_path / "last.csv", small.rows_of(columns, range(150, 200)))
    options = {"weight": "importance", "keep": ["entry"], "drop": ["street"], "test": str(last)}
    options |= {"losses": "squared_error", "optimizers": "adam(learning_rate=0.03)", "epochs": 2, "seeds": 5}
    downslope.compare(str(table), "price", model="linear", standardize=False, out=tmp_path / "run", **options)
    with pytest.raises(BadData, match="tested on a table of its own"):
        audit(tmp_path / "run", table)
    assert audit(tmp_path / "run", table, last).problems == []
