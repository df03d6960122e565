"""The ledger: whole bundles or none, in an order of its own, and never believed when it was damaged."""

import errno
import sqlite3

import numpy as np
import pytest

from downslope.comparison.ledger import FILES, Ledger, Run
from downslope.core.errors import BadData


def run(contender="huber × adam", phase="confirmation", rate=0.1, fit=0, **changes) -> Run:
    arrays = {"train_loss": np.array([1.0, 0.1 + 0.2]), "params 0": np.arange(6, dtype=np.float32).reshape(2, 3)}
    return Run(contender, phase, rate, fit, 7, "ok", None, 1, 0.1 + 0.2, 40, arrays, 0.5)._replace(**changes)


def same(left: Run, right: Run) -> bool:
    mine, theirs = left.arrays, right.arrays
    return left._replace(arrays={}) == right._replace(arrays={}) and all(
        mine[name].dtype == theirs[name].dtype and mine[name].tobytes() == theirs[name].tobytes() for name in {*mine, *theirs}
    )


def test_a_run_comes_back_bit_for_bit(tmp_path):
    with Ledger(tmp_path) as ledger:
        lost = run(fit=1, status="diverged", diverged_after=3, score=None, arrays={})
        ledger.add([run(), lost], "bundle")
    with Ledger(tmp_path) as ledger:
        found = ledger.runs("huber × adam", "confirmation")
        assert len(found) == 2 and same(found[0], run()) and same(found[1], lost)
        assert ledger.have("huber × adam", "confirmation") == {(0.1, 0), (0.1, 1)}
        assert ledger.have("huber × sgd", "confirmation") == set() == ledger.have("huber × adam", "tuning")
        assert ledger.seconds() == 1.0


def test_the_order_does_not_depend_on_when_runs_finished(tmp_path):
    runs = [run(contender, phase, rate, fit) for contender in "ba" for phase in ("tuning", "confirmation") for rate in (0.3, 0.1)
            for fit in (1, 0)]  # fmt: skip
    orders = []
    for place, shuffled in (("one", runs), ("two", runs[::-1])):
        (tmp_path / place).mkdir()
        with Ledger(tmp_path / place) as ledger:
            for each in shuffled:
                ledger.add([each], "bundle")
            orders.append([each[:4] for each in ledger.runs()])
    assert orders[0] == orders[1] and len(orders[0]) == 16


def test_a_bundle_is_written_whole_or_not_at_all(tmp_path):
    with Ledger(tmp_path) as ledger:
        ledger.checkpoint("bundle", b"half")
        broken = run(fit=1)._replace(status=None)  # type: ignore[arg-type]  # what the database will refuse
        with pytest.raises(BadData):
            ledger.add([run(), broken], "bundle")
        assert ledger.runs() == [] and ledger.frozen("bundle") == b"half"
        ledger.add([run()], "bundle")
        assert len(ledger.runs()) == 1 and ledger.frozen("bundle") is None


def test_facts_come_back_as_json_and_are_replaced(tmp_path):
    with Ledger(tmp_path) as ledger:
        assert ledger.fact("identity") is None
        assert ledger.store("identity", {"a": (1, 2)}) == {"a": [1, 2]}
        ledger.store("identity", {"a": None})
        assert ledger.fact("identity") == {"a": None}


def filled(folder) -> bytes:
    """A ledger of a few pages."""
    with Ledger(folder) as ledger:
        ledger.store("identity", {"data": "abc"})
        big = {"params 0": np.random.default_rng(0).normal(size=2000)}
        ledger.add([run(fit=fit, arrays=big) for fit in range(8)], "bundle")
        ledger.checkpoint("other", b"x" * 5000)
    return (folder / "ledger.sqlite").read_bytes()


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def other_file(data: bytes) -> bytes:
    return b"no database at all, but a letter to a friend. " * 100


def zeros(data: bytes) -> bytes:
    return data[:4096] + bytes(len(data) - 4096)


def garbled(data: bytes) -> bytes:
    return bytes(byte ^ 255 if place >= 4096 and place % 97 == 0 else byte for place, byte in enumerate(data))


@pytest.mark.parametrize("damage", [cut, other_file, zeros, garbled])
def test_a_damaged_ledger_is_one_line_and_fresh_heals_it(tmp_path, damage):
    (tmp_path / "ledger.sqlite").write_bytes(damage(filled(tmp_path)))
    with pytest.raises(BadData) as caught:
        Ledger(tmp_path)
    assert "--fresh starts a new one" in str(caught.value) and "\n" not in str(caught.value)
    with Ledger(tmp_path, fresh=True) as ledger:  # it was let go: nobody else holds the folder
        assert ledger.runs() == [] and ledger.fact("identity") is None


def test_no_changed_bit_of_a_run_is_believed(tmp_path):
    data = filled(tmp_path)
    known = np.random.default_rng(0).normal(size=2000).tobytes()[800:816]
    place = data.index(known)
    (tmp_path / "ledger.sqlite").write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
    with Ledger(tmp_path) as ledger, pytest.raises(BadData, match="not as it was written"):
        ledger.runs()


def test_numbers_beside_the_arrays_are_sealed_too(tmp_path):
    filled(tmp_path)
    with sqlite3.connect(tmp_path / "ledger.sqlite") as database:
        database.execute("UPDATE runs SET score = 0.25 WHERE fit = 3")
    database.close()
    with Ledger(tmp_path) as ledger, pytest.raises(BadData, match="not as it was written"):
        ledger.runs()


def test_a_damaged_checkpoint_is_forgotten(tmp_path):
    data = filled(tmp_path)
    place = data.index(b"x" * 100) + 50
    (tmp_path / "ledger.sqlite").write_bytes(data[:place] + b"y" + data[place + 1 :])
    with Ledger(tmp_path) as ledger:
        assert ledger.frozen("other") is None and len(ledger.runs()) == 8


def test_a_full_disk_is_called_so_and_loses_nothing(tmp_path):
    with Ledger(tmp_path) as ledger:
        ledger.add([run()], "bundle")
        pages = ledger.ask("PRAGMA page_count")[0][0]
        ledger.ask(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(OSError) as caught:
            ledger.add([run(fit=fit, arrays={"judged": np.zeros(5000)}) for fit in range(1, 9)], "bundle")
        assert caught.value.errno == errno.ENOSPC and caught.value.filename.endswith("ledger.sqlite")
        assert [each.fit for each in ledger.runs()] == [0]
        ledger.ask("PRAGMA max_page_count = 100000")
        ledger.add([run(fit=1)], "bundle")
        assert [each.fit for each in ledger.runs()] == [0, 1]


def test_nothing_but_the_database_is_left_behind(tmp_path):
    filled(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [FILES[0]]
