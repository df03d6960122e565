"""Numbers and names as a person would say them: as many digits as the evidence carries."""

import math
from collections.abc import Sequence
from typing import Any

# Names of people keep their capital inside a sentence.
PEOPLE = frozenset(
    {"Huber", "Poisson", "Tweedie", "Gaussian", "Kullback", "Crammer", "Weston", "Nesterov", "Charbonnier", "Tukey", "Cauchy"}
)


def number(value: float, reach: float | None = None) -> str:
    """A number with the digits that its uncertainty leaves, three where none is given; digits in groups of three.

    >>> number(49012.3, 912.0), number(0.91234), number(117023.0), number(-0.00051)
    ('49,000', '0.912', '117,000', '-0.00051')
    """
    if not math.isfinite(value):
        return "no value"
    if reach is not None and math.isfinite(reach) and reach > 0:
        decimals = places(reach)
    else:
        decimals = 2 - math.floor(math.log10(abs(value))) if value else 0
    rounded = round(value, decimals)
    out = f"{rounded:,.{max(decimals, 0)}f}"
    if reach is None and "." in out:
        out = out.rstrip("0").rstrip(".")
    return out if float(out.replace(",", "")) else out.lstrip("-")


def places(reach: float) -> int:
    """Decimals that a value with this uncertainty deserves: one digit of it, two where the first is a 1."""
    first = math.floor(math.log10(reach))
    return -first + (1 if round(reach / 10**first, 6) < 2 else 0)


def plus_minus(interval: dict[str, float]) -> str:
    """A score with half of the width of its interval.

    >>> plus_minus({"mean": 49012.0, "low": 48100.0, "high": 49924.0})
    '49,000 ± 900'
    """
    reach = (interval["high"] - interval["low"]) / 2
    if not reach > 0:
        return number(interval["mean"])
    return f"{number(interval['mean'], reach)} ± {number(reach, reach)}"


def percent(share: float) -> str:
    """A share in percent.

    >>> percent(0.0412), percent(0.47), percent(0.0061), percent(12.3), percent(0.0), percent(0.0004)
    ('4 %', '47 %', '0.6 %', '1,230 %', '0 %', 'under 0.1 %')
    """
    value = 100 * share
    if abs(value) < 0.05:
        return "under 0.1 %" if value else "0 %"
    return f"{value:.1f} %" if abs(value) < 0.95 else f"{number(value) if abs(value) >= 1000 else f'{value:,.0f}'} %"


def listed(names: Sequence[str], last: str = "and") -> str:
    """Names in a row.

    >>> listed(["Adam", "AdamW", "SGD"])
    'Adam, AdamW and SGD'
    """
    names = list(names)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {last} {names[-1]}" if names else ""


def capital(sentence: str) -> str:
    """The sentence with a large first letter; a name that mixes cases keeps its own."""
    return sentence[:1].upper() + sentence[1:]


def title(contender: dict[str, Any], part: str) -> str:
    """The loss or optimizer of a contender in running text: its title where the result has one, else its name.

    >>> title({"loss": "squared_error"}, "loss"), title({"optimizer": "adam", "optimizer_title": "Adam"}, "optimizer")
    ('squared error', 'Adam')
    """
    given = str(contender.get(f"{part}_title") or contender[part].replace("_", " "))
    # "Squared error" becomes "squared error" in a sentence; "AdamW", "RMSprop" and "Adam" are names and stay.
    ordinary = part == "loss" or " " in given
    head = given.split()[0].split("-")[0]
    return given[:1].lower() + given[1:] if ordinary and head[1:].islower() and head not in PEOPLE else given
