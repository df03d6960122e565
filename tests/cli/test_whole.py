"""One small real comparison from the command line, its folder, its second run, and predictions from its model."""

import csv
import json
import subprocess
import sys
import textwrap

import pytest
from click.testing import CliRunner

from downslope.cli.main import cli

LINE = ["compare", "demo:iris", "--losses", "cross_entropy", "--epochs", "3", "--seeds", "5"]
LINE += ["--optimizers", "sgd(learning_rate=0.1),adam(learning_rate=0.05)"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder of a finished run."""
    place = tmp_path_factory.mktemp("run") / "iris"
    done = CliRunner().invoke(cli, [*LINE, "--out", str(place)])
    assert done.exit_code == 0, done.stderr
    assert "iris: 150 rows, 5 columns" in done.stderr
    assert "adam(learning_rate=0.05)" in done.stdout and f"{place}/report.html" in done.stdout.replace("\n", "")
    return place


def test_the_folder_is_complete(folder):
    for name in ("report.html", "result.json", "runs.csv", "ledger.sqlite", "model/model.safetensors", "model/manifest.json"):
        assert (folder / name).stat().st_size > 0


def test_the_same_command_again_gives_the_same_and_trains_nothing(folder):
    from downslope.training import program

    compiled = len(program.COMPILED)
    before = json.loads((folder / "result.json").read_text())
    done = CliRunner().invoke(cli, [*LINE, "--out", str(folder), "--json", "--quiet"])
    assert done.exit_code == 0, done.stderr
    after = json.loads(done.stdout)
    assert {k: v for k, v in after.items() if k != "timing"} == {k: v for k, v in before.items() if k != "timing"}
    assert len(program.COMPILED) == compiled and done.stderr == ""


def test_another_command_in_the_same_folder_is_refused_and_fresh_is_named(folder):
    done = CliRunner().invoke(cli, [*LINE, "--seed", "1", "--out", str(folder)])
    assert done.exit_code == 2
    assert "--fresh" in done.stderr.splitlines()[-1] or "fresh" in done.stderr.splitlines()[-1]


def test_predicting_needs_no_jax_and_keeps_the_order(folder, tmp_path):
    table = tmp_path / "new.csv"
    rows = [("5.1", "3.5", "1.4", "0.2"), ("6.7", "3.0", "5.2", "2.3"), ("5.0", "3.4", "1.5", "0.2")]
    header = ["sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"]
    with table.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    out = tmp_path / "predictions.csv"
    program = f"""
        import sys
        from downslope.cli.main import cli
        try:
            cli(["predict", {str(folder)!r}, {str(table)!r}, "--out", {str(out)!r}])
        except SystemExit as end:
            assert end.code == 0, end.code
        assert "jax" not in sys.modules and "sklearn" not in sys.modules
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "" and str(out) in done.stderr
    with out.open(newline="") as file:
        written = list(csv.DictReader(file))
    assert len(written) == 3
    assert list(written[0]) == ["prediction", "probability_setosa", "probability_versicolor", "probability_virginica"]
    printed = CliRunner().invoke(cli, ["predict", str(folder / "model"), str(table)])
    assert printed.stdout == out.read_text()


def test_a_table_without_a_needed_column_is_refused(folder, tmp_path):
    table = tmp_path / "new.csv"
    table.write_text("sepal length (cm)\n5.1\n")
    done = CliRunner().invoke(cli, ["predict", str(folder), str(table), "--out", str(tmp_path / "out.csv")])
    assert done.exit_code == 2 and "sepal width (cm)" in done.stderr
    assert not (tmp_path / "out.csv").exists()


def test_a_damaged_model_is_refused(folder, tmp_path):
    import shutil

    shutil.copytree(folder / "model", tmp_path / "model")
    weights = tmp_path / "model" / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    (tmp_path / "new.csv").write_text("a\n1\n")
    done = CliRunner().invoke(cli, ["predict", str(tmp_path / "model"), str(tmp_path / "new.csv")])
    assert done.exit_code == 2 and done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
