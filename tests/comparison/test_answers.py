"""Comparisons whose answer is known: gross outliers on one side, by the absolute error, by squares and against the truth."""

import html
from typing import Any

import numpy as np
import pytest

from benchmarks.validate_reasons import quick
from downslope.comparison.compare import compare

ROWS = 2000
ROBUST = {"huber", "absolute_error"}
OPTIONS: dict[str, Any] = {
    "losses": "squared_error, huber, absolute_error",
    "optimizers": "adam(learning_rate=0.1)",
    "model": "linear",
}
OPTIONS |= {"epochs": 30, "seeds": 10}


@pytest.fixture(scope="module")
def table():
    """A line in four columns, one twentieth of whose targets are ten too large; and what they were before."""
    draw = np.random.default_rng(0)
    x = draw.normal(size=(ROWS, 4))
    clean = x @ [1.0, -2.0, 0.5, 0.0]
    y = clean + 0.5 * draw.normal(size=ROWS)
    y[draw.choice(ROWS, ROWS // 20, replace=False)] += 10
    return {f"x{number}": column.tolist() for number, column in enumerate(x.T)} | {"y": y.tolist()}, clean


@pytest.fixture(scope="module")
def answers(table):
    """The result by each of two metrics; all comparisons share their programs."""
    with quick():
        yield {metric: compare(table[0], "y", metric=metric, **OPTIONS) for metric in ("mae", "rmse")}


def entries(result):
    return {entry["loss"]: entry for entry in result.data["contenders"]}


def page(result):
    text = html.unescape((result.folder / "report.html").read_text(encoding="utf-8"))
    return text.replace("\u00a0", " ").replace("\u202f", " ")


def test_with_gross_outliers_robust_losses_win_by_the_absolute_error(answers):
    result = answers["mae"]
    assert result.recommendation["loss"] in ROBUST
    assert {loss for loss, entry in entries(result).items() if entry["tied_with_best"]} == ROBUST


def test_and_they_win_against_the_clean_values_too(answers, table):
    columns, clean = table
    result = answers["mae"]
    apart = {
        entry["loss"]: np.abs(found["prediction"] - clean[found["rows"]]).mean()
        for entry in result.data["contenders"]
        for found in [result.judged[entry["id"]]]
    }
    assert max(apart[loss] for loss in ROBUST) < 0.5 * apart["squared_error"]
    saved = result.model.predict({name: values for name, values in columns.items() if name != "y"})
    assert np.abs(saved - clean).mean() < 0.5 * apart["squared_error"]


def test_by_squares_squared_error_wins_and_the_answer_says_why(answers):
    result = answers["rmse"]
    assert result.recommendation["loss"] == "squared_error" and entries(result)["squared_error"]["rank"] == 1
    loser = entries(result)["absolute_error"]
    assert not loser["tied_with_best"]
    offset = loser["offset"]
    assert offset["too_high"] < -0.25 and offset["score"] < entries(result)["squared_error"]["score"]["mean"] + 0.01
    text = result.recommendation["text"]
    why = text[text.index("RMSE asks for the mean") : text.index(" If MAE counts")]
    assert "at which squared error aims" in why and "Adam with absolute error aims at the median and predicts" in why
    assert "too low on average, without which its RMSE would be" in why
    for words in (why, "if MAE counts, absolute error reached"):
        assert words.lower() in page(result).lower()


def test_by_the_absolute_error_the_same_is_said_of_squared_error(answers):
    text = answers["mae"].recommendation["text"]
    why = text[text.index("MAE asks for the median") : text.index(" Found for this table")]
    assert "Adam with squared error aims at the mean and predicts" in why and "too high for the middle row" in why
    assert why in page(answers["mae"])


def test_offsets_are_those_of_the_predictions(answers):
    for metric, middle in (("rmse", np.mean), ("mae", np.median)):
        result = answers[metric]
        for entry in result.data["contenders"]:
            found = result.judged[entry["id"]]
            runs = np.split(found["prediction"] - found["target"], np.cumsum([len(found["rows"]) // 10] * 9))
            assert entry["offset"]["too_high"] == pytest.approx(np.mean([middle(run) for run in runs]))
