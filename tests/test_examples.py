"""The scripts in `examples/` run, and print what they promise."""

import re
import runpy

import pytest

import downslope


def printed(root, name, capsys) -> str:
    runpy.run_path(str(root / "examples" / name), run_name="__main__")
    return capsys.readouterr().out


def test_every_example_is_run_here(root):
    assert {path.name for path in (root / "examples").glob("*.py")} == {"compare_in_python.py", "plain_loop.py"}


def test_a_comparison_in_python(root, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    out = printed(root, "compare_in_python.py", capsys)
    assert re.findall(r"^(\d)\. (\w+) with (\w+): RMSE \d", out, re.MULTILINE)[3][0] == "4"
    cheap, dear = (float(number) for number in re.findall(r"\d+", out.partition("rents:")[2].partition("]")[0]))
    assert 350 < cheap < 650 and 900 < dear < 1250
    assert "'ledger.sqlite', 'model', 'report.html', 'result.json', 'runs.csv'" in out
    (kept,) = tmp_path.rglob("flats")
    assert downslope.load(kept).target == "rent"


def test_a_loss_and_an_optimizer_alone(root, capsys):
    out = printed(root, "plain_loop.py", capsys)
    weights = [float(number) for number in re.search(r"\[(.*)\]", out).group(1).split()]
    assert weights == pytest.approx([1.0, -2.0, 0.5], abs=0.1)
    distances = [float(number) for number in re.findall(r"truth (\S+)", out)]
    assert len(distances) == 3 and distances[0] > distances[1] > distances[2] < 0.1
