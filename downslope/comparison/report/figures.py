"""Every picture of a comparison: functions that draw on Matplotlib axes, for the report and for notebooks alike.

Each takes plain data and an optional `ax`, and returns the axes it drew on; without `ax` it makes its own figure.
"""

import io
import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from downslope.comparison.report import series
from downslope.comparison.report.palette import DASHES, LIGHT, LINES
from downslope.comparison.report.svg import mark, tidy
from downslope.comparison.report.wording import better, between, clean, decimals, is_number, number, rate, several, tick
from downslope.comparison.tunability import first_choice

TEXT = 11.5
POINTS = 9
ALONG = {"examples": "examples seen", "seconds": "seconds"}
CONTROLS = {"constant": "constant", "linear": "linear model", "boosted_trees": "boosted trees"}


LOOKS = ("axes", "figure", "font", "grid", "hatch", "lines", "markers", "patch", "path", "savefig", "text", "xtick", "ytick")
"""The families of Matplotlib's settings that change a drawing; the others (windows, caches) are the user's business."""


@contextmanager
def own_defaults() -> Iterator[None]:
    """Matplotlib as it was shipped, whatever the user has set, and the user's settings again afterwards."""
    fresh = {name: value for name, value in matplotlib.rcParamsDefault.items() if name.startswith(LOOKS)}
    with matplotlib.rc_context(fresh | {"svg.fonttype": "none", "svg.hashsalt": "downslope"}), warnings.catch_warnings():  # type: ignore[arg-type]  # keys are literals there
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # the browser has the letters that our measuring font lacks
        yield


def to_svg(draw: Callable[[], Axes], name: str, words: str) -> str:
    """What `draw` draws, as inline SVG; the same drawing gives the same text."""
    with own_defaults():
        figure = draw().get_figure(root=True)
        assert figure is not None  # axes just drawn on are in a figure
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    return tidy(text.getvalue(), name, words)


def canvas(width: float, height: float, left: float, right: float, top: float, bottom: float) -> Axes:
    """Axes in a figure of so many points, with margins in points."""
    figure = Figure(figsize=(width / 72, height / 72))
    FigureCanvasSVG(figure)
    figure.patch.set_visible(False)
    box = (left / width, bottom / height, (width - left - right) / width, (height - top - bottom) / height)
    return figure.add_axes(box)


def plain(ax: Axes, grid: str = "") -> Axes:
    """Axes without a frame, ticks or background; `grid` is "x", "y" or both."""
    ax.set_frame_on(False)
    ax.tick_params(length=0, labelsize=TEXT - 1, labelcolor=LIGHT["muted"], pad=5)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_minor_locator(NullLocator())
    for name in grid:
        ax.grid(axis=name, color=LIGHT["rule"], linewidth=1)  # type: ignore[arg-type]  # an axis is a literal there
    ax.set_axisbelow(True)
    return ax


def write(ax: Axes, x: float, y: float, text: Any, colour: str = "ink", size: float = TEXT, limit: int = 60, **more: Any) -> None:
    """Text from data: shortened, never read as mathematics."""
    ax.text(x, y, clean(text, limit), color=LIGHT[colour], fontsize=size, parse_math=False, **more)


def axis_label(ax: Axes, which: str, text: str) -> None:
    """What an axis shows."""
    getattr(ax, f"set_{which}label")(clean(text, 80), color=LIGHT["muted"], fontsize=TEXT - 1, parse_math=False)


def nice_ticks(ax: Axes, which: str, count: int = 4, words: Callable[[float], str] = tick) -> None:
    """A few round numbers along an axis."""
    axis = ax.xaxis if which == "x" else ax.yaxis
    axis.set_major_locator(MaxNLocator(count, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: words(value)))


