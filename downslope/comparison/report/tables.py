"""Tables as plain data: what is read, what it is sorted by, how it looks."""

from typing import Any

from downslope.comparison.report.wording import clean, is_number, number, sentence


def cell(text: Any, value: Any = None, kind: str = "") -> dict[str, Any]:
    """One cell of a table: what is read, what it is sorted by, how it looks."""
    if is_number(text):
        text, value = number(text), text if value is None else value
    shown = clean("–" if text is None else text, 160)
    kind += " whole" if len(shown) <= 30 else ""  # short enough to stay on one line
    return {"text": shown, "value": float(value) if is_number(value) else None, "kind": kind.strip()}


def table(name: str, columns: list[tuple[str, str]], rows: list[dict[str, Any]], words: str) -> dict[str, Any]:
    """A table that can be sorted and filtered; `columns` are (title, "text" or "number"), `words` its caption."""
    titles = [{"title": clean(title, 40), "kind": kind} for title, kind in columns]
    return {"name": name, "columns": titles, "rows": rows, "words": sentence(words, 900)}
