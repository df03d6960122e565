"""What columns are taken for, on real tables and on columns made to mislead."""

import numpy as np
import polars as pl
import pytest
from data.tables import text, whole_way, write

from downslope.core.about import Task
from downslope.data.cells import values
from downslope.data.coded import Coded
from downslope.data.describe import describe
from downslope.data.kinds import find_kind
from downslope.data.read import read

REAL = {
    "adult": (
        "income",
        Task.BINARY,
        "number category number category number category category category category category number number number category",
        {"workclass": 1836, "occupation": 1843, "native_country": 583},
    ),
    "california_housing": ("median_house_value", Task.REGRESSION, "number " * 8 + "category", {"total_bedrooms": 207}),
    "bird_strikes": (
        "Phase of flight",
        Task.MULTICLASS,
        "category category category date category category category category category number number number number",
        {"Speed IAS in knots": 2836},
    ),
    "nyc_weather": (
        "temp",
        Task.REGRESSION,
        "category number number number number number number number number number number number number date",
        {"dewp": 1, "humid": 1, "wind_dir": 460, "wind_speed": 4, "wind_gust": 20778, "pressure": 2729},
    ),
    "wine_quality_white": ("quality", Task.MULTICLASS, "number " * 11, {}),
}


@pytest.mark.parametrize("name", REAL)
def test_real_tables(real_tables, name):
    target, task, kinds, missing = REAL[name]
    dataset, _ = whole_way(real_tables / f"{name}.csv", target)
    columns = [column for column in dataset.columns if column.name != target]
    assert dataset.task is task
    assert [column.kind for column in columns] == kinds.split()
    assert {column.name: column.missing for column in columns if column.missing} == missing
    assert [column.name for column in columns if not column.used] == (["year"] if name == "nyc_weather" else [])
    assert dict(dataset.dropped) == ({"target missing": 1} if name == "nyc_weather" else {})
    dated = any(column.kind == "date" for column in columns)
    assert any("rows are split at random although" in warning for warning in dataset.warnings) == dated


@pytest.mark.parametrize(
    ("name", "task", "rows", "features", "classes"),
    [
        ("diabetes", Task.REGRESSION, 442, 10, None),
        ("breast_cancer", Task.BINARY, 569, 30, ("benign", "malignant")),
        ("wine", Task.MULTICLASS, 178, 13, ("class_0", "class_1", "class_2")),
        ("digits", Task.MULTICLASS, 1797, 61, tuple("0123456789")),
        ("iris", Task.MULTICLASS, 150, 4, ("setosa", "versicolor", "virginica")),
    ],
)
def test_demo_tables(name, task, rows, features, classes):
    dataset, _ = whole_way(f"demo:{name}", target=None)
    assert (dataset.task, dataset.rows_used, len(dataset.features), dataset.classes) == (task, rows, features, classes)


def test_demo_tables_are_those_of_scikit_learn():
    from sklearn import datasets

    for name in ("diabetes", "breast_cancer", "wine", "digits", "iris"):
        options = {"scaled": False} if name == "diabetes" else {}
        theirs = getattr(datasets, f"load_{name}")(**options)
        dataset = describe(read(f"demo:{name}"))
        for index, column in enumerate(theirs.feature_names):
            if column in dataset.features:
                np.testing.assert_array_equal(dataset.features[column], theirs.data[:, index])
            else:
                assert np.ptp(theirs.data[:, index]) == 0
        if dataset.classes is None:
            np.testing.assert_array_equal(dataset.y, theirs.target)
        else:
            names = [str(theirs.target_names[label]) for label in theirs.target]
            assert [dataset.classes[label] for label in dataset.y] == names


WORDS = ["ash", "birch", "cedar", "elm", "fir", "hazel", "larch", "maple", "oak", "pine"]
COLUMNS = [
    ("number", ["1", " 2.5", "-3e2 ", ".5", "+7"] * 6, 0),
    ("number", ["1", "2", "NA", "3", ""] * 6, 12),
    ("number", ["1", "2", "?", "-", "null", "None", "N/A", "nan"] * 4, 24),
    ("number", ["1,5", "2,25", "3,0"] * 10, 0),
    ("number", ["1.234,5", "2,25", "3,0"] * 10, 0),
    ("number", [str(i % 7) for i in range(300)] + ["many"], 1),
    ("category", ["00501", "10001", "00777"] * 10, 0),
    ("category", ["red", "NA", "green"] * 10, 10),
    ("category", ["None", "Minor", "Major"] * 10, 0),
    ("category", ["1", "2", "A", "B"] * 10, 0),
    ("category", ["1,234", "5,678", "9,012"] * 10, 0),
    ("boolean", ["yes", "no", "YES"] * 10, 0),
    ("boolean", ["True", "False", ""] * 10, 10),
    ("boolean", ["t", "f"] * 10, 0),
    ("number", ["0", "1"] * 10, 0),
    ("date", ["2020-01-31", "2021-12-01"] * 10, 0),
    ("date", ["2020-01-31", "NA", "2021-12-01"] * 10, 10),
    ("date", ["31.12.2020", "01.02.2021"] * 10, 0),
    ("date", ["12/31/2020", "02/01/2021"] * 10, 0),
    ("date", ["12/31/20", "02/01/21"] * 10, 0),
    ("date", ["2013-01-01T06:00:00Z", "2013-01-02T07:30:00Z"] * 10, 0),
    ("date", ["2013-01-01 06:00:00.25", "2013-01-02 07:30:00"] * 10, 0),
    ("date", ["2013-01-01T06:00:00+02:00", "2013-01-02T07:30:00+0200"] * 10, 0),
    ("date", ["3 Mar 2020", "14 Apr 2021"] * 10, 0),
    ("category", ["1.2.3", "1.10.2"] * 10, 0),
    ("identifier", [f"{word}-{i}" for i, word in enumerate(WORDS * 3)], 0),
    ("text", [f"the {word} stands in the {i}th garden" for i, word in enumerate(WORDS * 3)], 0),
    ("text", [f"${i},{i * 37 % 1000:03d}" for i in range(30)], 0),
    ("category", WORDS * 3, 0),
    ("empty", ["", "NA", "?"] * 10, 30),
    ("empty", [" "] * 30, 30),
]