def log_ticks(ax: Axes, which: str, low: float, high: float) -> None:
    """Powers of ten along an axis, halves of decades too where the range is short."""
    getattr(ax, f"set_{which}scale")("log")
    axis = ax.xaxis if which == "x" else ax.yaxis
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1, 2, 5) if math.log10(high / low) < 1.7 else (1,)
    getattr(ax, f"set_{which}lim")(low, high)
    ticks = [step * 10.0**power for power in powers for step in steps if low <= step * 10.0**power <= high]
    axis.set_major_locator(FixedLocator(ticks[:: math.ceil(len(ticks) / 6) or 1]))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: tick(value)))


def line_style(index: int) -> dict[str, Any]:
    """Colour and dash of the n-th of several lines: told apart without colour too."""
    dash = tuple(map(float, DASHES[index % len(DASHES)].split()))
    return {"color": LIGHT[f"line{index % LINES}"], "linestyle": (0, dash) if dash else "-"}


def direction_of(result: dict[str, Any]) -> str:
    """The ranking metric and which way is good."""
    return f"{result['metric']['title']}, {better(result['metric']['direction'])}"


def plot_ranking(result: dict[str, Any], ax: Axes | None = None) -> Axes:
    """Every contender's score with its interval, best first; the tied shaded, controls as lines, failures with their reason."""
    rows = series.in_order(result)
    names = [clean(c["id"], 52) for c in rows]
    places = decimals(c["score"]["high"] - c["score"]["low"] for c in rows if c.get("score"))
    if ax is None:
        left = 20 + 7.2 * max([len(name) for name in names], default=8)
        ax = canvas(left + 400 + 172, 23 * len(rows) + 96, left, 172, 52, 44)
    plain(ax, "x")
    low, high = sorted(series.score_window(result))
    low, high = (low, high) if low < high else (low - 0.5, high + 0.5)  # scores without any spread, all the same
    beside = ax.get_yaxis_transform()
    for i, (one, name) in enumerate(zip(rows, names, strict=True)):
        chosen = one["id"] == result["recommendation"].get("id")
        if one["tied_with_best"]:
            ax.axhspan(i - 0.5, i + 0.5, color=LIGHT["tie"], linewidth=0, zorder=0)
        weight = "bold" if chosen else "normal"
        write(
            ax, -0.02, i, name, "ink" if one.get("score") else "muted", ha="right", va="center", transform=beside, weight=weight
        )
        if not one.get("score"):
            write(
                ax,
                0.02,
                i,
                f"✕ {one['status'].replace('_', ' ')}: {one['reason']}",
                "bad",
                TEXT - 1,
                70,
                va="center",
                transform=beside,
            )
            continue
        score, tied = one["score"], one["tied_with_best"]
        colour = LIGHT["accent"] if tied else LIGHT["edge"]
        tip = f"{one['id']}: {number(score['mean'], places)} ({number(score['low'], places)} to {number(score['high'], places)})"
        ends = np.clip([score["low"], score["high"]], low, high)
        off = not low <= score["mean"] <= high
        if not off:
            ax.plot(ends, [i, i], color=colour, linewidth=2.4, solid_capstyle="round")[0].set_gid(mark(tip, i))
        shape = ("<" if score["mean"] < low else ">") if off else "o"
        face = colour if tied else LIGHT["card"]
        dot = ax.plot(
            [float(np.clip(score["mean"], low, high))], [i], shape, color=colour, mfc=face, mew=1.6, ms=7.5, clip_on=False
        )
        dot[0].set_gid(mark(tip, i))
        value = f"{number(score['mean'], places)}  [{number(score['low'], places)}, {number(score['high'], places)}]"
        write(ax, 1.035, i, value, "ink" if tied else "muted", TEXT - 0.5, va="center", transform=beside, weight=weight)
    draw_controls(ax, result, low, high, places)
    ax.set(xlim=(low, high), ylim=(len(rows) - 0.5, -0.5), yticks=[])
    nice_ticks(ax, "x", 5)
    axis_label(ax, "x", direction_of(result))
    return ax


