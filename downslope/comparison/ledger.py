"""The ledger: one row for every finished run, written when it is finished and never lost."""

import errno
import fcntl
import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from safetensors.numpy import load, save

from downslope.core.errors import BadData, DownslopeError

FORMAT = 1
FILES = ("ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm", "ledger.sqlite-journal")
SEAL = hashlib.sha256().digest_size
TABLES = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS runs (
    contender TEXT NOT NULL, phase TEXT NOT NULL, learning_rate REAL NOT NULL, fit INTEGER NOT NULL, seed INTEGER NOT NULL,
    status TEXT NOT NULL, diverged_after INTEGER, best INTEGER NOT NULL, score REAL, updates INTEGER NOT NULL,
    arrays BLOB NOT NULL, seconds REAL NOT NULL,
    PRIMARY KEY (contender, phase, learning_rate, fit)
);
CREATE TABLE IF NOT EXISTS arrays (name TEXT PRIMARY KEY, arrays BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS checkpoints (bundle TEXT PRIMARY KEY, arrays BLOB NOT NULL);
"""


class Run(NamedTuple):
    """One finished run.

    `fit` numbers the tuning or confirmation fit. `score` is the best round's on the stopping slice, lower is better.
    `arrays` holds the curves (`train_loss`, `stop_loss`, `stop_score`, one value a round), what the batches are recognised by
    (`order`) and, for a run that is judged (phases `confirmation` and `counterfactual`), the scores of the judged rows
    (`judged`) and of the stopping slice (`stop_raw`) and the parameters (`params 0`, …).
    """

    contender: str
    phase: str
    learning_rate: float
    fit: int
    seed: int
    status: str
    diverged_after: int | None
    best: int
    score: float | None
    updates: int
    arrays: dict[str, np.ndarray]
    seconds: float


class Ledger:
    """A comparison's folder and the database in it. One process owns it at a time; a dead owner blocks nobody.

    `shown` is the folder that errors name where this one is a copy of it.
    """

    def __init__(self, folder: Path, fresh: bool = False, shown: Path | None = None) -> None:
        self.folder = folder
        self.shown = (shown or folder) / "ledger.sqlite"
        self.path = folder / "ledger.sqlite"
        self.owner = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(self.owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self.owner)
            raise DownslopeError(
                f"{folder} is in use by another process; wait for it, or name another folder with --out"
            ) from None
        try:
            if fresh:
                clear(folder, FILES)
            self.database = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            try:
                self.prepare()
            except BaseException:
                self.database.close()
                raise
        except BaseException:
            os.close(self.owner)
            raise

    def prepare(self) -> None:
        """Makes the tables, and looks whether the file is whole."""
        self.ask("PRAGMA journal_mode=WAL")
        self.ask("PRAGMA synchronous=FULL")
        for table in filter(str.strip, TABLES.split(";")):
            self.ask(table)
        found = self.ask("PRAGMA quick_check(1)")
        if found != [("ok",)]:
            raise unusable(self.shown, str(found[0][0]))

    def ask(self, question: str, arguments: Sequence[Any] = ()) -> list[Any]:
        """The answer of the database, all rows; what goes wrong there in words."""
        try:
            return self.database.execute(question, arguments).fetchall()
        except sqlite3.DatabaseError as problem:
            kind = getattr(problem, "sqlite_errorcode", 0) & 0xFF
            number = {sqlite3.SQLITE_FULL: errno.ENOSPC, sqlite3.SQLITE_IOERR: errno.EIO}.get(kind)
            if number is not None:
                raise OSError(number, os.strerror(number), str(self.shown)) from None
            raise unusable(self.shown, str(problem)) from None

    def close(self) -> None:
        """Closes the database, which folds its journal into the one file, and lets the folder go."""
        self.database.close()
        os.close(self.owner)

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def fact(self, name: str) -> Any:
        """A stored fact, `None` if there is none."""
        rows = self.ask("SELECT value FROM facts WHERE name = ?", (name,))
        return json.loads(rows[0][0]) if rows else None

    def store(self, name: str, value: Any) -> Any:
        """Stores a fact as JSON and returns it as it will be read again."""
        self.ask("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, json.dumps(value)))
        return self.fact(name)

    def add(self, runs: Iterable[Run], bundle: str) -> None:
        """Adds the runs of a finished bundle, all or none, and drops its checkpoint."""
        rows = [(*run[:10], sealed(run[:10], save(run.arrays)), run.seconds) for run in runs]
        with Transaction(self):
            for row in rows:
                self.ask(f"INSERT OR REPLACE INTO runs VALUES ({', '.join('?' * 12)})", row)
            self.ask("DELETE FROM checkpoints WHERE bundle = ?", (bundle,))

    def runs(self, contender: str | None = None, phase: str | None = None) -> list[Run]:
        """Finished runs, in an order that does not depend on when they finished."""
        rows = self.ask(
            "SELECT * FROM runs WHERE (?1 IS NULL OR contender = ?1) AND (?2 IS NULL OR phase = ?2) "
            "ORDER BY contender, phase DESC, learning_rate, fit",
            (contender, phase),
        )
        return [Run._make((*row[:10], load(self.opened(row)), row[11])) for row in rows]

    def altered(self) -> list[str]:
        """The runs of which one bit is not as it was written, in words."""
        rows = self.ask("SELECT * FROM runs ORDER BY contender, phase DESC, learning_rate, fit")
        return [
            f"{row[0]}: the {row[1]} run of fit {row[3]} at learning rate {row[2]:g} is not as it was written"
            for row in rows
            if sealed(row[:10], row[10][SEAL:]) != row[10]
        ]

    def opened(self, row: Sequence[Any]) -> bytes:
        """The arrays of a stored run; an error where one bit of it is not as it was written."""
        arrays = row[10][SEAL:]
        if sealed(row[:10], arrays) != row[10]:
            raise unusable(self.shown, f"a run of {row[0]} is not as it was written")
        return arrays

    def have(self, contender: str, phase: str) -> set[tuple[float, int]]:
        """Learning rate and fit of the finished runs."""
        question = "SELECT learning_rate, fit FROM runs WHERE contender = ? AND phase = ?"
        return set(self.ask(question, (contender, phase)))

    def checkpoint(self, bundle: str, frozen: bytes) -> None:
        """Stores where an unfinished bundle stands."""
        self.ask("INSERT OR REPLACE INTO checkpoints VALUES (?, ?)", (bundle, sealed((bundle,), frozen)))

    def frozen(self, bundle: str) -> bytes | None:
        """Where an unfinished bundle stood."""
        rows = self.ask("SELECT arrays FROM checkpoints WHERE bundle = ?", (bundle,))
        frozen = rows[0][0][SEAL:] if rows else None
        # A damaged checkpoint is no loss: the bundle begins again.
        return frozen if frozen is not None and sealed((bundle,), frozen) == rows[0][0] else None

    def keep(self, name: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Stores arrays under a name."""
        self.ask("INSERT OR REPLACE INTO arrays VALUES (?, ?)", (name, sealed((name,), save(dict(arrays)))))

    def kept(self, name: str) -> dict[str, np.ndarray] | None:
        """Arrays stored under a name, `None` if there are none; an error where one bit of them is not as it was written."""
        rows = self.ask("SELECT arrays FROM arrays WHERE name = ?", (name,))
        if not rows:
            return None
        arrays = rows[0][0][SEAL:]
        if sealed((name,), arrays) != rows[0][0]:
            raise unusable(self.shown, f"the {name} are not as they were written")
        return load(arrays)

    def seconds(self) -> float:
        """Time spent in all finished runs, over all processes that worked on this ledger."""
        return float(self.ask("SELECT TOTAL(seconds) FROM runs")[0][0])


class Transaction:
    """All statements inside are kept, or none."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def __enter__(self) -> None:
        self.ledger.ask("BEGIN IMMEDIATE")

    def __exit__(self, problem: object, *rest: object) -> None:
        if problem is None:
            self.ledger.ask("COMMIT")
        if self.ledger.database.in_transaction:  # a full disk has rolled back already
            self.ledger.ask("ROLLBACK")


def sealed(facts: Sequence[Any], arrays: bytes) -> bytes:
    """Arrays behind a checksum of them and of the facts beside them: numbers that a disk has changed are never believed."""
    return hashlib.sha256(repr(tuple(facts)).encode() + arrays).digest() + arrays


def unusable(path: Path, why: str) -> BadData:
    """The error for a ledger that cannot be read or written."""
    return BadData(f"the ledger {path} cannot be used ({' '.join(why.split())}); --fresh starts a new one")


def clear(folder: Path, names: Sequence[str]) -> None:
    """Removes the files of an earlier run that we made, and nothing else."""
    for name in names:
        (folder / name).unlink(missing_ok=True)
