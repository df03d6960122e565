"""The page: words, tables and pictures put into one file that opens without a network, for ever."""

import base64
import hashlib
import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from downslope.comparison.report import figures, palette, series
from downslope.comparison.report.pictures import pictures
from downslope.comparison.report.summarize import summarize
from downslope.comparison.report.wording import clean

HERE = Path(__file__).parent
ESCAPES = {ord(mark): f"\\u{ord(mark):04x}" for mark in "<>&'\u2028\u2029"}


@cache
def template(name: str) -> Any:
    """The template of that name, with everything that is put into it escaped."""
    # Every value is escaped, whatever the file is called; a name that is missing is an error and not an empty place.
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template(name)


@cache
def script() -> str:
    """Our script, the only one that the page's policy lets run."""
    return (HERE / "page.js").read_text(encoding="utf-8").strip()


def policy() -> str:
    """Nothing may be fetched and only our script may run, known by its hash."""
    digest = base64.b64encode(hashlib.sha256(script().encode()).digest()).decode()
    return f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:"


def embedded(data: Any) -> Markup:
    """Data as strict JSON in which nothing can end the element it stands in."""
    return Markup(json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":")).translate(ESCAPES))


def page(result: dict[str, Any], runs: list[dict[str, Any]], judged: dict[str, Any]) -> str:
    """The report as one HTML text; the same input gives the same text.

    `result` is what stands in `result.json`, `runs` are the rows of `runs.csv`, `judged` holds target and prediction of the
    judged rows by contender. A comparison that was stopped gives a report of what is finished.
    """
    drawn = pictures(result, runs, judged)
    every = [picture for name, section in drawn.items() if name != "curves" for picture in section]
    every += [picture for _, section in drawn["curves"] for picture in section]
    data = {picture["name"]: picture.pop("data") for picture in every}
    for picture in every:
        picture["svg"] = Markup(picture["svg"])
    return filled(
        "page.html",
        data,
        result.get("downslope", ""),
        story=summarize(result),
        pictures=drawn,
        legend=legend(series.rate_losses(result)),
        tuning_legend=legend(series.tuning(result)),
        curve_legend=curves_legend(result),
    )


def filled(name: str, data: Any, version: str, **content: Any) -> str:
    """A page: the frame that all share, with its policy, style and script, around the template `name`.

    `data` are the numbers behind the pictures by the picture's name.
    """
    style = palette.style_sheet() + (HERE / "page.css").read_text(encoding="utf-8")
    frame = {"policy": policy(), "style": Markup(style), "script": Markup(script()), "data": embedded(data)}
    return template(name).render(version=clean(version, 40), **frame, **content)


def snippet(result: dict[str, Any]) -> str:
    """The answer and the ranking as a piece of HTML without script, for the output cell of a notebook."""
    text = escape(clean(result["recommendation"]["text"], 2400))
    drawing = figures.to_svg(lambda: figures.plot_ranking(result), "notebook-ranking", "The ranking")
    frame = f'style="background:{palette.LIGHT["paper"]};color:{palette.LIGHT["ink"]};padding:1em;overflow-x:auto"'
    return f'<div class="downslope" {frame}><p style="max-width:46em">{text}</p>{drawing}</div>'


def legend(names: Iterable[str]) -> list[dict[str, Any]]:
    """Which line is which, in the order in which `figures.line_style` counts."""
    lines, dashes = palette.LINES, palette.DASHES
    return [{"colour": f"line{i % lines}", "dash": dashes[i % len(dashes)], "text": clean(n, 60)} for i, n in enumerate(names)]


def curves_legend(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Which line of the score curves is which contender."""
    named = enumerate(series.featured(result))
    return [{"colour": f"line{i}", "dash": "", "text": clean(f"{role}: {one['id']}", 90)} for i, (role, one) in named]
