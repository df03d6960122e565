"""Files that are no tables, or nearly: each gets one line that says what, where, and what to do."""

import gzip
import io
import re
import struct
import tracemalloc
import zipfile

import numpy as np
import polars as pl
import pytest
from data.tables import text, whole_way, write

from downslope.core.errors import BadData, DownslopeError, UnknownName
from downslope.data import frames, probe
from downslope.data.describe import describe
from downslope.data.read import read

GOOD = text()


def zipped() -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        archive.writestr("table.csv", GOOD)
    return memory.getvalue()


def parquet(frame: pl.DataFrame) -> bytes:
    memory = io.BytesIO()
    frame.write_parquet(memory)
    return memory.getvalue()


def npz(**arrays: np.ndarray) -> bytes:
    memory = io.BytesIO()
    np.savez_compressed(memory, allow_pickle=True, **arrays)
    return memory.getvalue()


FRAME = pl.read_csv(GOOD.encode())
REFUSED = {
    "empty.csv": (b"", "is empty"),
    "blank.csv": (b"\n \n\n", "is empty"),
    "header.csv": (b"size,colour,y\n", "header line and no rows"),
    "header_without_end.csv": (b"size,colour,y", "header line and no rows"),
    "twice.csv": (b"a,b,a\n1,2,3\n", "two columns called 'a' (number 1 and 3)"),
    "short_line.csv": (GOOD + "1,red\n", "line 42 has 2 cells, the header has 3"),
    "long_line.csv": (GOOD + "1,red,2,3\n", "line 42 has 4 cells, the header has 3"),
    "two_long_lines.csv": (GOOD + "1,red,2,3\n1,red,2,3\n", "(2 such lines)"),
    "open_quote.csv": (GOOD + '1,"red,3\n4,blue,6\n', "line 42: a quotation mark"),
    "quote_in_quotes.csv": (GOOD + '1,"re"d",3\n', "line 42: a quotation mark"),
    "latin.csv": (GOOD.replace("red", "réd").encode("latin-1"), "byte 0xE9 on line 2"),
    "utf16.csv": (GOOD.encode("utf-16"), "is UTF-16"),
    "utf16_without_mark.csv": (GOOD.encode("utf-16-le"), "NUL byte on line 1"),
    "nul.csv": (GOOD.replace("blue", "bl\0e"), "NUL byte on line 4"),
    "picture.csv": (b"\x89PNG\r\n\x1a\n" + bytes(64), "a PNG picture"),
    "archive.csv": (zipped(), "a zip archive"),
    "archive.zip": (zipped(), "a zip archive"),
    "sheet.xlsx": (zipped(), "Excel"),
    "page.csv": (b"<!DOCTYPE html><html></html>", "a web page"),
    "objects.csv": (b'{"a": 1}', "JSON"),
    "rows.csv": (b'[{"a": 1}]', "JSON"),
    "code.pkl": (b"\x80\x04\x95\x10\x00\x00", "a pickle"),
    "packed_picture.csv.gz": (gzip.compress(b"\x89PNG\r\n\x1a\n"), "a PNG picture"),
    "cut.csv.gz": (gzip.compress(GOOD.encode())[:-20], "cut off"),
    "wrong_sum.csv.gz": (gzip.compress(GOOD.encode())[:-8] + bytes(8), "damaged gzip"),
    "bomb.csv.gz": (gzip.compress(b"a,y\n" + b"1,2\n" * 6_000_000), "more than 200 times its size"),
    "wide.csv": (",".join(f"c{i}" for i in range(10_001)) + "\n" + ",".join("1" * 10_001) + "\n", "10001 columns"),
    "cut.parquet": (parquet(FRAME)[:-30], "is damaged"),
    "noise.parquet": (b"PAR1" + bytes(range(256)) + b"PAR1", "is damaged"),
    "cut.arrow": (b"ARROW1\0\0" + bytes(40), "is damaged"),
    "old.feather": (b"FEA1" + bytes(40), "old Feather"),
    "no_y.npz": (npz(X=np.ones((9, 2))), "expected the arrays X and y"),
    "lengths.npz": (npz(X=np.ones((9, 2)), y=np.ones(8)), "X has 9 rows and y has 8"),
    "objects.npz": (npz(X=np.array([[1, None]], dtype=object), y=np.ones(1)), "plain arrays"),
    "bomb.npz": (npz(X=np.zeros((3000, 9000)), y=np.zeros(3000)), "more than 200 times"),
    "cut.npz": (npz(X=np.ones((9, 2)), y=np.ones(9))[:-40], "plain arrays"),
    "infinite_target.csv": (GOOD + "1,red,inf\n", "infinite (or beyond 1e100) on line 42"),
    "huge_target.csv": (GOOD + "1,red,1e400\n", "infinite (or beyond 1e100) on line 42"),
    "vast_target.csv": (GOOD + "1,red,1e101\n", "infinite (or beyond 1e100) on line 42"),
    "infinite_target_late.csv": (GOOD.replace("red", '"r\ned"') + "1,red,-inf\n", "infinite (or beyond 1e100) on line 56"),
    "word_in_target.csv": (GOOD + "1,red,many\n", "'many' on line 42"),
    "constant_target.csv": (re.sub(r"[^,]*\n", "7\n", GOOD).replace("7", "y", 1), "'y' is 7 on each of 40 rows"),
    "missing_target.csv": (re.sub(r"[^,]*\n", "NA\n", GOOD).replace("NA", "y", 1), "no value on any of 40 rows"),
    "few_rows.csv": ("a,y\n1,2.5\n2,3.5\n3,1.5\n", "3 rows have a value of target 'y', at least 6"),
    "many_classes.csv": ("a,y\n" + "".join(f"{i % 7}.5,w{i}\n" for i in range(300)), "300 different words"),
    "rare_classes.csv": ("a,y\n" + "".join(f"{i % 7}.5,w{i // 2}\n" for i in range(30)), "none has as many"),
    "dates_as_target.csv": ("a,y\n" + "".join(f"{i % 7}.5,2020-01-{i:02d}\n" for i in range(1, 29)), "holds dates"),
    "target_alone.csv": ("y\n" + "".join(f"{i % 7}.5\n" for i in range(30)), "only one column was found"),
    "nothing_left.csv": ("a,y\n" + "".join(f"1,{i % 7}.5\n" for i in range(30)), "the same value on every row"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_in_one_line(tmp_path, name):
    content, reason = REFUSED[name]
    path = write(tmp_path, content, name)
    with pytest.raises(DownslopeError) as caught:
        describe(read(path), "y")
    message = str(caught.value)
    assert reason in message and "\n" not in message
    assert ";" in message or "expected" in message or "is not a table but" in message, "it must say what to do"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("nowhere/table.csv", "there is no folder nowhere"),
        ("tabel.csv", "did you mean table.csv?"),
        (".", "is a folder"),
        ("demo:diabtes", "did you mean 'diabetes'"),
        ("a\0b", "cannot look for|no file"),
        (3, "cannot read a table from int"),
        ({}, "0 rows and 0 columns"),
        ({"a": [1, 2], "y": [1, 2, 3]}, "differ in length"),
        ((np.ones((3, 2)), np.ones(4)), "X has 3 rows and y has 4"),
        ((np.ones((3, 2, 2)), np.ones(3)), "expected rows × columns"),
        (([[1, 2], [3]], [1, 2]), "rows of equal length"),
    ],
)
def test_sources_that_are_none(in_empty_folder, source, reason):
    write(in_empty_folder, GOOD)
    with pytest.raises(DownslopeError, match=reason):
        read(source)


