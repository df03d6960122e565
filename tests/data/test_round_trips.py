"""The same data in another dress: the result does not change."""

import gzip
import random

import numpy as np
import polars as pl
import pytest
from data.tables import lines, text, whole_way, write
from hypothesis import given
from hypothesis import strategies as st

from downslope.data.describe import describe
from downslope.data.read import read, stack

PLAIN = lines()


def dressed(rows, separator=",", end="\n", quoting="none", seed=0) -> str:
    draw = random.Random(seed)

    def cell(value: str) -> str:
        if quoting == "all" or (quoting == "some" and draw.random() < 0.5):
            return '"' + value.replace('"', '""') + '"'
        return value

    return "".join(separator.join(map(cell, row)) + end for row in rows)


def check_same(one, other):
    (first, encoded), (second, again) = one, other
    assert first.columns == second.columns and first.notes == second.notes and first.warnings == second.warnings
    np.testing.assert_array_equal(first.y, second.y)
    np.testing.assert_array_equal(encoded, again)


@given(
    separator=st.sampled_from([",", ";", "\t", "|"]),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    quoting=st.sampled_from(["none", "some", "all"]),
    mark=st.booleans(),
    packed=st.booleans(),
    last_end=st.booleans(),
    seed=st.integers(0, 9),
)
def test_dress_does_not_matter(tmp_path_factory, separator, end, quoting, mark, packed, last_end, seed):
    folder = tmp_path_factory.mktemp("dress")
    content = dressed(PLAIN, separator, end, quoting, seed)
    content = content if last_end else content[: -len(end)]
    data = (b"\xef\xbb\xbf" if mark else b"") + content.encode()
    path = write(folder, gzip.compress(data) if packed else data, "t.csv.gz" if packed else "t.csv")
    check_same(whole_way(write(folder, text(), "plain.csv")), whole_way(path))


@given(order=st.permutations([0, 1, 2]))
def test_the_order_of_columns_does_not_matter(tmp_path_factory, order):
    folder = tmp_path_factory.mktemp("order")
    moved = [[row[index] for index in order] for row in PLAIN]
    one, encoded = whole_way(write(folder, text()))
    other, again = whole_way(write(folder, dressed(moved), "moved.csv"))
    assert {c.name: c for c in one.columns} == {c.name: c for c in other.columns}
    np.testing.assert_array_equal(one.y, other.y)
    assert sorted(map(tuple, encoded.T.tolist())) == sorted(map(tuple, again.T.tolist()))


cells = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\x85\u2028\u2029"), max_size=12)
tricky = st.one_of(cells, st.sampled_from(['"', '""', ",", "\n", "a\r\nb", ' " ', ";", "\t", "'", "=1+1", "é", "日本"]))


@given(rows=st.lists(st.tuples(tricky, tricky), min_size=1, max_size=12), quoting=st.sampled_from(["all"]))
def test_every_cell_comes_back(tmp_path_factory, rows, quoting):
    """Quoted cells with separators, line ends and quotation marks inside are read as they were written."""
    folder = tmp_path_factory.mktemp("cells")
    path = write(folder, dressed([("first", "second"), *rows], quoting=quoting))
    frame = read(path).frame
    found = list(zip(*(column.fill_null("").to_list() for column in frame), strict=True))
    assert found == rows


@given(
    rows=st.lists(st.lists(st.sampled_from(["a", "", '"', "x y", '""', '"a"', '"a', "1"]), min_size=2, max_size=2), max_size=6),
)
def test_unusual_quotation_marks_are_read_as_by_the_standard_library(tmp_path_factory, rows):
    import csv
    import io

    from downslope.core.errors import BadData

    content = "first,second\n" + "".join(",".join(row) + "\n" for row in rows)
    try:
        expected = [row for row in csv.reader(io.StringIO(content, newline=""), strict=True) if row][1:]
    except csv.Error:
        expected = None
    path = write(tmp_path_factory.mktemp("marks"), content)
    if not expected or any(len(row) != 2 for row in expected):
        with pytest.raises(BadData):
            read(path)
        return
    frame = read(path).frame
    assert [list(row) for row in zip(*(column.fill_null("").to_list() for column in frame), strict=True)] == expected


