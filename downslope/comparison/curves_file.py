"""`runs.csv`: every curve of every run, one line for each epoch of a run and one column for each curve."""

import csv
import io
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from downslope.prediction.whole import write_whole
from downslope.prediction.write import harmless

NAME = "runs.csv"
LOST = "nan"
"""What stands where a number was not finite; an empty cell is one that was never there."""
Numbers = dict[tuple[str, str], float | None]
"""By split and metric; `None` where a number was not finite."""
KINDS = {"seed": int, "repetition": int, "fold": int, "examples_seen": int, "learning_rate": float, "epoch": float}


def write_runs(folder: Path, epochs: Iterable[tuple[Mapping[str, Any], Numbers]]) -> None:
    """Writes a line for each epoch: whose it is and how it was made, then its numbers by split and metric."""
    lines = list(epochs)
    names = list(lines[0][0]) if lines else []
    curves = list(dict.fromkeys(curve for _, numbers in lines for curve in numbers))
    table = io.StringIO(newline="")
    writer = csv.writer(table)
    writer.writerow([*names, *map(" ".join, curves)])
    spelled = lru_cache(1 << 16, typed=True)(cell)  # the same few settings stand in every line of a run
    for settings, numbers in lines:
        writer.writerow(
            [*map(spelled, settings.values()), *(number(numbers[curve]) if curve in numbers else "" for curve in curves)]
        )
    write_whole(folder / NAME, table.getvalue().encode())


def number(value: float | None) -> str:
    """Seven digits of it."""
    return LOST if value is None else f"{value:.7g}"


def cell(value: Any) -> Any:
    """A setting with seven digits, or a name that no spreadsheet takes for a formula."""
    return f"{value:.7g}" if isinstance(value, float) else harmless(value) if isinstance(value, str) else value


def read_runs(folder: Path) -> list[dict[str, Any]]:
    """The rows that were written, with their types: one for each contender, setting, seed, epoch, split and metric."""
    found = []
    with (folder / NAME).open(newline="", encoding="utf-8") as file:
        lines = csv.DictReader(file)
        curves = [name.split(" ", 1) for name in lines.fieldnames or () if " " in name]
        for line in lines:
            plain = {name: typed(name, text) for name, text in line.items() if " " not in name}
            for split, metric in curves:
                if text := line[f"{split} {metric}"]:
                    value = None if text == LOST else float(text)
                    found.append({**plain, "split": split, "metric": metric, "value": value})
    return found


def typed(name: str, text: str) -> Any:
    """A cell as it was before it was written."""
    if name in KINDS:
        return KINDS[name](text)
    return text[1:] if text.startswith("'") and harmless(text[1:]) == text else text
