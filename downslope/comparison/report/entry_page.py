"""The page about a single loss, optimizer, schedule, penalty or model: in the frame of the report, from what its file says."""

import re
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup, escape

from downslope.comparison.report import entry_figures
from downslope.comparison.report.pictures import picture
from downslope.comparison.report.render import filled
from downslope.comparison.report.wording import clean

CODE = re.compile(r"`([^`]+)`")
LONG = 4000


def draw(curves: Any, contours: Sequence[Any]) -> Any:
    """The picture of an entry: an optimizer's path down the valley, or curves."""
    if curves.paths:
        return entry_figures.plot_descent(curves.paths, contours)
    return entry_figures.plot_lines(curves.across, curves.places, curves.values)


def numbers(curves: Any) -> tuple[list[str], Any]:
    """The columns behind a picture and their rows."""
    columns = {curves.across: curves.places, **curves.values}
    for path in curves.paths:
        columns |= {f"{path.name}, first parameter": path.places[:, 0], f"{path.name}, second parameter": path.places[:, 1]}
    return list(columns), zip(*columns.values(), strict=True)


def prose(text: str) -> Markup:
    """A sentence in which names in backticks are code."""
    return Markup(CODE.sub(r"<code>\1</code>", str(escape(clean(text, LONG)))))


def lines(text: str) -> str:
    """Several lines without what could steer or hide."""
    return "\n".join(clean(line, LONG) if line.strip() else "" for line in text.splitlines())


def entry_page(entries: Sequence[dict[str, Any]], contours: Sequence[Any], version: str) -> str:
    """The page as one HTML text; the same input gives the same text.

    Each of `entries` holds texts under `name kind title idea words use avoid equation notation example follow source url file`,
    pairs under `facts` and `differs`, rows with `name default bounds search doc` under `settings`, and `curves`.
    """
    story, data = [], {}
    for number, entry in enumerate(entries):
        curves = entry["curves"]
        columns, rows = numbers(curves)
        made = picture(f"picture-{number}", lambda c=curves: draw(c, contours), "", curves.caption, columns, rows)
        data[made["name"]] = made.pop("data")
        made["svg"] = Markup(made["svg"])
        story.append(told(entry, "answer" if number == 0 else f"answer-{number}", made))
    title = clean(entries[0]["title"], 90)
    return filled("entry.html", data, version, story={"title": title, "entries": story})


def told(entry: dict[str, Any], anchor: str, made: dict[str, Any]) -> dict[str, Any]:
    """What the template is given for one entry, every text cleaned."""
    advice = [(label, entry[name]) for label, name in (("When to use it", "use"), ("When not", "avoid")) if entry[name]]
    pairs = {"advice": advice, "facts": entry["facts"], "differs": entry["differs"]}
    return {
        "anchor": anchor,
        "picture": made,
        **{name: prose(entry[name]) for name in ("kind", "words", "notation")},
        "idea": prose(entry["idea"][:1].upper() + entry["idea"][1:]),
        **{name: clean(entry[name], 200) for name in ("title", "follow", "file")},
        **{name: lines(entry[name]) for name in ("equation", "example")},
        **{name: [(clean(label, 60), prose(text)) for label, text in rows] for name, rows in pairs.items()},
        "settings": [{name: prose(text) for name, text in row.items()} for row in entry["settings"]],
        "source": {"text": clean(entry["source"], LONG), "url": clean(entry["url"], LONG)} if entry["url"] else None,
    }
