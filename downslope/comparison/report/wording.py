"""How numbers and names are written on the page: the same everywhere, safe and short."""

import math
import re
from collections.abc import Iterable
from numbers import Real
from typing import Any, TypeGuard

UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def clean(text: Any, limit: int | None = None) -> str:
    """Text from data in one line, without control characters, at most `limit` characters long.

    >>> clean("two\\nlines and more", limit=10)
    'two lines…'
    """
    plain = re.sub(" +", " ", UNPRINTABLE.sub(" ", str(text))).strip(" ")
    if limit is not None and len(plain) > limit:
        return plain[: limit - 1].rstrip() + "…"
    return plain


TOGETHER = re.compile(r"(?<=\d) (?=%|±|[kMG]\b|m?s\b|min\b|h\b|[MG]B\b|of \d)|(?<=±) (?=\d)|(?<=\d of) (?=\d)|(?<=\brate) (?=\d)")


def sentence(text: Any, limit: int | None = None) -> str:
    """Words of ours, cleaned, in which a number stays on one line with its unit.

    >>> sentence("49 ± 0.9 or 4 %, one of 3").replace("\u00a0", "~")
    '49~±~0.9 or 4~%, one of 3'
    """
    return TOGETHER.sub("\u00a0", clean(text, limit))


def block(text: Any) -> str:
    """Code or a command: as it is, without control characters other than the ends of lines.

    >>> block("for x in y:\\n    print(x)\\x1b")
    'for x in y:\\n    print(x)'
    """
    return "\n".join(UNPRINTABLE.sub(" ", line).rstrip() for line in str(text).replace("\t", "    ").split("\n")).strip("\n")


def opening(text: str, sentences: int = 2) -> tuple[str, str]:
    """The first sentences, and the rest.

    >>> opening("Use Adam at rate 0.1. It is best. Found here.")
    ('Use Adam at rate 0.1. It is best.', 'Found here.')
    """
    pieces = re.split(r"(?<=[.!?]) (?=[A-Z0-9])", text)
    return " ".join(pieces[:sentences]), " ".join(pieces[sentences:])


def is_number(value: Any) -> TypeGuard[float]:
    """Whether a value can stand in a picture.

    >>> [is_number(value) for value in (1, 2.5, None, float("nan"), "3")]
    [True, True, False, False, False]
    """
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def decimals(widths: Iterable[float], digits: int = 2) -> int:
    """Places after the point (negative: before it) at which a typical uncertainty shows so many digits.

    >>> decimals([1800.0, 2100.0]), decimals([0.004])
    (-2, 4)
    """
    known = sorted(width for width in widths if is_number(width) and width > 0)
    if not known:
        return 3
    return min(digits - 1 - math.floor(math.log10(known[len(known) // 2])), 9)


def number(value: Any, places: int | None = None) -> str:
    """A number with groups of three and a true minus; four digits where `places` is not given.

    >>> number(49012.3, -2), number(-0.03125, 3), number(None), number(1.5e-7)
    ('49,000', '−0.031', '–', '1.5e−07')
    """
    if not isinstance(value, Real) or math.isnan(value):
        return "–"
    value = float(value)
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value != 0 and (abs(value) >= 1e12 or (abs(value) < 1e-4 and places is None)):
        return f"{value:.3g}".replace("-", "−")
    if places is None:
        places = 0 if value == int(value) or value == 0 else max(0, 3 - math.floor(math.log10(abs(value))))
    text = f"{round(value, places):,.{max(places, 0)}f}"
    if float(text.replace(",", "")) == 0:
        text = text.removeprefix("-")
    return text.replace("-", "−")


def tick(value: float) -> str:
    """A round number under or beside an axis.

    >>> tick(250000.0), tick(-0.2), tick(1.5e6), tick(800.0)
    ('250 k', '−0.2', '1.5 M', '800')
    """
    value = round(value, 12)
    for size, letter in ((1e9, " G"), (1e6, " M"), (1e4, " k")):
        if abs(value) >= size:
            size = 1e3 if letter == " k" else size
            return f"{value / size:.6g}{letter}".replace("-", "−")
    return f"{value:.6g}".replace("e-0", "e-").replace("-", "−")


def rate(value: Any) -> str:
    """A setting such as a learning rate, as one types it.

    >>> rate(0.00031622), rate([64, 64])
    ('0.000316', '[64, 64]')
    """
    return f"{float(value):.3g}" if is_number(value) else "–" if value is None else clean(value, 60)


def settings(values: dict[str, Any], in_units: dict[str, Any] | None = None) -> str:
    """Settings as one types them, with the value in the target's units behind those that have one.

    >>> settings({"learning_rate": 0.01, "delta": 1.0}, {"delta": 340.0})
    'learning_rate=0.01, delta=1 (340 in units of the target)'
    """
    units = in_units or {}
    each = (
        f"{clean(name, 40)}={rate(value)}" + (f" ({number(units[name])} in units of the target)" if name in units else "")
        for name, value in values.items()
    )
    return ", ".join(each)


def between(score: dict[str, float] | None, places: int | None = None) -> str:
    """An interval in words.

    >>> between({"mean": 1.0, "low": 0.91, "high": 1.1}, 1)
    '0.9 to 1.1'
    """
    return f"{number(score['low'], places)} to {number(score['high'], places)}" if score else "–"


def better(direction: str) -> str:
    """Which way is good, in words."""
    return f"{direction} is better"


def several(count: int, one: str, many: str | None = None) -> str:
    """A count with its noun.

    >>> several(1, "row"), several(2, "class", "classes")
    ('1 row', '2 classes')
    """
    return f"{number(count)} {one if count == 1 else many or one + 's'}"
