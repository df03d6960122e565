"""A small picture made of characters."""

from collections.abc import Mapping

import numpy as np

MARKS = "●○"
HEIGHT = 12


def draw(words: str, places: np.ndarray, curves: Mapping[str, np.ndarray], width: int = 72, logarithmic: bool = False) -> str:
    """Curves over common places, one mark each, with the ends of both axes in numbers. What is not finite is left out.

    >>> print(draw("x", np.array([0.0, 1.0]), {"y": np.array([0.0, 1.0])}, width=16).splitlines()[0])
         1 │      ●
    """
    shown = {
        name: np.log10(np.maximum(values, 1e-12)) if logarithmic else np.asarray(values, float) for name, values in curves.items()
    }
    finite = np.concatenate([values[np.isfinite(values)] for values in shown.values()])
    if not finite.size:
        return "(nothing finite to draw)"
    low, high = float(finite.min()), float(finite.max())
    if high - low < 1e-9:
        low, high = low - 0.5, high + 0.5
    labels = [f"{10**v:.3g}" if logarithmic else f"{v:.3g}" for v in (high, low)]
    margin = max(6, *(len(label) for label in labels))
    columns = max(8, width - margin - 3)
    columns = min(columns, 64)
    grid = [[" "] * columns for _ in range(HEIGHT)]
    # The later curves are drawn first, so that the first lies on top where they meet.
    for mark, values in reversed(list(zip(MARKS, shown.values(), strict=False))):
        sampled = np.interp(np.linspace(0, len(values) - 1, columns), np.arange(len(values)), values)
        for column, value in enumerate(sampled):
            if np.isfinite(value):
                row = round((high - value) / (high - low) * (HEIGHT - 1))
                grid[row][column] = mark
    lines = []
    for row, cells in enumerate(grid):
        label = labels[0] if row == 0 else labels[1] if row == HEIGHT - 1 else ""
        lines.append(f"{label:>{margin}} │{''.join(cells)}".rstrip())
    left, right = f"{places[0]:g}", f"{places[-1]:g}"
    lines.append(f"{'':>{margin}} └{'─' * columns}")
    lines.append(f"{'':>{margin}}  {left}{right:>{columns - len(left)}}")
    lines.append(f"{'':>{margin}}  {words}")
    lines.append(f"{'':>{margin}}  " + "   ".join(f"{mark} {name}" for mark, name in zip(MARKS, shown, strict=False)))
    return "\n".join(lines)
