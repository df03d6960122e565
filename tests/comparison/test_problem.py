"""From a bad table or a bad wish to one line: through the program itself, and no folder is left behind.

That each kind of broken file is refused is tested where files are read; here stands one of each family, the whole way.
"""

import numpy as np
import pytest
from click.testing import CliRunner

from downslope.cli.main import cli
from downslope.losses import AbsoluteError, Huber
from downslope.training.stream import aligned
from tests.comparison import small

GOOD = "a,b,y\n" + "".join(f"{i % 7}.5,{'rgb'[i % 3]},{(i * 37 % 101) / 7:.3f}\n" for i in range(60))
FILES = {
    "empty": (b"", "is empty"),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(64), "a PNG picture"),
    "archive": (b"PK\x03\x04" + bytes(64), "a zip archive"),
    "latin": (GOOD.replace("r,", "é,", 1).encode("latin-1"), "byte 0xE9"),
    "ragged": (GOOD + "1,r\n", "line 62 has 2 cells"),
    "header": ("a,b,y\n", "no rows"),
    "twice": (GOOD.replace("a,b", "a,a", 1), "two columns called 'a'"),
    "constant": ("a,y\n" + "1,7\n2,7\n3,7\n" * 9, "is 7 on each of 27 rows"),
    "missing": ("a,y\n" + "1,\n2,\n3,\n" * 9, "no value on any of 27 rows"),
    "few": ("a,y\n1,1.5\n2,2.5\n3,3.5\n", "at least 6"),
    "infinite": (GOOD + "1,r,inf\n", "on line 62"),
    "classes": ("a,y\n" + "".join(f"{i % 9},word{i}\n" for i in range(150)), "different words"),
}
WISHES = {
    "--target z": "unknown target 'z' in table.csv",
    "--target y --losses hubber": "did you mean 'huber'",
    "--target y --optimizers adma": "or 'adam'?",
    "--target y --losses huber(delta=-1)": "delta must be above 0, got -1",
    "--target y --optimizers adam(b1=1.5)": "b1 must be",
    "--target y --optimizers sgd@x": "whole number of rows",
    "--target y --losses hinge": "hinge is a loss for binary targets, and this one is regression",
    "--target y --metric auc": "metric roc_auc does not fit",
    "--target y --model mpl": "did you mean 'mlp'",
    "--target y --drop c": "unknown column to drop 'c'",
    "--target y --weight b": "'b'",
    "--target y --split group:nowhere": "nowhere",
    "--target y --split sideways": "sideways",
    "--target y --task binary": "two",
    "--target y --test nowhere.csv": "nowhere.csv",
    "--target y --epochs 0": "0",
    "--target y --seeds 1": "1",
}


def refused(*arguments):
    """The one line with which a command is refused."""
    done = CliRunner().invoke(cli, ["compare", *arguments, "--quiet"])
    assert done.exit_code == 2 and done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("downslope: ") and "Traceback" not in line
    return line


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_no_use(in_empty_folder, name):
    content, words = FILES[name]
    (in_empty_folder / "table.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert words in refused("table.csv", "--target", "y")
    assert [path.name for path in in_empty_folder.iterdir()] == ["table.csv"]


@pytest.mark.parametrize("wish", WISHES)
def test_a_wish_that_cannot_be_fulfilled(in_empty_folder, wish):
    (in_empty_folder / "table.csv").write_text(GOOD)
    assert WISHES[wish] in refused("table.csv", *wish.split(" "))
    assert [path.name for path in in_empty_folder.iterdir()] == ["table.csv"]


def test_no_file_a_folder_and_no_place_to_write(in_empty_folder):
    (in_empty_folder / "table.csv").write_text(GOOD)
    assert "tables here: table.csv" in refused("tabel.csv", "--target", "y")
    assert "is a folder" in refused(".", "--target", "y")
    assert "cannot write to the folder" in refused("table.csv", "--target", "y", "--out", "table.csv/below")
    assert [path.name for path in in_empty_folder.iterdir()] == ["table.csv"]


def test_fits_with_the_same_rows_share_their_arrays():
    problem = small.problem(small.only(*small.PLAIN), confirmation=10)
    assert len(problem.fits) == 12 and len(problem.tuning) == 2 and list(problem.confirmation) == list(range(2, 12))
    assert len(problem.encoders) == len(problem.matrices) == 10, "two repetitions of five folds; tuning uses two of them"
    for fit in problem.tuning:
        twins = [other for other in problem.confirmation if problem.places[other] == problem.places[fit]]
        assert len(twins) == 1 and np.array_equal(problem.fits[twins[0]].train, problem.fits[fit].train)


def test_all_encodings_are_as_wide_as_the_widest():
    table = small.only(*small.PLAIN)
    table["size"][0] = None  # a column that says so, where a fold's training rows have it
    problem = small.problem(table, confirmation=10)
    widths = {encoder.width for encoder in problem.encoders}
    assert len(widths) > 1, "the folds differ, or nothing is tested"
    for train, stop in problem.matrices:
        assert train.shape[1] == stop.shape[1] == max(widths) and train.dtype == np.float32 and train.flags.c_contiguous
        assert aligned(train) is train and aligned(stop) is stop, "an engine that copies them needs the memory twice"
    narrow = problem.firsts[[encoder.width for encoder in problem.encoders].index(min(widths))]
    assert not problem.encode(narrow, np.arange(20))[:, min(widths) :].any()


def test_targets_go_in_and_come_back_in_their_units():
    problem = small.problem(small.only(*small.PLAIN))
    rows = np.arange(200)
    for loss in (Huber(), AbsoluteError()):
        inside = problem.target(3, loss, rows)
        assert inside.dtype == np.float32 and abs(np.median(inside)) < 0.3 and 0.5 < inside.std() < 2
        np.testing.assert_allclose(problem.outward(3, loss, inside), problem.dataset.y, rtol=1e-5)


def test_the_scale_is_learned_from_the_training_rows_alone():
    table = small.only(*small.PLAIN)
    before = small.problem(table)
    for row in (*before.fits[2].judge, *before.fits[2].stop, *before.splits.test):
        table["price"][row] *= 1 + 1e-9  # the order of the prices, and so the split, stays
    after = small.problem(table)
    assert np.array_equal(before.fits[2].train, after.fits[2].train)
    assert before.scale(2, Huber()) == after.scale(2, Huber()) and before.dataset.digest != after.dataset.digest
    assert before.scale(2, Huber()) != before.scale(3, Huber()), "other training rows, another scale"
