"""Pictures of judged rows: what models get right and wrong on rows that they never saw."""

from typing import Any

import numpy as np

from downslope.comparison.report import judged as rows_of
from downslope.comparison.report import series
from downslope.comparison.report.figures import TEXT, Axes, axis_label, canvas, direction_of, nice_ticks, plain, tile, write
from downslope.comparison.report.palette import LIGHT, STEPS
from downslope.comparison.report.svg import mark
from downslope.comparison.report.wording import between, clean, decimals, number


def judged_of(result: dict[str, Any], judged: dict[str, Any], contender: str | None) -> dict[str, Any]:
    """The judged rows of one contender, of the recommended one without a name."""
    return judged[contender or series.featured(result)[0][1]["id"]]


def plot_predictions(
    result: dict[str, Any], judged: dict[str, Any], contender: str | None = None, ax: Axes | None = None
) -> Axes:
    """Regression: what was predicted against what was true, on rows the models never saw."""
    target, prediction = rows_of.drawn_rows(judged_of(result, judged, contender))
    ax = plain(ax or canvas(330, 280, 66, 12, 12, 40), "xy")
    ax.plot(target, prediction, "o", color=LIGHT["line0"], alpha=0.35, ms=3.4, mew=0)
    if len(target):
        ends = [
            float(min(target.min(), np.quantile(prediction, 0.005))),
            float(max(target.max(), np.quantile(prediction, 0.995))),
        ]
        room = 0.03 * (ends[1] - ends[0]) or 1.0
        ax.plot(ends, ends, color=LIGHT["ink"], linewidth=1.2, linestyle=(0, (4, 3)))[0].set_gid(mark("perfect prediction"))
        ax.set(xlim=(ends[0] - room, ends[1] + room), ylim=(ends[0] - room, ends[1] + room))
    for which, words in (("x", "true"), ("y", "predicted")):
        nice_ticks(ax, which)
        axis_label(ax, which, f"{words} {clean(result['target'], 28)}")
    return ax


def plot_residuals(result: dict[str, Any], judged: dict[str, Any], contender: str | None = None, ax: Axes | None = None) -> Axes:
    """Regression: how often which error (predicted minus true) occurs; the outermost bars hold everything beyond."""
    edges, counts = rows_of.residuals(judged_of(result, judged, contender))
    ax = plain(ax or canvas(330, 280, 52, 14, 12, 40), "y")
    width = edges[1] - edges[0] if len(edges) > 1 else 1.0
    bars = ax.bar(edges[:-1], counts, width * 0.94, align="edge", color=LIGHT["line0"], linewidth=0)
    for bar, count, edge in zip(bars, counts, edges, strict=False):
        places = 0 if width > 10 else None
        bar.set_gid(mark(f"{number(edge, places)} to {number(edge + width, places)}: {number(int(count))} rows"))
    ax.axvline(0, color=LIGHT["ink"], linewidth=1.2, linestyle=(0, (4, 3)))
    nice_ticks(ax, "x", 5)
    nice_ticks(ax, "y", 4)
    axis_label(ax, "x", "error (predicted − true)")
    axis_label(ax, "y", "rows")
    return ax


def plot_confusion(result: dict[str, Any], judged: dict[str, Any], contender: str | None = None, ax: Axes | None = None) -> Axes:
    """Classification: truth against prediction in rows; shading is the share of the true class."""
    names, counts = rows_of.confusion(judged_of(result, judged, contender), result["classes"], result["task"])
    names = [clean(name, 14) for name in names]
    size = len(names)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    left = 34 + 6.3 * max(len(name) for name in names)
    width, height = max(44 * size, 240), max(34 * size, 196)
    ax = plain(ax or canvas(left + width + 50, height + 70, left, 50, 60, 10))
    for i in range(size):
        for j in range(size):
            share = f"{shares[i, j]:.1%} of the class"
            tip = f"true {names[i]}, predicted {names[j]}: {number(int(counts[i, j]))} rows, {share}"
            tile(ax, j, i, f"heat{round((STEPS - 1) * shares[i, j])}", mark(tip))
            write(ax, j + 0.5, i + 0.5, number(int(counts[i, j])), size=TEXT - (1.5 if size > 6 else 0), ha="center", va="center")
        write(ax, -0.03 * size, i + 0.5, names[i], ha="right", va="center")
        turned: dict[str, Any] = {"rotation": 30, "ha": "left"} if size > 4 else {"ha": "center"}
        write(ax, i + 0.5, -0.03 * size, names[i], va="bottom", **turned)
    write(ax, size / 2, -56 / height * size, "predicted", "muted", TEXT - 1, ha="center", va="top")
    write(ax, -(left - 6) / width * size, size / 2, "true", "muted", TEXT - 1, ha="left", va="center", rotation=90)
    ax.set(xlim=(0, size), ylim=(size, 0), xticks=[], yticks=[])
    return ax


