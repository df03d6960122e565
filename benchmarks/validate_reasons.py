"""Whether the reasons hold on tables whose truth is known: for each cause decisive, harmless and absent.

Run it with `python -m benchmarks.validate_reasons`; `--seeds 3` gives a first look, `--causes outliers` one cause alone.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any
from unittest import mock

import jax
import numpy as np

from downslope.comparison import references
from downslope.comparison.compare import compare
from downslope.comparison.reasons.base import CONFIRMED, NOT_TESTED, REFUTED
from downslope.training.program import Program
from downslope.training.step import Recipe
from downslope.training.trainer import Trainer

EXPECTED = {"decisive": CONFIRMED, "harmless": REFUTED, "absent": NOT_TESTED}
ERRORS = 1  # allowed for each table over all seeds
Table = tuple[np.ndarray, np.ndarray]
PROGRAMS: dict[Any, Program] = {}
CLASSES = ("imbalance", "label_noise")
COMMON = {"seeds": 6, "draws": 1}
LINEAR = COMMON | {"model": "linear", "epochs": 30, "optimizers": "adam(learning_rate=0.1)"}


def outliers(kind: str, draw: np.random.Generator) -> Table:
    """A twentieth of the targets far too large; a twentieth of an irrelevant column far out; nothing far out."""
    x = draw.normal(size=(240, 4))
    y = x @ [1.0, -2.0, 0.5, 0.0] + 0.5 * draw.normal(size=240)
    some = draw.choice(240, 12, replace=False)
    if kind == "decisive":
        y[some] += 30
    if kind == "harmless":
        x[some, 3] *= 40
    return x, y


def overfitting(kind: str, draw: np.random.Generator) -> Table:
    """A clean line among thirty columns for a wide network; a line in twelve columns with much noise, fitted by a line; a plain
    line.
    """
    if kind == "decisive":
        x = draw.normal(size=(160, 30))
        return x, 3 * x[:, 0] + 0.3 * draw.normal(size=160)
    x = draw.normal(size=(160, 12))
    return x, x[:, 0] + (1.0 if kind == "harmless" else 0.1) * draw.normal(size=160)


def imbalance(kind: str, draw: np.random.Generator) -> Table:
    """A tenth of the rows of a class that overlaps the other; a tenth, well apart; as many of one as of the other."""
    y = np.zeros(1000)
    y[: 500 if kind == "absent" else 100] = 1
    x = draw.normal(size=(1000, 4))
    x[:, 0] += (12.0 if kind == "harmless" else 1.5) * y
    return x, y


def nothing_separates(kind: str, draw: np.random.Generator) -> Table:
    """A clean line, on which squared error and Huber do the same; noise, on which nobody can tell; outliers, which do tell."""
    x = draw.normal(size=(240, 4))
    y = x @ [1.0, -2.0, 0.5, 0.0] + (8 if kind == "harmless" else 0.5) * draw.normal(size=240)
    if kind == "absent":
        y[draw.choice(240, 12, replace=False)] += 30
    return x, y


def gradient_noise(kind: str, draw: np.random.Generator) -> Table:
    """Twenty columns that each count, with noise, in batches of 2 at a rate that never falls; the same at a small rate that
    falls to 0; a clean line in large batches.
    """
    if kind == "absent":
        x = draw.normal(size=(240, 4))
        return x, x @ [1.0, -2.0, 0.5, 0.0] + 0.1 * draw.normal(size=240)
    x = draw.normal(size=(600, 20))
    return x, x @ draw.choice([-1.0, 1.0], 20) + draw.normal(size=600)


def sparse_gradients(kind: str, draw: np.random.Generator) -> Table:
    """A column of forty levels on which most depends; the same, on which nothing depends, and a rate that is too small for the
    others; a column of four levels.
    """
    level = draw.permutation(1600) % (4 if kind == "absent" else 40)
    x = np.column_stack([level, draw.normal(size=(1600, 3))])
    effect = draw.normal(size=40) * (0 if kind == "harmless" else 3)
    return x, effect[level] + x[:, 1:] @ [1.0, -2.0, 0.5] + 0.5 * draw.normal(size=1600)


def label_noise(kind: str, draw: np.random.Generator) -> Table:
    """A twelfth of the rows far out on the best column with the other class's label, so that a weak column decides; an eighth of
    the labels of two classes well apart exchanged, from which a line does not turn; two classes that overlap.
    """
    y = (draw.random(1000) < 0.5).astype(float)
    side, x = 2 * y - 1, draw.normal(size=(1000, 4))
    x[:, 0] += {"decisive": 1.5, "harmless": 3.0, "absent": 1.0}[kind] * side
    if kind == "decisive":
        x[:, 1] += 0.5 * side
        some = draw.choice(1000, 80, replace=False)
        x[some, 0] = side[some] * (6 + draw.random(80))
    else:
        some = draw.choice(1000, 125 if kind == "harmless" else 0, replace=False)
    y[some] = 1 - y[some]
    return x, y


def conditioning(kind: str, draw: np.random.Generator) -> Table:
    """A clean line, one of its columns ten thousand times as large; a column that plays no part ten thousand times as small;
    columns of one size.
    """
    x = draw.normal(size=(240, 4))
    y = x @ [1.0, -2.0, 0.5, 0.0] + 0.5 * draw.normal(size=240)
    return x * {"decisive": [1, 1e4, 1, 1], "harmless": [1, 1, 1, 1e-4], "absent": [1, 1, 1, 1]}[kind], y


TABLES: dict[str, Callable[[str, np.random.Generator], Table]] = {
    "outliers": outliers,
    "overfitting": overfitting,
    "imbalance": imbalance,
    "label_noise": label_noise,
    "nothing_separates": nothing_separates,
    "conditioning": conditioning,
    "gradient_noise": gradient_noise,
    "sparse_gradients": sparse_gradients,
}


def options(cause: str, kind: str) -> dict[str, Any]:
    """What is compared on a table."""
    if cause == "overfitting" and kind == "decisive":
        narrow = {"model": "mlp(widths=[32])", "epochs": 30, "optimizers": "adam(learning_rate=0.01)"}
        return COMMON | narrow | {"losses": "squared_error"}
    if cause == "gradient_noise" and kind != "absent":
        rate, schedule = (0.05, "constant") if kind == "decisive" else (0.01, "linear")
        noisy = {"optimizers": f"sgd(learning_rate={rate})@2", "schedule": schedule}
        return LINEAR | noisy | {"losses": "squared_error"}
    if cause == "sparse_gradients":
        slow = 0.002 if kind == "harmless" else 0.1
        pair = {"optimizers": f"adam(learning_rate=0.1)@16, sgd(learning_rate={slow})@16", "epochs": 4}
        return LINEAR | pair | {"losses": "squared_error"}
    if cause == "conditioning":
        own_units = {"losses": "squared_error", "standardize": False}
        return LINEAR | own_units | {"optimizers": "gradient_descent, adam(learning_rate=0.1)", "epochs": 100}
    alone = {"overfitting": "squared_error", "gradient_noise": "squared_error", **dict.fromkeys(CLASSES, "binary_cross_entropy")}
    losses = alone.get(cause, "squared_error, huber")
    return LINEAR | {"losses": losses} | ({"metric": "mae", "epochs": 100} if cause == "nothing_separates" else {})


@contextmanager
def quick() -> Iterator[None]:
    """Comparisons inside share their compiled programs, also with those before, and need no linear model and no trees."""

    def shared(self: Trainer, recipe: Recipe, outputs: int, batch: int | None) -> Future[Program]:
        shape = self.shape(recipe, outputs, batch)
        key = (jax.tree.structure(recipe), shape)
        if key not in PROGRAMS:
            PROGRAMS[key] = Program(shape, recipe).compile()
        done: Future[Program] = Future()
        done.set_result(PROGRAMS[key])
        return done

    with mock.patch.object(Trainer, "program", shared), mock.patch.object(references, "KINDS", ("constant",)):
        yield


def table(cause: str, kind: str, seed: int) -> dict[str, Any]:
    """One table of a cause, `y` its target."""
    x, y = TABLES[cause](kind, np.random.default_rng([seed, *f"{cause} {kind}".encode()]))
    target = np.where(y == 1, "rare", "usual").tolist() if cause in CLASSES else y.tolist()
    columns = {f"x{number}": column.tolist() for number, column in enumerate(x.T)}
    if cause == "sparse_gradients":
        columns["x0"] = [f"level {int(value)}" for value in x[:, 0]]
    return columns | {"y": target}


def result(cause: str, kind: str, seed: int, **changed: Any) -> dict[str, Any]:
    """The result of a comparison on one table of a cause."""
    return compare(table(cause, kind, seed), "y", seed=seed, **(options(cause, kind) | changed)).data


def record(data: dict[str, Any], cause: str) -> dict[str, Any]:
    """The record of a cause."""
    return next(reason for reason in data["reasons"] if reason["cause"] == cause)


def main() -> int:
    """Prints how often each table got its verdict; ends with 1 when one has more errors than are allowed."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--seeds", type=int, default=20)
    given.add_argument("--causes", nargs="+", choices=sorted(TABLES), default=sorted(TABLES))
    chosen, failed = given.parse_args(), False
    print(f"{'cause':<20} {'table':<10} {'expected':<12} right  seconds  others")
    with quick():
        for cause in chosen.causes:
            for kind, expected in EXPECTED.items():
                started = time.perf_counter()
                found = [record(result(cause, kind, seed), cause)["verdict"] for seed in range(chosen.seeds)]
                others = [f"seed {seed}: {verdict}" for seed, verdict in enumerate(found) if verdict != expected]
                failed |= len(others) > ERRORS
                right = f"{len(found) - len(others):>2}/{len(found)}"
                seconds = time.perf_counter() - started
                print(f"{cause:<20} {kind:<10} {expected:<12} {right} {seconds:>8.0f}  {', '.join(others)}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