@pytest.mark.parametrize(("kind", "cells", "missing"), COLUMNS)
def test_columns_of_text(kind, cells, missing):
    found = find_kind(pl.Series("c", cells))
    assert (found.kind, found.missing) == (kind, missing)


def test_values_of_each_kind():
    def read_values(*cells):
        return find_kind(pl.Series("c", [*cells] * 12)).values[: len(cells)].tolist()

    assert read_values("1", " -2.5 ", "1e3") == [1.0, -2.5, 1000.0]
    assert read_values("1.234,5", "2,25") == [1234.5, 2.25]
    assert read_values("yes", "No") == [1.0, 0.0]
    assert read_values("1970-01-02", "1969-12-31") == [86400.0, -86400.0]
    assert read_values("1970-01-01T02:00:00+02:00", "1970-01-01T00:00:01+00:00") == [0.0, 1.0]
    coded = find_kind(pl.Series("c", ["b", "a", ""] * 12)).values
    assert isinstance(coded, Coded)
    assert coded.levels == ("a", "b") and coded[:3].tolist() == [1, 0, -1]


def test_infinities_and_stray_words_are_announced_with_their_line(tmp_path):
    rows = [f"{i % 7},{i % 5},{i % 11}.5" for i in range(300)]
    rows[10] = "inf,1,2.5"
    rows[20] = "1,many,2.5"
    rows[30] = "-1e999,1,2.5"
    dataset, _ = whole_way(write(tmp_path, "a,b,y\n" + "\n".join(rows)))
    warnings = [warning for warning in dataset.warnings if "copies" not in warning]
    assert warnings == [
        "'a': 2 infinite values (or beyond 1e100) count as missing (first on line 12)",
        "'b': 1 cell is not a number and counts as missing (first 'many', line 22)",
    ]
    assert np.flatnonzero(np.isnan(dataset.features["a"])).tolist() == [10, 30]
    assert np.flatnonzero(np.isnan(dataset.features["b"])).tolist() == [20]


@pytest.mark.parametrize(
    ("name", "values", "reason"),
    [
        ("number", [str(i) for i in range(40)], "row numbers"),
        ("number", [str(40 - i) for i in range(40)], "row numbers"),
        ("id", [str(i * i + 100) for i in range(40)], "an identifier by its name"),
        ("customer_id", [str(i * i + 100) for i in range(40)], "an identifier by its name"),
        ("", [str(i * i + 100) for i in range(40)], "an identifier by its name"),
        ("width", [str(i * i + 100) for i in range(40)], ""),
        ("year", [str(i + 1960) for i in range(40)], ""),
        ("rapid", [str(i * i + 100) for i in range(40)], ""),
    ],
)
def test_columns_that_only_name_their_rows(tmp_path, name, values, reason):
    lines = text().splitlines()
    content = "\n".join(",".join([lines[i], name if i == 0 else values[i - 1]]) for i in range(41))
    dataset, _ = whole_way(write(tmp_path, content))
    column = dataset.columns[-1]
    assert column.used == (not reason) and column.reason.startswith(reason)
    assert any("is left out" in note for note in dataset.notes) == bool(reason)


def test_a_row_number_is_used_when_there_is_nothing_else(tmp_path):
    content = "x,y\n" + "\n".join(f"{i},{i % 7}.25" for i in range(40))
    dataset, _ = whole_way(write(tmp_path, content))
    assert list(dataset.features) == ["x"]


def test_whole_numbers_are_the_levels_they_were_as_text():
    coded = values(pl.Series("c", [3.0, None, 4.0, float("nan")]), "category", {})
    assert isinstance(coded, Coded) and coded.levels == ("3", "4") and coded.tolist() == [0, -1, 1, -1]


def test_names_in_several_lines(tmp_path):
    assert read(write(tmp_path, '"a\r\nb",y\n1,2\n')).columns == ("a b", "y")


def test_typed_columns_keep_their_type():
    column = pl.Series("c", [[1, 2]] * 4)
    assert find_kind(column).kind == "unsupported"
    assert find_kind(pl.Series("c", [None] * 4)).kind == "empty"
    assert find_kind(pl.Series("c", [True, None, False])).values.tolist()[::2] == [1.0, 0.0]
    assert find_kind(pl.Series("c", ["a", "b"], dtype=pl.Categorical)).kind == "category"
