"""Predictions as CSV: the order of the rows, numbers untouched, texts that no spreadsheet runs."""

import csv
import os

import numpy as np
import polars as pl
import pytest
from prediction.models import saved, table

from downslope.core.errors import BadData
from downslope.prediction.predictor import load
from downslope.prediction.write import harmless, write_predictions


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.reader(file))


def test_values(tmp_path):
    model = load(saved(tmp_path))
    assert write_predictions(model, table(), tmp_path / "out.csv") == ()
    header, *rows = rows_of(tmp_path / "out.csv")
    assert header == ["prediction"]
    np.testing.assert_array_equal([float(row[0]) for row in rows], model.predict(table()))
    assert any(row[0].startswith("-") for row in rows), "negative numbers are numbers"


def test_classes_with_probabilities(tmp_path):
    model = load(saved(tmp_path, "multiclass", link="softmax"))
    write_predictions(model, table(), tmp_path / "out.csv")
    header, *rows = rows_of(tmp_path / "out.csv")
    assert header == ["prediction", "probability_-1", "probability_a", "probability_b"]
    assert [row[0] for row in rows] == model.predict(table()).tolist()
    np.testing.assert_array_equal([[float(cell) for cell in row[1:]] for row in rows], model.predict_proba(table()))


def test_labels_that_look_like_formulas(tmp_path):
    model = load(saved(tmp_path, "binary", link="sigmoid"))
    write_predictions(model, table(), tmp_path / "out.csv")
    header, *rows = rows_of(tmp_path / "out.csv")
    assert header == ["prediction", "probability_=no", "probability_yes"]
    assert {row[0] for row in rows} == {"'=no", "yes"}


@pytest.mark.parametrize(
    ("target", "link", "names"), [("binary", "sign", ["score"]), ("multiclass", "argmax", ["score_-1", "score_a", "score_b"])]
)
def test_scores_where_there_are_no_probabilities(tmp_path, target, link, names):
    model = load(saved(tmp_path, target, link=link))
    write_predictions(model, table(), tmp_path / "out.csv")
    header, *rows = rows_of(tmp_path / "out.csv")
    assert header == ["prediction", *names]
    np.testing.assert_array_equal(
        np.array([[float(c) for c in row[1:]] for row in rows]), model.raw(table()).reshape(len(rows), -1)
    )


def test_the_input_is_never_overwritten(tmp_path):
    model = load(saved(tmp_path))
    pl.DataFrame(table()).write_csv(tmp_path / "new.csv")
    before = (tmp_path / "new.csv").read_bytes()
    os.link(tmp_path / "new.csv", tmp_path / "other_name.csv")
    for out in ("new.csv", "other_name.csv"):
        with pytest.raises(BadData, match="overwrite their input"):
            write_predictions(model, tmp_path / "new.csv", tmp_path / out)
    with pytest.raises(BadData, match="is a folder"):
        write_predictions(model, tmp_path / "new.csv", tmp_path)
    assert (tmp_path / "new.csv").read_bytes() == before
    notes = write_predictions(model, str(tmp_path / "new.csv"), tmp_path / "made" / "out.csv")
    assert notes == () and len(rows_of(tmp_path / "made" / "out.csv")) == 61


def test_a_bad_input_writes_nothing(tmp_path):
    model = load(saved(tmp_path))
    with pytest.raises(BadData):
        write_predictions(model, {"size": [1.0]}, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("=1+1", "'=1+1"), ("+a", "'+a"), ("-a", "'-a"), ("@x", "'@x"), ("\tx", "'\tx"), ("\rx", "'\rx"),
        ("-1", "-1"), ("+1.5", "+1.5"), ("-1e3", "-1e3"), ("yes", "yes"), ("", ""), ("a=b", "a=b"), ("-inf", "-inf"),
    ],
)  # fmt: skip
def test_harmless(text, safe):
    assert harmless(text) == safe
