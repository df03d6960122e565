"""The task, the roles of columns, the rows that are dropped, and the warnings."""

import subprocess
import sys

import numpy as np
import pytest
from data.tables import text, whole_way, write

from downslope.core.about import Task
from downslope.core.errors import BadData, DownslopeError, IncompatiblePair, UnknownName
from downslope.data.describe import describe
from downslope.data.read import read

DRAW = np.random.default_rng(7)
WAVE, GOAL = DRAW.normal(size=120), DRAW.normal(size=120)


def table(**columns):
    return read({"x": WAVE, **columns})


def cycle(*values, rows=120):
    return [values[i % len(values)] for i in range(rows)]


@pytest.mark.parametrize(
    ("values", "task", "classes"),
    [
        (list(GOAL), Task.REGRESSION, None),
        (cycle(*range(20)), Task.MULTICLASS, tuple(str(i) for i in range(20))),
        (cycle(*range(21)), Task.REGRESSION, None),
        (cycle(1.5, 2.5, 3.5), Task.REGRESSION, None),
        (cycle(1.5, 2.5), Task.BINARY, ("1.5", "2.5")),
        (cycle(10, 9, 8), Task.MULTICLASS, ("8", "9", "10")),
        (cycle(-1, 1), Task.BINARY, ("-1", "1")),
        (cycle("yes", "no"), Task.BINARY, ("no", "yes")),
        (cycle(True, False), Task.BINARY, ("false", "true")),
        (cycle("+", "-"), Task.BINARY, ("+", "-")),
        (cycle("None", "Minor", "Major"), Task.MULTICLASS, ("Major", "Minor", "None")),
        (cycle("007", "012"), Task.BINARY, ("007", "012")),
        (cycle("Yes", "yes", "no"), Task.BINARY, ("no", "yes")),
        (cycle(*(f"w{i:03d}" for i in range(30))), Task.MULTICLASS, tuple(f"w{i:03d}" for i in range(30))),
        ([*range(15), *([3] * 5)], Task.REGRESSION, None),
    ],
)
def test_the_task_is_found(values, task, classes):
    dataset = describe(read({"x": WAVE[: len(values)], "y": values}), "y")
    assert (dataset.task, dataset.classes) == (task, classes)
    assert dataset.y.dtype == (np.float64 if classes is None else np.int64)
    if classes is not None:
        assert dataset.y.min() == 0 and dataset.y.max() == len(classes) - 1
    announced = any("--task regression" in note for note in dataset.notes)
    assert announced == (task is Task.MULTICLASS and not isinstance(values[0], str))


def test_the_task_can_be_overruled():
    whole = table(y=cycle(3, 4, 5))
    np.testing.assert_array_equal(describe(whole, "y", task="regression").y[:3], [3.0, 4.0, 5.0])
    two = table(y=cycle(3, 4))
    assert describe(two, "y", task="regression").classes is None
    assert describe(two, "y", task="multiclass").classes == ("3", "4")
    for source, task, error, words in [
        (whole, "binary", IncompatiblePair, "has 3; use task multiclass"),
        (table(y=GOAL), "multiclass", BadData, "120 different words|needs two classes"),
        (table(y=cycle("a", "b", "c")), "regression", IncompatiblePair, "needs numbers"),
        (two, "guess", UnknownName, "unknown task 'guess'"),
    ]:
        with pytest.raises(error, match=words):
            describe(source, "y", task=task)


def test_the_positive_class_stands_last():
    source = table(y=cycle("bad", "good", "good"))
    usual, turned = describe(source, "y"), describe(source, "y", positive="bad")
    assert usual.classes == ("bad", "good") and turned.classes == ("good", "bad")
    np.testing.assert_array_equal(usual.y, 1 - turned.y)
    assert describe(table(y=cycle(True, False)), "y", positive=False).classes == ("true", "false")
    assert describe(table(y=cycle(0, 1)), "y", positive=0).classes == ("1", "0")
    with pytest.raises(UnknownName, match="did you mean 'bad'"):
        describe(source, "y", positive="bd")
    with pytest.raises(IncompatiblePair, match="needs a binary target"):
        describe(table(y=GOAL), "y", positive="bad")
    with pytest.raises(IncompatiblePair, match="needs a binary target"):
        describe(table(y=cycle("a", "b", "c")), "y", positive="a")


