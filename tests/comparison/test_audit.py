"""An honest run audits clean; whatever is changed afterwards, in the files or in the ledger, is named."""

import hashlib
import json
import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from safetensors.numpy import load, save

from downslope.cli.main import cli
from downslope.comparison.audit import audit
from downslope.comparison.ledger import Ledger
from downslope.comparison.witness import JUDGE, STOP, TRAIN
from downslope.core.errors import BadData, DownslopeError

ADAM, DESCENT = "squared_error × adam", "squared_error × gradient_descent"


@pytest.fixture
def folder(prices_folder, tmp_path) -> Path:
    """A copy of a finished run, to be tampered with."""
    return Path(shutil.copytree(prices_folder, tmp_path / "copy"))


def contents(folder: Path) -> dict[str, str]:
    """Every file of a folder by its digest."""
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.rglob("*")
        if file.is_file()
    }


def edited(folder: Path, change) -> None:
    """`result.json` with a change."""
    data = json.loads((folder / "result.json").read_text())
    change(data)
    (folder / "result.json").write_text(json.dumps(data))


def entry(data, name):
    return next(one for one in data["contenders"] if one["id"] == name)


def rerun(folder: Path, name: str, phase: str, place: int, change) -> None:
    """Replaces one run in the ledger by a changed one, its checksum made anew: whoever is unfair knows how to write a ledger."""
    with Ledger(folder) as ledger:
        run = ledger.runs(name, phase)[place]
        forged = change(run)
        if forged is None or (forged.learning_rate, forged.fit) != (run.learning_rate, run.fit):
            key = (name, phase, run.learning_rate, run.fit)
            ledger.ask("DELETE FROM runs WHERE contender = ? AND phase = ? AND learning_rate = ? AND fit = ?", key)
        if forged is not None:
            ledger.add([forged], "forged")


def problem(folder: Path) -> str:
    """The problems in one text; there is at least one."""
    found = audit(folder)
    assert not found.holds and found.problems and all("\n" not in line for line in found.problems)
    return "; ".join(found.problems)


def test_an_honest_run_holds_and_nothing_is_written(folder):
    before = contents(folder)
    found = audit(folder)
    assert found.problems == [] and len(found.checked) == 6
    assert contents(folder) == before
    facts = {label: words for label, words, *_ in found.facts}
    assert facts["Confirmation runs"] == "5 for everyone" and facts["Learning rates planned"] == "3 for everyone"
    data = json.loads((folder / "result.json").read_text())
    assert data["fairness"] == found.facts
    page = (folder / "report.html").read_text()
    assert "What was equal for everyone" in page and facts["Identity"] in page


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda data: entry(data, ADAM)["score"].update(mean=1.0), f"{ADAM}: score mean is 1.0, the ledger gives"),
        (lambda data: entry(data, ADAM)["score"].update(low=1.0), f"{ADAM}: score low is 1.0"),
        (lambda data: entry(data, ADAM).update(rank=9), f"{ADAM}: rank is 9"),
        (lambda data: entry(data, ADAM).update(tied_with_best=None), f"{ADAM}: tied with the best is null"),
        (lambda data: data["contenders"].reverse(), "the contenders stand in another order"),
        (lambda data: data["contenders"].remove(entry(data, DESCENT)), f"{DESCENT} is missing"),
        (lambda data: entry(data, ADAM)["settings"].update(learning_rate=7.0), f"{ADAM}: settings learning rate is 7.0"),
        (lambda data: entry(data, ADAM)["grid"][0].update(score=0.1), f"{ADAM}: grid 1 score is 0.1"),
        (lambda data: data["controls"]["constant"].update(score=1.0), "controls constant score is 1.0"),
        (lambda data: data["controls"]["twin"].update(tied=None), "controls twin tied is null"),
        (lambda data: data["recommendation"].update(text="Use mine."), 'recommendation text is "Use mine."'),
        (lambda data: data["recommendation"].update(id=DESCENT), "recommendation id is"),
        (lambda data: data.update(warnings=["all is well"]), "warnings"),
        (lambda data: data["test"].update(rmse=0.5), "test rmse is 0.5"),
        (lambda data: data["rows"].update(test=1), "rows test is 1"),
        (lambda data: data["budget"].update(updates=1), "budget updates is 1"),
        (lambda data: data["fairness"].pop(), "fairness"),
    ],
)
def test_a_changed_result_is_named(folder, change, words):
    edited(folder, change)
    assert words in problem(folder)


def test_a_changed_page_or_table_is_named(folder):
    page = folder / "report.html"
    page.write_text(page.read_text().replace("on rows never used", "on all rows"))
    table = folder / "runs.csv"
    table.write_bytes(table.read_bytes()[:-3])
    assert problem(folder).count("it is not what the ledger gives") == 2


def other_order(run):
    return run._replace(arrays=run.arrays | {"order": run.arrays["order"][::-1].copy()})


def better_curve(run):
    return run._replace(score=run.score / 2)


@pytest.mark.parametrize(
    ("phase", "change", "words"),
    [
        ("confirmation", lambda run: None, "1 confirmation run is missing"),
        ("tuning", lambda run: None, "1 tuning run is missing"),
        ("confirmation", lambda run: run._replace(seed=1), "has the seed 1, where everyone else has"),
        ("tuning", lambda run: run._replace(seed=1), "has the seed 1, where everyone else has"),
        ("tuning", lambda run: run._replace(learning_rate=0.5), "tuning run is more than everyone's (learning rate 0.5"),
        (
            "confirmation",
            lambda run: run._replace(learning_rate=0.5),
            "confirmation run is more than everyone's (learning rate 0.5",
        ),
        ("confirmation", lambda run: run._replace(fit=99), "more than everyone's"),
        ("confirmation", lambda run: run._replace(updates=999), "made 999 updates, its budget is 24"),
        ("confirmation", other_order, "saw other batches, or in another order"),
        ("tuning", better_curve, "claims the score"),
        ("tuning", lambda run: run._replace(phase="rehearsal"), "1 rehearsal run is more than everyone's"),
    ],
)
def test_an_unfair_ledger_is_named_with_its_contender(folder, phase, change, words):
    rerun(folder, ADAM, phase, 0, change)
    said = problem(folder)
    assert words in said and all(line.startswith(f"{ADAM}: ") for line in said.split("; "))


