"""From Matplotlib's SVG to one that belongs into our page: small, ids its own, colours by name, tips in words."""

import html
import re
from urllib.parse import quote, unquote

from downslope.comparison.report.palette import DARK, LIGHT
from downslope.comparison.report.wording import clean

NAMES = {colour: name for name, colour in LIGHT.items()}
# Text and attribute values of the drawing have no bare angle brackets, so this finds tags and nothing else.
TAG = re.compile(r"<[^<>]+>")
ID = re.compile(r'\sid="([^"]*)"')
USED = re.compile(r'(?:href="|url\()#([^")]+)')
DECIMALS = re.compile(r"-?\d+\.\d{2,}")
COLOUR = re.compile(r"#[0-9a-f]{6}\b")
STRAIGHT = re.compile(r' d="M [^"C]*"')  # what follows the first point is a straight line without being told
FAMILY = re.compile(r"""font-family: [^;"]*(;\s*|(?="))""")


STYLE = re.compile(r'\s*style="[^"]*"')
MARKER = re.compile(r'^<(path id|use xlink:href)="#?([^"]+)"')


def mark(tip: str, contender: int | None = None) -> str:
    """An id for an artist that becomes a hover text and ties the artist to a contender: `set_gid(mark(...))`."""
    return f"mark:{'' if contender is None else contender}:{quote(clean(tip, 160), safe='')}"


def shorter(found: re.Match[str]) -> str:
    """A coordinate with one decimal."""
    text = f"{float(found[0]):.1f}"
    return text.removesuffix(".0").replace("-0", "0") if text in ("-0.0", "0.0") else text.removesuffix(".0")


def tidy(drawing: str, name: str, words: str) -> str:
    """The drawing as inline SVG: `name` makes its ids unique on the page, `words` says what it shows."""
    drawing = re.sub(r"<!--.*?-->", "", drawing[drawing.index("<svg") :], flags=re.DOTALL)
    drawing = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", drawing, flags=re.DOTALL)
    used = set(USED.findall(drawing))
    looks = marker_looks(drawing)

    def tag(found: re.Match[str]) -> str:
        text = " ".join(found[0].split())
        marker = MARKER.search(text)
        if marker and marker[2] in looks:  # the same look hundreds of times: say it once, where the marker is defined
            style = looks[marker[2]] if marker[1] == "path id" else ""
            text = STYLE.sub("", text).replace("/>", f"{style}/>")
        identity = ID.search(text)
        if identity and identity[1].startswith("mark:"):
            _, contender, tip = identity[1].split(":", 2)
            tied = f' data-c="{int(contender)}"' if contender else ""
            return f'<g class="mark"{tied}><title>{html.escape(unquote(tip))}</title>'
        if identity:
            text = text.replace(identity[0], f' id="{name}-{identity[1]}"' if identity[1] in used else "")
        text = re.sub(r'(href="|url\()#', rf"\1#{name}-", text.replace("xlink:href", "href"))
        text = FAMILY.sub("", DECIMALS.sub(shorter, text))
        text = COLOUR.sub(lambda c: f"var(--{NAMES[c[0]]},{c[0]})" if c[0] in NAMES else c[0], text)
        return text.replace(' transform="rotate(-0 ', ' data-flat="').replace(": ", ":").replace("; ", ";")

    drawing = TAG.sub(tag, drawing)
    drawing = re.sub(r' data-flat="[^"]*"', "", drawing)
    width, height = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', drawing).groups()  # type: ignore[union-attr]  # ours has one
    opening = (
        f'<svg class="picture" role="img" aria-label="{html.escape(clean(words, 400))}" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" stroke-linejoin="round" font-family="system-ui, sans-serif">'
    )
    return opening + re.sub(r">\s+<", "><", drawing[drawing.index(">") + 1 :]).strip()


def marker_looks(drawing: str) -> dict[str, str]:
    """The one style in which each marker is used, of those always used in the same."""
    found: dict[str, set[str]] = {}
    for name, style in re.findall(r'<use xlink:href="#(m[^"]+)"[^<>]*?( style="[^"]*")', drawing):
        found.setdefault(name, set()).add(" ".join(style.split()))
    return {name: " " + styles.pop() for name, styles in found.items() if len(styles) == 1}


def as_file(drawing: str) -> str:
    """An inline SVG as a file of its own, with its ground and both sets of colours, for a page that is not ours."""
    used = {"paper", *re.findall(r"var\(--(\w+),", drawing)}
    light, dark = ("".join(f"--{name}:{tone[name]};" for name in sorted(used)) for tone in (LIGHT, DARK))
    style = f"<style>svg{{fill:none;{light}}}@media (prefers-color-scheme:dark){{svg{{{dark}}}}}</style>"
    ground = f'<rect width="100%" height="100%" rx="6" style="fill:var(--paper,{LIGHT["paper"]})"/>'
    opening, rest = drawing.split(">", 1)
    rest = STRAIGHT.sub(lambda line: line[0].replace(" L ", " "), rest)
    return opening.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1) + ">" + style + ground + rest + "\n"