def test_rare_classes_are_dropped_and_announced():
    dataset = describe(table(y=[*cycle("a", "b", "c", rows=117), "d", "d", "e"]), "y")
    assert dataset.classes == ("a", "b", "c")
    assert dict(dataset.dropped) == {"class with fewer than 3 rows": 3}
    assert "classes with fewer than 3 rows are left out: 'd', 'e' (3 rows)" in dataset.notes
    binary = describe(table(y=[*cycle("a", "b", rows=118), "d", "d"]), "y")
    assert binary.task is Task.BINARY and binary.classes == ("a", "b")


def test_every_dropped_row_is_counted_once():
    y = [*cycle("a", "b", rows=100), *[None] * 10, *["rare", "rare"], *cycle("a", "b", rows=8)]
    weight = [1.0] * 60 + [None] * 50 + [2.0] * 10
    time = [float(i) for i in range(119)] + [None]
    dataset = describe(table(y=y, w=weight, t=time), "y", weight="w", split="time:t")
    assert dict(dataset.dropped) == {
        "target missing": 10,
        "class with fewer than 3 rows": 2,
        "weight missing": 40,
        "time missing": 1,
    }
    assert dataset.rows_read == 120 == dataset.rows_used + 53
    assert dataset.weight is not None and dataset.time is not None
    np.testing.assert_array_equal(dataset.origin, [*range(60), *range(112, 119)])
    np.testing.assert_array_equal(dataset.weight, [1.0] * 60 + [2.0] * 7)
    np.testing.assert_array_equal(dataset.time, dataset.origin)
    np.testing.assert_array_equal(dataset.features["x"], WAVE[dataset.origin])
    assert list(dataset.features) == ["x"], "weight and time are no features"


def test_weights_must_be_weights():
    for weight, words in [
        ([1.0] * 119 + [-1.0], "'w' is -1.0 on row 119"),
        ([0.0] * 120, "zero on every row"),
        (cycle("a", "b"), "holds category values"),
        ([1.0] * 119 + [float("inf")], "'w' is inf on row 119"),
    ]:
        with pytest.raises(BadData, match=words):
            describe(table(y=GOAL, w=weight), "y", weight="w")


def test_roles_must_be_columns_and_different():
    source = table(y=GOAL, w=[1.0] * 120)
    for options in ({"weight": "wight"}, {"drop": ["nothing"]}, {"split": "group:nothing"}):
        with pytest.raises(UnknownName):
            describe(source, "y", **options)
    for options in ({"weight": "y"}, {"drop": ["y"]}, {"split": "time:y"}):
        with pytest.raises(BadData, match="at once"):
            describe(source, "y", **options)
    for split in ("time", "time:", "random:x", ":x"):
        with pytest.raises(BadData, match="time:COLUMN or group:COLUMN"):
            describe(source, "y", split=split)
    with pytest.raises(BadData, match="needs dates or numbers"):
        describe(table(y=GOAL, t=cycle("a", "b")), "y", split="time:t")


def test_dropped_columns_are_gone_and_named():
    dataset = describe(table(y=GOAL, z=WAVE[::-1], name=cycle("a", "b")), "y", drop=["z"])
    assert list(dataset.features) == ["x", "name"]
    assert {c.name: c.reason for c in dataset.columns} == {"x": "", "y": "target", "z": "dropped on request", "name": ""}


def test_names_that_are_numbers_or_alone():
    frame = read({0: WAVE, 1: GOAL, 2: WAVE[::-1]})
    dataset = describe(frame, 0, drop="2")  # type: ignore[arg-type]  # data frames have columns called 0
    assert dataset.target == "0" and list(dataset.features) == ["1"]