def draw_controls(ax: Axes, result: dict[str, Any], low: float, high: float, places: int) -> None:
    """Reference lines, as far down as there are scores, for what every contender should beat or be beaten by."""
    ranking = result["metric"]["name"]
    found = [(t, series.control_value(result.get("controls", {}).get(k), ranking, ranking)) for k, t in CONTROLS.items()]
    bottom = sum(1 for c in result["contenders"] if c.get("score")) - 0.5
    height = ax.get_window_extent().height * 72 / ax.figure.dpi
    for level, (value, title) in enumerate(sorted((value, title) for title, value in found if value is not None)):
        words = ("← " if value < low else "") + f"{title} {number(value, places)}" + (" →" if value > high else "")
        place = float(np.clip(value, low, high))
        if place == value and bottom > 0:
            look: dict[str, Any] = {"color": LIGHT["warn"], "linewidth": 1.2, "linestyle": (0, (3, 3)), "zorder": 1}
            ax.plot([place, place], [-0.5, bottom], **look)[0].set_gid(mark(f"{title}: {number(value, places)}"))
        side = "left" if place < low + 0.5 * (high - low) else "right"
        above = {"ha": side, "va": "bottom", "transform": ax.get_xaxis_transform()}
        write(ax, place, 1 + (8 + 14 * level) / height, words, "warn", TEXT - 1, **above)


def plot_heatmap(result: dict[str, Any], metric: str | None = None, ax: Axes | None = None) -> Axes:
    """Loss × optimizer, the better the deeper the colour, on any metric that was measured."""
    name = metric or result["metric"]["name"]
    heat = series.heat(result, next(m for m in series.metrics(result) if m["name"] == name))
    if ax is None:
        left = 18 + 6.3 * max(len(clean(loss, 26)) for loss in heat.losses)
        ax = canvas(left + 88 * len(heat.methods) + 6, 48 + 42 * len(heat.losses), left, 4, 44, 4)
    plain(ax)
    for y, loss in enumerate(heat.losses):
        write(ax, -0.1, y + 0.5, loss, limit=26, ha="right", va="center")
        for x, method in enumerate(heat.methods):
            cell = heat.cells.get((loss, method))
            value = cell.value if cell else None
            words = number(value["mean"], heat.places) if value else cell.status if cell else "–"
            spread = f" ({between(value, heat.places)})" if value else ""
            tip = mark(f"{loss} × {method}: {words}{spread}", cell.contender if cell else None)
            tile(ax, x, y, f"heat{cell.level}" if cell and value else None, tip)
            look: dict[str, Any] = {"weight": "bold" if cell and cell.best else "normal", "ha": "center", "va": "center"}
            write(ax, x + 0.5, y + 0.5, words, "ink" if value else "muted", TEXT if value else TEXT - 2, **look)
    for x, method in enumerate(heat.methods):
        name = clean(method, 26)
        first, line, last = name.partition("_") if len(name) > 12 else (name, "", "")
        for height, words in ((-0.42, first + line), (-0.1, last)) if last else ((-0.12, first),):
            write(ax, x + 0.5, height, words, ha="center", va="bottom")
    ax.set(xlim=(0, len(heat.methods)), ylim=(len(heat.losses), 0), xticks=[], yticks=[])
    return ax


def tile(ax: Axes, x: float, y: float, colour: str | None, gid: str) -> None:
    """One field of a map, empty without a colour."""
    look: dict[str, Any] = (
        {"facecolor": LIGHT[colour], "linewidth": 0} if colour else {"facecolor": "none", "edgecolor": LIGHT["rule"]}
    )
    cell = Rectangle((x + 0.02, y + 0.03), 0.96, 0.94, **look)
    cell.set_gid(gid)
    ax.add_patch(cell)


