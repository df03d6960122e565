"""Numbers that stay in their own units: from the command line to the saved model and its audit."""

import json
from typing import Any

import numpy as np
from click.testing import CliRunner

from downslope.cli.main import cli
from downslope.comparison.audit import audit
from downslope.comparison.report.method import commands, protocol
from downslope.prediction.tensors import load
from tests.comparison import small


def test_from_the_command_line_to_the_prediction(tmp_path):
    """One run: plan, result, report and code say so, the model predicts by the numbers as they are, the audit holds."""
    table: dict[str, Any] = small.only("size", "age", "price")
    table["age"] = [1000 + 50 * age for age in table["age"]]
    place = small.write(tmp_path / "prices.csv", table)
    line = ["compare", str(place), "--target", "price", "--losses", "mse", "--optimizers", "adam(learning_rate=0.001)"]
    line += ["--model", "linear", "--epochs", "2", "--seeds", "5", "--out", str(tmp_path / "out"), "--no-reasons"]
    done = CliRunner().invoke(cli, [*line, "--no-standardize"])
    assert done.exit_code == 0, done.stderr
    assert "numbers stay in their own units: nothing is standardised" in " ".join(done.stderr.split())
    data = json.loads((tmp_path / "out" / "result.json").read_text())
    assert data["standardize"] is False and "--no-standardize" in data["command"]
    assert "--no-standardize" in commands(data | {"command": None})["repeat"]
    assert dict(protocol(data)["facts"])["Numbers"] == "in their own units, not standardised"
    assert audit(tmp_path / "out").problems == []

    manifest = json.loads((tmp_path / "out" / "model" / "manifest.json").read_text())
    tensors = load((tmp_path / "out" / "model" / "model.safetensors").read_bytes(), manifest)
    weights = [tensors[name] for name in sorted(tensors) if name.endswith("weight")]
    biases = [tensors[name] for name in sorted(tensors) if name.endswith("bias")]
    x = np.array([(size, age) for size, age in zip(table["size"], table["age"], strict=True)], float)
    scales = [member["target_scale"] for member in manifest["members"]]
    by_hand = [
        scale["centre"] + scale["scale"] * (x @ weight[:, 0] + bias[0])
        for weight, bias, scale in zip(weights, biases, scales, strict=True)
    ]
    done = CliRunner().invoke(cli, ["predict", str(tmp_path / "out" / "model"), str(place), "--out", str(tmp_path / "p.csv")])
    assert done.exit_code == 0, done.stderr
    predicted = np.genfromtxt(tmp_path / "p.csv", delimiter=",", names=True)["prediction"]
    np.testing.assert_allclose(predicted, np.mean(by_hand, axis=0), rtol=1e-5)

    other = CliRunner().invoke(cli, line)
    assert other.exit_code != 0 and "another comparison" in other.stderr and "standardize" in other.stderr