def test_a_file_that_may_not_be_read(tmp_path):
    path = write(tmp_path, GOOD)
    path.chmod(0)
    try:
        path.read_bytes()
    except PermissionError:
        with pytest.raises(BadData, match="Permission denied"):
            read(path)
    else:
        pytest.skip("this user may read everything")


def test_the_target_must_be_a_column(tmp_path):
    with pytest.raises(UnknownName, match="did you mean 'colour'"):
        describe(read(write(tmp_path, GOOD)), "color")
    with pytest.raises(BadData, match="choose one of its columns: size, colour, y"):
        describe(read(write(tmp_path, GOOD)))


def test_a_bomb_is_refused_early(tmp_path):
    path = write(tmp_path, gzip.compress(b"a,y\n" + b"1,2\n" * 20_000_000), "bomb.csv.gz")
    tracemalloc.start()
    with pytest.raises(BadData, match="200 times"):
        read(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50e6


def test_a_parquet_file_that_lies_about_its_rows(tmp_path):
    rows = 200_000_000  # a file that really claims this many would take as long to write as to read
    frame = pl.DataFrame({"a": pl.repeat(1, 1000, eager=True), "y": pl.repeat(2, 1000, eager=True)})
    with pytest.raises(BadData, match="times its size"):
        frames.refuse_bomb("t.parquet", len(parquet(frame)), rows, frame.width)
    frames.refuse_bomb("t.parquet", len(parquet(frame)), frame.height, frame.width)


def test_a_reader_that_panics_is_caught(tmp_path, monkeypatch):
    def panic(*_, **__):
        raise pl.exceptions.PanicException("it broke")

    monkeypatch.setattr(pl, "read_csv", panic)
    monkeypatch.setattr(pl, "read_parquet", panic)
    with pytest.raises(BadData, match="the reader gave up"):
        read(write(tmp_path, GOOD))
    with pytest.raises(BadData, match="the reader gave up"):
        read(write(tmp_path, parquet(FRAME), "t.parquet"))


def test_no_row_disappears_when_the_reader_disagrees(tmp_path, monkeypatch):
    """If polars ever counts rows in another way than we do, that is an error and not a shorter table."""
    real = pl.read_csv
    monkeypatch.setattr(pl, "read_csv", lambda *a, **k: real(*a, **k).head(5))
    with pytest.raises(BadData, match="41 records of 3 cells were counted, 5 of 3 were read"):
        read(write(tmp_path, GOOD))


@pytest.mark.parametrize("count", [2, 3, 5, 9])
def test_cells_with_quotation_marks_inside(tmp_path, count):
    """An odd number of inch signs must not swallow lines."""
    rows = [f'{i}.5,{i}" pipe,{i % 7}.25' if i < count else f"{i}.5,plain,{i % 7}.25" for i in range(30)]
    dataset, _ = whole_way(write(tmp_path, "a,b,y\n" + "\n".join(rows)))
    assert dataset.rows_read == 30
    levels = read(write(tmp_path, "a,b,y\n" + "\n".join(rows))).frame["b"]
    assert levels[0] == '0" pipe'


def test_many_gzip_members(tmp_path):
    whole = GOOD.encode()
    parts = b"".join(gzip.compress(whole[i : i + 50]) for i in range(0, len(whole), 50))
    assert read(write(tmp_path, parts, "t.csv.gz")).frame.equals(read(write(tmp_path, whole)).frame)


def test_a_gzip_file_may_be_followed_by_zeros(tmp_path):
    padded = gzip.compress(GOOD.encode()) + bytes(512)
    assert read(write(tmp_path, padded, "t.csv.gz")).rows == 40


def test_structure_of_a_file_without_end(tmp_path):
    table = read(write(tmp_path, "a,y\n1,2\n3,4"))
    assert table.rows == 2 and table.lines is not None and table.lines.tolist() == [2, 3]


def test_header_length_is_bounded(tmp_path):
    data = struct.pack("<I", 5) * 10
    with pytest.raises(BadData):
        read(write(tmp_path, data, "noise.bin"))


@pytest.mark.parametrize(
    ("program", "reason"),
    [("__import__('os').abort()", "the reader broke off"), ("raise ValueError('no sense\\nat all')", "no sense; write it again")],
)
def test_a_file_that_ends_the_process_that_reads_it(tmp_path, monkeypatch, program, reason):
    """Some damaged Arrow files claim a column of a million gigabytes, and reading them aborts past every except."""
    monkeypatch.setitem(probe.READERS, "parquet", program)
    with pytest.raises(BadData, match=reason):
        read(write(tmp_path, parquet(FRAME), "t.parquet"))


def test_no_process_can_be_started(tmp_path, monkeypatch):
    monkeypatch.setattr(probe.subprocess, "run", fail)
    assert read(write(tmp_path, parquet(FRAME), "t.parquet")).rows == 40
    monkeypatch.setattr(probe.sys, "executable", "")
    assert read(write(tmp_path, parquet(FRAME), "t.parquet")).rows == 40


def fail(*_, **__):
    raise OSError("no more processes")