def plot_learning_rate(
    result: dict[str, Any], optimizer: str | None = None, ax: Axes | None = None, window: tuple[float, float] | None = None
) -> Axes:
    """Score against learning rate for one optimizer, a line for each loss: every tuning seed, the chosen rate, the lost ones."""
    grouped = series.learning_rates(result)
    method = optimizer or series.parts(series.in_order(result)[0])[1]
    good, bad = window or series.rate_window(result)
    losses = series.rate_losses(result)
    index = {c["id"]: i for i, c in enumerate(series.in_order(result))}
    if ax is None:
        ax = canvas(312, 216, 58, 10, 14, 38)
    plain(ax, "xy")
    edge = bad - 0.02 * (bad - good)
    rates = [point["learning_rate"] for c in grouped[method] for point in c["grid"]]
    for one in grouped[method]:
        loss, look = series.parts(one)[0], line_style(losses.index(series.parts(one)[0]))
        reached = [(p["learning_rate"], p["score"]) for p in one["grid"] if is_number(p["score"])]
        if reached:
            ax.plot(*zip(*reached, strict=True), linewidth=1.7, **look)[0].set_gid(mark(loss, index[one["id"]]))
        for point in one["grid"]:
            seeds = [s for s in point["scores"] if is_number(s)]
            lost = len(seeds) < len(point["scores"]) or not seeds
            chosen = point["learning_rate"] == first_choice(one)
            at = f"{loss}, rate {rate(point['learning_rate'])}"
            inside = np.clip(seeds, min(good, edge), max(good, edge))
            if seeds:
                dots = ax.plot(
                    [point["learning_rate"]] * len(seeds), inside, "o", color=look["color"], ms=3.8, mew=0, clip_on=False
                )
                dots[0].set_gid(mark(f"{at}: {', '.join(number(s) for s in seeds)}", index[one["id"]]))
            if lost:
                cross = ax.plot([point["learning_rate"]], [edge], "x", color=look["color"], ms=6, mew=1.6, clip_on=False)
                cross[0].set_gid(mark(f"{at}: {point['status'].replace('_', ' ')}", index[one["id"]]))
            if chosen and is_number(point["score"]):
                place = [float(np.clip(point["score"], min(good, edge), max(good, edge)))]
                ring = ax.plot([point["learning_rate"]], place, "o", mfc="none", mec=look["color"], mew=1.8, ms=10, clip_on=False)
                border = ", on the border of its range" if one.get("at_border") else ""
                ring[0].set_gid(mark(f"{at}: chosen{border}", index[one["id"]]))
                if border:
                    beside = place[0] + 0.06 * (bad - good)  # on the side of the worse scores, clear of the ring
                    above = "bottom" if bad > good else "top"
                    write(ax, point["learning_rate"], beside, "border", "warn", TEXT - 2, ha="center", va=above)
    ax.set_ylim(min(good, bad), max(good, bad))
    log_ticks(ax, "x", min(rates) / 1.6, max(rates) * 1.6)
    ax.set_xlim(min(rates) / 1.6, max(rates) * 1.6)
    nice_ticks(ax, "y")
    axis_label(ax, "x", "learning rate")
    return ax


def band(
    ax: Axes,
    along: list[float],
    curve: dict[str, list[float]],
    colour: str,
    tip: str,
    by: str,
    contender: int | None,
    dash: Any = "-",
) -> None:
    """A median with its spread over seeds, and a few points that say their values."""
    low, median, high = curve["low"], curve["median"], curve["high"]
    ax.fill_between(along, low, high, color=LIGHT[colour], alpha=0.16, linewidth=0)
    line = ax.plot(along, median, color=LIGHT[colour], linewidth=1.8, linestyle=dash)
    line[0].set_gid(mark(f"{tip}: {number(median[-1])} at the end", contender))
    for i in sorted({round(place) for place in np.linspace(0, len(along) - 1, min(POINTS, len(along)))}):
        dot = ax.plot([along[i]], [median[i]], "o", color=LIGHT[colour], ms=4.2, mew=0)
        words = (
            f"{tip} after {number(float(f'{along[i]:.3g}'))} {by}: {number(median[i])} ({number(low[i])} to {number(high[i])})"
        )
        dot[0].set_gid(mark(words, contender))


