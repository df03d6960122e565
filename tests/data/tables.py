"""Small tables for the tests of this folder."""

from pathlib import Path

import numpy as np

from downslope.data.describe import Dataset, describe
from downslope.data.encode import Encoder
from downslope.data.read import read
from downslope.data.split import split


def lines(rows: int = 40) -> list[list[str]]:
    """A table of text with a number, a category and a target that follows neither exactly."""
    wave = np.sin(np.arange(rows) * 1.7)
    body = [[f"{i % 13 + 0.25}", ["red", "green", "blue"][i % 3], f"{wave[i] + i % 5:.6f}"] for i in range(rows)]
    return [["size", "colour", "y"], *body]


def text(rows: int = 40, separator: str = ",", end: str = "\n") -> str:
    """The same as delimited text."""
    return "".join(separator.join(row) + end for row in lines(rows))


def write(folder: Path, content: str | bytes, name: str = "table.csv") -> Path:
    """A file with this content."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def whole_way(source, target: str = "y", **options) -> tuple[Dataset, np.ndarray]:
    """From a source to its dataset and encoded features, with the bookkeeping checked on the way."""
    dataset = describe(read(source), target, **options)
    assert dataset.rows_read == dataset.rows_used + sum(dataset.dropped.values())
    assert dataset.rows_used == len(dataset.y) == len(dataset.origin)
    parts = split(dataset)
    encoded = Encoder.fit(dataset, parts.confirmation[0].train).transform(dataset.features)
    assert np.isfinite(encoded).all() and encoded.dtype == np.float32 and encoded.flags.c_contiguous
    return dataset, encoded