def test_another_learning_rate_than_the_tuning_runs_choose_is_named(folder):
    with Ledger(folder) as ledger:
        ledger.ask("DELETE FROM runs WHERE contender = ? AND phase = 'confirmation'", (ADAM,))
        ledger.add([run._replace(contender=ADAM, learning_rate=0.5) for run in ledger.runs(DESCENT, "confirmation")], "other")
    assert f"{ADAM}: confirmed at learning rate 0.5, but its tuning runs choose" in problem(folder)


def test_a_whole_set_of_draws_more_than_the_others_is_named(folder):
    with Ledger(folder) as ledger:
        runs = ledger.runs(ADAM, "tuning")
        ledger.add([run._replace(learning_rate=0.77) for run in runs[:2]], "more")
    assert f"{ADAM}: 2 tuning runs are more than everyone's (learning rate 0.77" in problem(folder)


def test_a_stranger_and_a_missing_reference_are_named(folder):
    with Ledger(folder) as ledger:
        ledger.add([ledger.runs(ADAM, "confirmation")[0]._replace(contender="squared_error × mine")], "strange")
        ledger.ask(
            "DELETE FROM runs WHERE contender = 'control linear' AND fit = (SELECT MIN(fit) FROM runs WHERE phase = 'control')"
        )
    said = problem(folder)
    assert "squared_error × mine: 1 runs of a contender that is not in the plan" in said
    assert "control linear: the run of fit 2 is missing" in said


def test_predictions_that_were_swapped_change_the_scores(folder):
    rerun(folder, ADAM, "confirmation", 0, lambda run: run._replace(arrays=run.arrays | {"judged": run.arrays["judged"] * 0.5}))
    said = problem(folder)
    assert f"{ADAM}: score mean is" in said and "report.html" in said


@pytest.mark.parametrize(("roles", "words"), [((TRAIN, JUDGE), "saw other batches"), ((STOP, JUDGE), "result.json")])
def test_rows_dealt_otherwise_are_named(folder, roles, words):
    with Ledger(folder) as ledger:
        arrays = ledger.kept("rows")
        assert arrays is not None
        role = arrays["roles"][0]
        one, other = (np.flatnonzero(role == each)[0] for each in roles)
        role[[one, other]] = role[[other, one]]
        ledger.keep("rows", arrays)
    assert words in problem(folder)


def test_a_run_changed_without_a_new_checksum_is_named(folder):
    with sqlite3.connect(folder / "ledger.sqlite") as database:
        database.execute("UPDATE runs SET score = score / 2 WHERE contender = ? AND phase = 'tuning'", (ADAM,))
    assert f"{ADAM}: the tuning run of fit 0" in problem(folder) and "is not as it was written" in problem(folder)


def test_other_weights_are_named(folder):
    from downslope.prediction.save import save_model

    manifest = json.loads((folder / "model" / "manifest.json").read_text())
    tensors = load((folder / "model" / "model.safetensors").read_bytes())
    tensors["0.0.bias"] = tensors["0.0.bias"] + np.float32(1e-4)
    save_model(folder / "model", manifest, tensors)
    assert "model: the weights 0.0.bias are not those of" in problem(folder)


def test_a_damaged_model_and_another_member_are_named(folder):
    file = folder / "model" / "model.safetensors"
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert "model: " in problem(folder)
    assert save(load(whole)) == whole, "undone, only the manifest is changed next"
    file.write_bytes(whole)
    manifest = json.loads((folder / "model" / "manifest.json").read_text())
    manifest["members"][0]["target_scale"]["scale"] *= 2
    from downslope.prediction.save import save_model

    save_model(folder / "model", manifest, load(whole))
    assert "manifest.json: members 1 target_scale scale is" in problem(folder)


def test_a_damaged_ledger_no_run_and_a_run_in_use_are_one_line(folder, tmp_path):
    with pytest.raises(BadData, match=r"holds no ledger\.sqlite"):
        audit(tmp_path)
    with Ledger(folder), pytest.raises(DownslopeError, match="in use"):
        audit(folder)
    edited(folder, lambda data: data.update(finished=False))
    with pytest.raises(BadData, match="no finished run"):
        audit(folder)
    (folder / "ledger.sqlite").write_bytes(b"SQLite format 3\0" + b"x" * 4000)
    done = CliRunner().invoke(cli, ["audit", str(folder)])
    assert done.exit_code == 2 and done.stderr.count("\n") == 1 and str(folder / "ledger.sqlite") in done.stderr


def test_the_command_says_what_was_checked_and_ends_with_a_code(folder):
    done = CliRunner().invoke(cli, ["audit", str(folder)])
    assert done.exit_code == 0 and done.stdout.endswith("Everything holds.\n") and done.stdout.count("; holds") == 6
    edited(folder, lambda data: entry(data, ADAM).update(rank=9))
    done = CliRunner().invoke(cli, ["audit", str(folder), "--json"])
    assert done.exit_code == 1
    said = json.loads(done.stdout)
    assert said["holds"] is False and f"result.json: {ADAM}: rank is 9" in said["problems"][0]
