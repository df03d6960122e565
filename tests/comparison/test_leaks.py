"""Leaks reach the answer: a column that tells the target, row numbers, rows that come twice, and targets that mean nothing."""

import html
import json
from typing import Any

import numpy as np
from click.testing import CliRunner

import downslope
from downslope.cli.main import cli
from downslope.data.describe import describe
from downslope.data.read import read
from tests.comparison import small

OPTIONS: dict[str, Any] = {"target": "price", "losses": "squared_error", "model": "linear"}
OPTIONS |= {"optimizers": "adam(learning_rate=0.03)"}


def leaky():
    """Two hundred rows with a falling function of the price, row numbers, and twenty rows that come twice."""
    table = small.only(*small.PLAIN)
    price = np.array(table["price"])
    table["rebate"] = np.exp(-price / 20).tolist()
    table["entry"] = list(range(1, 201))
    return {name: [*values, *values[:20]] for name, values in table.items()} | {"entry": list(range(1, 221))}


def test_leaks_reach_terminal_report_and_json(tmp_path):
    table = small.write(tmp_path / "prices.csv", leaky())
    line = ["compare", str(table), "--target", "price", "--losses", "squared_error", "--optimizers", OPTIONS["optimizers"]]
    line += ["--model", "linear", "--epochs", "3", "--seeds", "5", "--out", str(tmp_path / "run")]
    done = CliRunner().invoke(cli, line)
    assert done.exit_code == 0, done.stderr
    data = json.loads((tmp_path / "run" / "result.json").read_text())
    page = html.unescape((tmp_path / "run" / "report.html").read_text()).replace("\u00a0", " ").replace("\u202f", " ")
    told = done.stdout.replace("\n", " ")
    for words in ("'rebate' alone tells the target 'price' almost exactly", "20 of 220 rows are copies of another row"):
        assert any(words in warning for warning in data["warnings"])
        assert words in told and words in page
    assert any("'entry' is left out: row numbers (--keep entry takes it in)" in note for note in data["notes"])
    assert "'entry' is left out: row numbers" in done.stderr.replace("\n", " ")
    assert data["rows"]["copies"] == 20 and 0 < data["rows"]["copies_in_test"] <= 20
    assert any(f"{data['rows']['copies_in_test']} of 44 test rows are copies" in warning for warning in data["warnings"])


def test_shuffled_targets_score_like_the_constant_and_nothing_is_recommended(tmp_path):
    table = small.only(*small.PLAIN)
    table["price"] = np.random.default_rng(5).permutation(table["price"]).tolist()
    result = downslope.compare(table, epochs=20, seeds=10, **OPTIONS)
    (only,) = result.data["contenders"]
    constant = result.data["controls"]["constant"]["score"]
    assert only["score"]["high"] > constant > 0.8 * only["score"]["low"]
    assert result.recommendation["id"] is None
    assert result.recommendation["text"].startswith("Nothing here predicts price better than its mean")
    assert "look at the data, not at the optimizer" in result.recommendation["text"]


def test_the_same_targets_in_their_order_are_learned():
    result = downslope.compare(small.only(*small.PLAIN), epochs=20, seeds=10, **OPTIONS)
    assert result.recommendation["id"] is not None


def test_a_column_with_noise_is_no_leak():
    table = small.only(*small.PLAIN)
    price = np.array(table["price"])
    draw = np.random.default_rng(3)
    table["near"] = (price + 0.2 * price.std() * draw.normal(size=200)).tolist()
    table["cube"] = ((price - price.mean()) ** 3).tolist()
    warnings = describe(read(table), "price").warnings
    assert [w for w in warnings if "alone tells" in w] == [w for w in warnings if "'cube'" in w] != []
    assert not any("'near'" in w or "'size'" in w for w in warnings)


def test_a_kept_column_is_used_and_typed_again(tmp_path):
    table = small.write(tmp_path / "prices.csv", leaky())
    left, kept = (describe(read(str(table)), "price", keep=names) for names in ((), ("entry",)))
    assert "entry" not in left.features and "entry" in kept.features
    from downslope.comparison.command import command

    assert command("prices.csv", {"keep": ("entry", "the id")}) == "downslope compare prices.csv --keep entry --keep 'the id'"