def test_formats_agree(tmp_path):
    frame = pl.read_csv(text().encode())
    frame.write_parquet(tmp_path / "t.parquet")
    frame.write_ipc(tmp_path / "t.arrow")
    frame.write_ipc_stream(tmp_path / "stream.arrow")
    plain = whole_way(write(tmp_path, text()))
    for source in (tmp_path / "t.parquet", tmp_path / "t.arrow", tmp_path / "stream.arrow", frame, frame.lazy()):
        check_same(plain, whole_way(source))
    check_same(plain, whole_way(frame.to_dict(as_series=False)))
    check_same(plain, whole_way(str(tmp_path / "table.csv")))


def test_other_libraries_frames(tmp_path):
    pandas = pytest.importorskip("pandas")
    pyarrow = pytest.importorskip("pyarrow")
    plain = whole_way(write(tmp_path, text()))
    frame = pandas.read_csv(tmp_path / "table.csv")
    check_same(plain, whole_way(frame))
    check_same(plain, whole_way(pyarrow.Table.from_pandas(frame)))
    mixed = frame.assign(mixed=["a", None, 3, 2.5] * 10)
    dataset, _ = whole_way(mixed)
    assert [(c.name, c.kind, c.missing) for c in dataset.columns][-1] == ("mixed", "category", 10)


def test_arrays(tmp_path):
    draw = np.random.default_rng(0)
    X, y = draw.normal(size=(60, 3)), draw.normal(size=60)
    np.savez(tmp_path / "t.npz", X=X, y=y)
    np.savez_compressed(tmp_path / "small.npz", X=X, y=y)
    pair = whole_way((X, y))
    assert [c.name for c in pair[0].columns] == ["x0", "x1", "x2", "y"]
    for source in (
        tmp_path / "t.npz",
        tmp_path / "small.npz",
        (X.tolist(), y.tolist()),
        (pl.DataFrame(X, ["x0", "x1", "x2"]), y),
    ):
        check_same(pair, whole_way(source))
    labels, _ = whole_way((X, np.array(["no", "yes"] * 30)))
    assert labels.classes == ("no", "yes")


def test_digests_tell_tables_apart(tmp_path):
    frame = pl.read_csv(text().encode())
    assert read(frame).digest == read(frame.rechunk()).digest == read(pl.concat([frame[:7], frame[7:]])).digest
    others = [
        frame.rename({"size": "sizes"}),
        frame.with_columns(pl.col("size") + 1),
        frame.with_columns(pl.col("size").cast(pl.Float32)),
        frame[::-1],
        frame.with_columns(pl.when(pl.col("size") > 5).then(None).otherwise(pl.col("colour")).alias("colour")),
    ]
    assert len({read(other).digest for other in [frame, *others]}) == 6


def test_blank_lines_are_counted_and_keep_their_place(tmp_path):
    content = text().replace("\n", "\n\n", 3)
    table = read(write(tmp_path, content))
    assert table.rows == 40 and table.notes == ("3 blank lines skipped",)
    assert table.lines is not None and table.lines[:4].tolist() == [3, 5, 7, 8]
    check_same(whole_way(write(tmp_path, text(), "plain.csv")), whole_way(pl.DataFrame(table.frame)))


def test_row_numbers_of_stacked_tables(tmp_path):
    rows = [[*row, name] for row, name in zip(PLAIN, ["row", *map(str, range(1, 41))], strict=True)]
    table = read(write(tmp_path, dressed(rows)))
    both = describe(stack(table, read(write(tmp_path, dressed(rows[:11]), "test.csv"))), "y")
    assert both.columns[-1].reason == "row numbers" and both.rows_used == 50


def test_a_table_for_the_test_part_in_its_own_file(tmp_path):
    both = stack(read(write(tmp_path, text())), read(write(tmp_path, dressed([r[::-1] for r in PLAIN[:9]]), "test.csv")))
    assert both.rows == 48
    assert both.frame[40:].equals(read(write(tmp_path, text())).frame[:8])
