"""Pictures of a single loss, optimizer, schedule, penalty or model: what it does, from numbers that the engine computed."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from downslope.comparison.report.figures import TEXT, Axes, axis_label, canvas, line_style, log_ticks, nice_ticks, plain, write
from downslope.comparison.report.palette import LIGHT

LOWEST = 1e-6
"""Heights below are drawn there: how far below is a matter of rounding."""


def plot_lines(across: str, places: np.ndarray, values: Mapping[str, np.ndarray], ax: Axes | None = None) -> Axes:
    """Curves over common places, named above the picture; what is not finite is left out."""
    ax = plain(ax or canvas(460, 236, 46, 14, 30, 38), "xy")
    for index, (name, curve) in enumerate(values.items()):
        ax.plot(places, np.where(np.isfinite(curve), curve, np.nan), linewidth=2.0, **line_style(index))
        key(ax, index, name)
    ax.margins(x=0)
    if all(np.ptp(curve) == 0 for curve in values.values()):
        ax.set_ylim(bottom=0)
    for which in "xy":
        nice_ticks(ax, which, 5)
    axis_label(ax, "x", across)
    return ax


def plot_descent(paths: Sequence[Any], contours: Sequence[np.ndarray], ax: Axes | None = None) -> Axes:
    """The first path down a valley in front of the others, and the height after each step beside it.

    `contours` are lines of equal height; a path has a `name`, `places` of shape (steps + 1, 2) and `heights`, one for each place.
    """
    ax = plain(ax or canvas(700, 268, 8, 276, 30, 38))
    for line in contours:
        ax.plot(*line.T, color=LIGHT["edge"], linewidth=0.6)
    for index, path in reversed(list(enumerate(paths))):
        look = line_style(index)
        dots = {"marker": "o", "ms": 3.2, "mew": 0} if index == 0 else {}
        ax.plot(*path.places.T, linewidth=1.7 if index == 0 else 1.3, **look, **dots)
    ax.plot(*paths[0].places[0], "o", color=LIGHT["ink"], ms=6, mfc=LIGHT["paper"], mew=1.6)
    write(ax, float(paths[0].places[0, 0]), float(paths[0].places[0, 1]) + 0.09, "start", "muted", TEXT - 1, ha="center")
    ax.set(xlim=(-1.5, 1.2), ylim=(-0.4, 1.0), xticks=[], yticks=[])
    axis_label(ax, "x", "two parameters; lines join places of equal loss")
    for index, path in enumerate(paths):
        key(ax, index, path.name.replace("_", " "), 0.42)
    beside(ax, paths)
    return ax


def beside(ax: Axes, paths: Sequence[Any]) -> None:
    """The heights after each step, on the right of the valley."""
    figure = ax.get_figure(root=True)
    assert figure is not None  # axes just drawn on are in a figure
    right = plain(figure.add_axes((492 / 700, 38 / 268, 194 / 700, 200 / 268)), "y")
    for index, path in reversed(list(enumerate(paths))):
        right.plot(np.maximum(path.heights, LOWEST), linewidth=1.7, **line_style(index))
    log_ticks(right, "y", LOWEST, 2 * float(paths[0].heights.max()))
    nice_ticks(right, "x")
    axis_label(right, "x", "steps")
    right.set_title("loss", color=LIGHT["muted"], fontsize=TEXT - 1, loc="left")


def key(ax: Axes, index: int, name: str, room: float = 0.22) -> None:
    """Which line is which, above the picture."""
    left = index * room
    ax.plot([left, left + 0.05], [1.075, 1.075], linewidth=2.0, transform=ax.transAxes, clip_on=False, **line_style(index))
    write(ax, left + 0.062, 1.075, name, va="center", transform=ax.transAxes)
