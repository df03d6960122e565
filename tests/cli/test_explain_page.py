"""`downslope explain NAME --out page.html`: one file that is safe to open anywhere."""

import os
import re
from html.parser import HTMLParser

import pytest

from downslope.cli import entry, explain
from downslope.comparison.report.entry_page import entry_page
from downslope.comparison.report.render import policy


class Reader(HTMLParser):
    """Collects the text, the tags and their attributes."""

    def __init__(self):
        super().__init__()
        self.tags, self.text, self.inside = [], "", []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def read(page):
    reader = Reader()
    reader.feed(page)
    return reader


@pytest.mark.parametrize("name", ["huber", "adam", "linear", "l1"])
def test_the_page_says_all_that_the_terminal_says(run, tmp_path, name):
    done = run("explain", name, "--out", str(tmp_path / "page.html"))
    assert done.exit_code == 0 and done.stdout == f"Written: {tmp_path / 'page.html'}\n", done.stderr
    seen = " ".join(read((tmp_path / "page.html").read_text(encoding="utf-8")).text.split())
    for one in entry.find(name):
        for text in (one.title, one.words, one.use, one.avoid, one.url, one.file, *one.differs, *one.differs.values()):
            assert text.replace("`", "") in seen
        for row in one.settings:
            assert row.name in seen and row.doc.replace("`", "") in seen
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_the_page_fetches_nothing_and_runs_only_our_script(run, tmp_path):
    run("explain", "momentum", "--out", str(tmp_path / "page.html"))
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    tags = read(page).tags
    assert {"http-equiv": "Content-Security-Policy", "content": policy()} in [
        attributes for tag, attributes in tags if tag == "meta"
    ]
    assert sum(tag == "script" and "type" not in attributes for tag, attributes in tags) == 1
    for tag, attributes in tags:
        assert tag not in {"iframe", "object", "embed", "base", "form"} and not any(name.startswith("on") for name in attributes)
        assert "src" not in attributes and not re.search(r"url\((?!#)", attributes.get("style") or "")
        link = attributes.get("href", "#")
        assert link.startswith(("#", "data:,")) or (tag == "a" and attributes["rel"] == "noreferrer noopener")
    assert "var(--line0,#" in page and "prefers-color-scheme: dark" in page and "@media print" in page


def test_text_from_a_file_is_never_markup():
    hostile = "</code><script>alert(1)</script>`<b onclick=x>` & $x^2$ \u202e\x1b[31m"
    one = explain.plain(entry.find("huber")[0])
    texts = {name: hostile for name, value in one.items() if isinstance(value, str)}
    pairs = [(hostile, hostile)]
    rows = [dict.fromkeys(one["settings"][0], hostile)]
    page = entry_page([one | texts | {"facts": pairs, "differs": pairs, "settings": rows}], [], hostile)
    assert "<script>alert" not in page and "<b onclick" not in page
    assert "\u202e" not in page and "\x1b" not in page
    assert "<code>&lt;b onclick=x&gt;</code>" in page


def test_the_same_entry_gives_the_same_bytes(run, tmp_path):
    for name in ("one.html", "two.HTM"):
        run("explain", "adam", "--out", str(tmp_path / name))
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.HTM").read_bytes()


@pytest.mark.parametrize(
    ("out", "words"),
    [
        (".", "is a folder; name a file in it"),
        ("page.pdf", "expected a name that ends in .html"),
        ("page", "expected a name that ends in .html"),
        ("nowhere/page.html", "there is no folder"),
    ],
)
def test_a_page_that_cannot_be_written_is_one_line(run, tmp_path, monkeypatch, out, words):
    monkeypatch.chdir(tmp_path)
    done = run("explain", "huber", "--out", out)
    assert done.exit_code == 2 and words in done.stderr and done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir()) and done.stdout == ""


def test_a_folder_without_permission_is_one_line(run, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    done = run("explain", "huber", "--out", str(tmp_path / "page.html"))
    assert done.exit_code == 2 and "nothing can be written in the folder" in done.stderr and done.stderr.count("\n") == 1


def test_an_error_while_writing_names_the_page(run, tmp_path, monkeypatch):
    def fail(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "something.part")

    monkeypatch.setattr(os, "replace", fail)
    done = run("explain", "l1", "--out", str(tmp_path / "page.html"))
    page = tmp_path / "page.html"
    assert done.stderr == f"downslope: cannot write {page}: Permission denied; choose another place or change its permissions\n"
    assert not list(tmp_path.iterdir())
