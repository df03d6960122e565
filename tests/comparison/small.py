"""Small tables for whole comparisons, and how two run folders are compared."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np

from downslope.comparison.problem import Problem
from downslope.data.describe import describe
from downslope.data.read import read
from downslope.data.split import split

PRICES = {
    "target": "price",
    "losses": "squared_error, huber",
    "optimizers": "gradient_descent, adam",
    "model": "mlp(widths=[8])",
    "epochs": 6,
    "draws": 3,
    "seeds": 5,
}


def columns(rows: int = 200, seed: int = 0) -> dict[str, list[Any]]:
    """A price that bends with two of three numbers and depends on a colour; whether it is dear; weights; groups."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(rows, 3)).round(4)
    colour = draw.choice(["red", "green", "blue"], rows)
    price = 50 + 10 * (x[:, 0] - np.abs(x[:, 1]) + (colour == "red")) + draw.normal(size=rows)
    return {
        "size": x[:, 0].tolist(),
        "age": x[:, 1].tolist(),
        "noise": x[:, 2].tolist(),
        "colour": colour.tolist(),
        "price": price.round(3).tolist(),
        "dear": np.where(price > np.median(price), "yes", "no").tolist(),
        "importance": draw.integers(0, 4, rows).tolist(),
        "street": [f"street {number}" for number in draw.integers(0, 12, rows)],
    }


def only(*names: str, rows: int = 200, seed: int = 0) -> dict[str, list[Any]]:
    """Some columns of the table."""
    whole = columns(rows, seed)
    return {name: whole[name] for name in names}


PLAIN = ("size", "age", "noise", "colour", "price")
LABELLED = ("size", "age", "noise", "colour", "dear")


def write(path: Path, table: dict[str, list[Any]]) -> Path:
    """The table as CSV."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(table)
        writer.writerows(zip(*table.values(), strict=True))
    return path


def problem(table: dict[str, list[Any]], target: str = "price", confirmation: int = 5, **options: Any) -> Problem:
    """The table as a comparison sees it."""
    dataset = describe(read(table), target, **options)
    return Problem(dataset, split(dataset, confirmation=confirmation))


def rows_of(table: dict[str, list[Any]], rows: Any) -> dict[str, list[Any]]:
    """Some rows of a table."""
    return {name: [values[row] for row in rows] for name, values in table.items()}


def strict(path: Path) -> Any:
    """What a JSON file says, if it is strict JSON."""

    def refuse(token: str) -> None:
        raise AssertionError(f"{token} is not JSON")

    return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)


def timeless(folder: Path) -> dict[str, bytes]:
    """The bytes of a run folder's files that must not depend on when and how often the work was stopped."""
    data = strict(folder / "result.json")
    assert data.pop("timing")["total_seconds"] > 0
    files = ("runs.csv", "model/model.safetensors", "model/manifest.json")
    return {"result.json": json.dumps(data, ensure_ascii=False).encode()} | {name: (folder / name).read_bytes() for name in files}