def plot_calibration(
    result: dict[str, Any], judged: dict[str, Any], contender: str | None = None, ax: Axes | None = None
) -> Axes:
    """Classification: how often what was said with so much probability came true, with 95 % intervals."""
    curve = rows_of.calibration(judged_of(result, judged, contender), result["task"]) or {}
    ax = plain(ax or canvas(300, 260, 52, 12, 12, 40), "xy")
    ax.plot([0, 1], [0, 1], color=LIGHT["ink"], linewidth=1.2, linestyle=(0, (4, 3)))
    for said, happened, low, high, rows in zip(*curve.values(), strict=True):
        ax.plot([said, said], [low, high], color=LIGHT["line0"], linewidth=2)
        dot = ax.plot([said], [happened], "o", color=LIGHT["line0"], ms=6)
        dot[0].set_gid(mark(f"said {said:.0%}, happened {happened:.0%} of {number(int(rows))} rows"))
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    for which, words in (("x", "probability said"), ("y", "share that came true")):
        nice_ticks(ax, which, 5, lambda value: f"{value:.0%}")
        axis_label(ax, which, words)
    return ax


def plot_overfitting(result: dict[str, Any], ax: Axes | None = None) -> Axes:
    """What the recommended contender reaches on its training rows and on judged ones, without and with regularisation."""
    sides = series.regularised(result)
    values = [
        value for side in sides for value in (*side["training"], *side["judged"], side["reach"]["low"], side["reach"]["high"])
    ]
    names = [clean(side["name"], 34) for side in sides]
    if ax is None:
        left = 20 + 7.2 * max([len(name) for name in names], default=8)
        ax = canvas(left + 330 + 172, 34 * len(sides) + 72, left, 172, 28, 44)
    plain(ax, "x")
    beside = ax.get_yaxis_transform()
    places = decimals(side["reach"]["high"] - side["reach"]["low"] for side in sides)
    for i, (side, name) in enumerate(zip(sides, names, strict=True)):
        known, reach = float(np.mean(side["training"])), side["reach"]
        colour = f"line{i}"
        write(ax, -0.02, i, name, ha="right", va="center", transform=beside)
        ax.plot([known, reach["mean"]], [i, i], color=LIGHT["edge"], linewidth=1.2, linestyle=(0, (1, 2)), zorder=1)
        dots = ax.plot(side["judged"], [i + 0.24] * len(side["judged"]), "o", color=LIGHT[colour], alpha=0.55, ms=3.4, mew=0)
        dots[0].set_gid(mark(f"{name}, each run on judged rows: {', '.join(number(value, places) for value in side['judged'])}"))
        ends = f"{number(reach['mean'], places)} ({between(reach, places)})"
        ax.plot([reach["low"], reach["high"]], [i, i], color=LIGHT[colour], linewidth=2.4, solid_capstyle="round")
        ax.plot([reach["mean"]], [i], "o", color=LIGHT[colour], ms=7.5, mew=0)[0].set_gid(mark(f"{name}, judged rows: {ends}"))
        ring = ax.plot([known], [i], "o", mfc=LIGHT["card"], mec=LIGHT[colour], mew=1.6, ms=7.5)
        ring[0].set_gid(mark(f"{name}, training rows: {number(known, places)}"))
        write(ax, 1.035, i, f"{number(known, places)} → {number(reach['mean'], places)}", va="center", transform=beside)
    write(ax, 1.035, -0.75, "training → judged", "muted", TEXT - 1, va="center", transform=beside)
    room = 0.05 * (max(values) - min(values)) or 0.5
    ax.set(xlim=(min(values) - room, max(values) + room), ylim=(len(sides) - 0.5, -0.5), yticks=[])
    nice_ticks(ax, "x", 5)
    axis_label(ax, "x", direction_of(result))
    return ax
