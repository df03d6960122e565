"""What reaches the terminal: no control characters from data, no markup from data, only characters that the stream can show."""

import codecs
import io
import sys
import unicodedata
from typing import Any

ASCII = {
    **{
        "×": "x",
        "·": "*",
        "±": "+/-",
        "−": "-",
        "–": "-",
        "—": "-",
        "…": "...",
        "≤": "<=",
        "≥": ">=",
        "≠": "!=",
        "→": "->",
        "←": "<-",
    },
    **{"½": "1/2", "⅓": "1/3", "⅔": "2/3", "¼": "1/4", "¾": "3/4", "∞": "inf", "√": "sqrt", "∇": "grad", "∂": "d", "Σ": "sum"},
    **{
        "Π": "prod",
        "•": "*",
        "∘": "o",
        "●": "*",
        "○": "o",
        "│": "|",
        "─": "-",
        "└": "+",
        "ℓ": "l",
        "‖": "||",
        "∈": "in",
        "≈": "~",
    },
    **{"“": '"', "”": '"', "‘": "'", "’": "'", "\u00a0": " ", "\u202f": " ", "\u2009": " ", "′": "'", "ᵀ": "^T", "⊙": "*"},
    **{"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"},
}
HIDDEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def spelt(error: UnicodeError) -> tuple[str, int]:
    """What to write for characters that a stream cannot show: their nearest spelling, or a question mark."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(spell(c) for c in error.object[error.start : error.end]), error.end


def spell(character: str) -> str:
    """One character in ASCII.

    >>> spell("±"), spell("β"), spell("ₜ"), spell("é"), spell("語")
    ('+/-', 'beta', '_t', 'e', '?')
    """
    if character in ASCII:
        return ASCII[character]
    name = unicodedata.name(character, "")
    if name.startswith("GREEK ") and "LETTER" in name:
        word = name.split()[-1].lower()
        return word.capitalize() if "CAPITAL" in name else word
    simple = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    if not simple:
        return "" if unicodedata.combining(character) else "?"
    shift = unicodedata.decomposition(character)
    return {"<super>": "^", "<sub>": "_"}.get(shift.split(" ")[0], "") + simple


codecs.register_error("downslope.spelt", spelt)


def prepare() -> None:
    """Makes the standard streams unable to fail on a character, whatever their encoding."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="downslope.spelt")


def clean(text: Any, newlines: bool = False) -> str:
    """Text from data without what could steer a terminal (control, formatting and unassigned characters), in characters that
    the standard output has: spelt here, before anything is laid out in columns.

    >>> clean("red" + chr(27) + "[31m line" + chr(10) + "two")
    'red[31m line two'
    """
    out = []
    for character in str(text):
        if character in "\n\t\r":
            out.append("\n" if newlines and character == "\n" else " ")
        elif unicodedata.category(character) not in HIDDEN:
            out.append(character)
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return "".join(out).encode(encoding, "downslope.spelt").decode(encoding)


def console(stderr: bool = False) -> Any:
    """A console that takes no markup, no emoji names and no syntax colours from what it prints."""
    from rich.console import Console

    return Console(stderr=stderr, markup=False, emoji=False, highlight=False)


def say(text: str, style: str = "", stderr: bool = False) -> None:
    """Prints words, wrapped at the width of the terminal where there is one and left alone on a pipe."""
    target = console(stderr)
    target.print(clean(text, newlines=True), style=style or None, soft_wrap=not target.is_terminal)


def line(text: str) -> None:
    """One line on stderr, without waiting."""
    print(clean(text), file=sys.stderr, flush=True)