def plot_curves(
    result: dict[str, Any], runs: Any, contender: str | None = None, ax: Axes | None = None, by: str = "examples"
) -> Axes:
    """The loss that one contender descends, on its training rows and on its stopping slice: a growing gap is overfitting.

    `runs` are rows as in `result.runs`, or what `series.curves` made of them; `by` is "examples" or "seconds".
    """
    one = contender or series.featured(result)[0][1]["id"]
    curves = runs if isinstance(runs, dict) else series.curves(runs, [one])
    index = {c["id"]: i for i, c in enumerate(series.in_order(result))}.get(one)
    ax = plain(ax or canvas(312, 210, 52, 10, 12, 38), "xy")
    both = [(split, words, curves.get((one, split, "loss"))) for split, words in (("train", "training"), ("stop", "validation"))]
    for split, words, curve in both:
        if curve:
            colour, dash = ("edge", (0, (4, 2))) if split == "train" else ("line0", "-")
            band(ax, series.along(result, one, curve, by), curve, colour, f"{words} loss", by, index, dash)
    values = [v for *_, curve in both if curve for v in (*curve["low"], *curve["high"])]
    if values and min(values) > 0 and max(values) > 20 * min(values):
        log_ticks(ax, "y", min(values), max(values))
    else:
        nice_ticks(ax, "y")
    nice_ticks(ax, "x", 4)
    axis_label(ax, "x", ALONG[by])
    return ax


def plot_scores(result: dict[str, Any], runs: Any, ax: Axes | None = None, by: str = "examples") -> Axes:
    """The ranking metric on the stopping slice by examples or seconds: the recommended contender, the runner-up and the last."""
    chosen = series.featured(result)
    curves = runs if isinstance(runs, dict) else series.curves(runs, [c["id"] for _, c in chosen])
    index = {c["id"]: i for i, c in enumerate(series.in_order(result))}
    ax = plain(ax or canvas(700, 250, 66, 14, 12, 40), "xy")
    ends = []
    for i, (_, one) in enumerate(chosen):
        curve = curves.get((one["id"], "stop", result["metric"]["name"]))
        if curve:
            band(ax, series.along(result, one["id"], curve, by), curve, f"line{i}", one["id"], by, index[one["id"]])
            ends += [
                v for name in ("low", "high") for v in curve[name][len(curve[name]) // 8 :]
            ]  # the first steps would squeeze the rest
    fit_scores(ax, ends)
    nice_ticks(ax, "x", 6)
    axis_label(ax, "x", ALONG[by])
    return ax


def fit_scores(ax: Axes, values: list[float]) -> None:
    """A vertical axis that holds these scores with a little room, logarithmic where they differ by a factor of three."""
    if values and min(values) > 0 and max(values) > 3 * min(values):
        log_ticks(ax, "y", min(values) / 1.05, max(values) * 1.05)
        return
    nice_ticks(ax, "y")
    room = 0.06 * (max(values) - min(values)) if values else 0.0
    if room > 0:
        ax.set_ylim(min(values) - room, max(values) + room)


def plot_tuning(result: dict[str, Any], ax: Axes | None = None) -> Axes:
    """What tuning costs: the best score to expect after so many learning rates, a line for each optimizer with its best loss."""
    ax = plain(ax or canvas(700, 250, 66, 14, 12, 40), "xy")
    index = {c["id"]: i for i, c in enumerate(series.in_order(result))}
    ends: list[float] = []
    for i, (method, (contender, scores)) in enumerate(series.tuning(result).items()):
        draws, means = [each["draws"] for each in scores], [each["mean"] for each in scores]
        ax.plot(draws, means, linewidth=1.8, **line_style(i))[0].set_gid(mark(method, index[contender]))
        for count, each in zip(draws, scores, strict=True):
            dot = ax.plot([count], [each["mean"]], "o", color=LIGHT[f"line{i % LINES}"], ms=4, mew=0)
            words = f"{method}: {number(each['mean'])} ({between(each)} by seed) after {several(count, 'rate')}"
            dot[0].set_gid(mark(words, index[contender]))
        ends += means
    fit_scores(ax, ends)
    nice_ticks(ax, "x", 8)
    axis_label(ax, "x", "learning rates tried")
    return ax