def test_groups():
    dataset = describe(table(y=GOAL, g=[*cycle("a", "b", "c", rows=118), None, "d"]), "y", split="group:g")
    assert dataset.group is not None and len(np.unique(dataset.group)) == 4
    assert dict(dataset.dropped) == {"group missing": 1} and list(dataset.features) == ["x"]
    numbers = describe(table(y=GOAL, g=cycle(5, 6, 7)), "y", split="group:g")
    assert numbers.group is not None and len(np.unique(numbers.group)) == 3


def test_a_date_that_splits_keeps_its_season_only():
    days = [f"2020-{1 + i // 28:02d}-{1 + i % 28:02d}" for i in range(120)]
    dataset = describe(table(y=GOAL, d=days), "y", split="time:d")
    assert "d" in dataset.features and not dataset.warnings
    (column,) = [c for c in dataset.columns if c.name == "d"]
    assert column.details["elapsed"] is False


def test_copies_of_the_target_are_left_out_and_leaks_are_named():
    dataset = describe(table(y=GOAL, copy=GOAL, celsius=GOAL * 1.8 + 32, noisy=GOAL + 0.1 * WAVE[::-1]), "y")
    assert list(dataset.features) == ["x", "celsius", "noisy"]
    assert any("'copy' is a copy of the target" in warning for warning in dataset.warnings)
    assert any("'celsius' determines the target 'y' exactly" in warning for warning in dataset.warnings)
    assert not any("noisy" in warning for warning in dataset.warnings)


@pytest.mark.parametrize(
    ("column", "verdict"),
    [
        (cycle("no", "yes"), "is a copy"),
        (cycle("0", "1"), "determines"),
        (cycle("male", "female"), "determines"),
        (cycle("a", "b", "a", "b", "a", "a"), ""),
        (cycle("a", "b", "c", "d"), "alone tells"),
        (cycle("a", "b", "c"), ""),
    ],
)
def test_copies_of_classes(column, verdict):
    dataset = describe(table(y=cycle("no", "yes"), other=column), "y")
    about = [warning for warning in dataset.warnings if "'other'" in warning]
    assert len(about) == (verdict != "") and all(verdict in warning for warning in about)
    assert ("other" in dataset.features) == (verdict != "is a copy")


def test_copied_rows_are_counted():
    twice = read({"x": [*WAVE, *WAVE[:30]], "y": [*WAVE[::-1], *WAVE[::-1][:30]]})
    assert any("30 of 150 rows are copies" in warning for warning in describe(twice, "y").warnings)
    once = read({"x": WAVE, "y": WAVE[::-1]})
    assert not describe(once, "y").warnings


def test_too_few_rows_left_after_roles():
    with pytest.raises(BadData, match="5 of 120 remain"):
        describe(table(y=GOAL, w=[1.0] * 5 + [None] * 115), "y", weight="w")


def test_what_it_says_of_a_column_survives_being_saved(tmp_path):
    dataset, _ = whole_way(write(tmp_path, text(separator=";").replace(".", ",")))
    assert dataset.columns[0].to_json() == {"name": "size", "kind": "number", "details": {"decimal_comma": True}}


def test_no_jax_and_no_scikit_learn_is_imported():
    program = """
import sys
from downslope.data import read, describe, split, encode
from downslope.prediction import predictor, write, save
table = read.read('demo:wine')
data = describe.describe(table)
encode.Encoder.fit(data, split.split(data).development).transform(data.features)
print([name for name in ('jax', 'sklearn', 'matplotlib', 'pandas') if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_error_is_ours():
    """Whatever a column holds, describing it either works or says in one line why not."""
    odd = [None, "", "x", "1", "inf", "2020-01-01", "True", "é" * 100, "-", '"']
    for seed in range(60):
        draw = np.random.default_rng(seed)
        pools = [draw.choice(odd, draw.integers(1, 4), replace=False).tolist() for _ in range(3)]
        columns = {f"c{i}": [pool[j] for j in draw.integers(0, len(pool), 30)] for i, pool in enumerate(pools)}
        try:
            whole_way({**columns, "x": WAVE[:30]}, "c0")
        except DownslopeError as problem:
            assert "\n" not in str(problem)
