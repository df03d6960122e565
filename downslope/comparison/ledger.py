"""The ledger: one row for every finished run, written when it is finished and never lost."""

import fcntl
import json
import os
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from safetensors.numpy import load, save

from downslope.core.errors import BadData, DownslopeError

FORMAT = 1
TABLES = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS runs (
    contender TEXT NOT NULL, phase TEXT NOT NULL, learning_rate REAL NOT NULL, fit INTEGER NOT NULL, seed INTEGER NOT NULL,
    status TEXT NOT NULL, diverged_after INTEGER, best INTEGER NOT NULL, score REAL, updates INTEGER NOT NULL,
    arrays BLOB NOT NULL, seconds REAL NOT NULL,
    PRIMARY KEY (contender, phase, learning_rate, fit)
);
CREATE TABLE IF NOT EXISTS checkpoints (bundle TEXT PRIMARY KEY, arrays BLOB NOT NULL);
"""


class Run(NamedTuple):
    """One finished run.

    `fit` numbers the tuning or confirmation fit. `score` is the best round's on the stopping slice, lower is better.
    `arrays` holds the curves (`train_loss`, `stop_loss`, `stop_score`, one value a round) and, for a confirmation run, the
    scores of the judged rows (`judged`) and of the stopping slice (`stop_raw`) and the parameters (`params 0`, …).
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
    """A comparison's folder and the database in it. One process owns it at a time; a dead owner blocks nobody."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
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
            self.database = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            self.database.execute("PRAGMA journal_mode=WAL")
            self.database.execute("PRAGMA synchronous=FULL")
            self.database.executescript(TABLES)
        except sqlite3.DatabaseError as problem:
            os.close(self.owner)
            raise BadData(f"{self.path} is not a ledger ({problem}); --fresh starts a new one") from None

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
        row = self.database.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return None if row is None else json.loads(row[0])

    def store(self, name: str, value: Any) -> Any:
        """Stores a fact as JSON and returns it as it will be read again."""
        self.database.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, json.dumps(value)))
        return self.fact(name)

    def add(self, runs: Iterable[Run], bundle: str) -> None:
        """Adds the runs of a finished bundle, all or none, and drops its checkpoint."""
        rows = [(*run[:10], save(run.arrays), run.seconds) for run in runs]
        with Transaction(self.database):
            self.database.executemany(f"INSERT OR REPLACE INTO runs VALUES ({', '.join('?' * 12)})", rows)
            self.database.execute("DELETE FROM checkpoints WHERE bundle = ?", (bundle,))

    def runs(self, contender: str | None = None, phase: str | None = None) -> list[Run]:
        """Finished runs, in an order that does not depend on when they finished."""
        rows = self.database.execute(
            "SELECT * FROM runs WHERE (?1 IS NULL OR contender = ?1) AND (?2 IS NULL OR phase = ?2) "
            "ORDER BY contender, phase DESC, learning_rate, fit",
            (contender, phase),
        )
        return [Run._make((*row[:10], load(row[10]), row[11])) for row in rows]

    def have(self, contender: str, phase: str) -> set[tuple[float, int]]:
        """Learning rate and fit of the finished runs."""
        question = "SELECT learning_rate, fit FROM runs WHERE contender = ? AND phase = ?"
        return set(self.database.execute(question, (contender, phase)))

    def checkpoint(self, bundle: str, frozen: bytes) -> None:
        """Stores where an unfinished bundle stands."""
        self.database.execute("INSERT OR REPLACE INTO checkpoints VALUES (?, ?)", (bundle, frozen))

    def frozen(self, bundle: str) -> bytes | None:
        """Where an unfinished bundle stood."""
        row = self.database.execute("SELECT arrays FROM checkpoints WHERE bundle = ?", (bundle,)).fetchone()
        return None if row is None else row[0]

    def seconds(self) -> float:
        """Time spent in all finished runs, over all processes that worked on this ledger."""
        return float(self.database.execute("SELECT TOTAL(seconds) FROM runs").fetchone()[0])


class Transaction:
    """All statements inside are kept, or none."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self.database = database

    def __enter__(self) -> None:
        self.database.execute("BEGIN IMMEDIATE")

    def __exit__(self, problem: object, *rest: object) -> None:
        self.database.execute("COMMIT" if problem is None else "ROLLBACK")


def clear(folder: Path, names: Sequence[str]) -> None:
    """Removes the files of an earlier run that we made, and nothing else."""
    for name in names:
        (folder / name).unlink(missing_ok=True)
