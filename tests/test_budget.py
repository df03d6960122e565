"""Files stay small and say what they are; nothing of the machine they were written on is in them."""

import re
import statistics
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = [
    f for folder in ("downslope", "tests", "benchmarks", "docs", "examples") for f in sorted((ROOT / folder).rglob("*.py"))
]
PACKAGE = [f for f in SOURCES if f.is_relative_to(ROOT / "downslope")]
PAGES = [f for end in ("html", "css", "js") for f in sorted((ROOT / "downslope").rglob(f"*.{end}"))]
MOST_LINES = 400
MEDIAN_LINES = 150
EMPTY_NAMES = ("util", "helper", "misc", "common", "_src")

# Spelt in two halves, so that this file does not find itself.
TRACES = {
    "a path of one machine": r"/(?:ho" + r"me|ro" + r"ot|Us" + r"ers|wo" + r"rk|mnt|op" + r"t)/[A-Za-z0-9_.-]+",
    "the address of a package registry": r"pypi\."
    + r"org|pythonhosted\."
    + r"org|npmjs\."
    + r"org|extra-index"
    + r"-url|index"
    + r"-url|find"
    + r"-links",
    "a task left undone": r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b",
}


def lines(file: Path) -> int:
    return len(file.read_text(encoding="utf-8").splitlines())


def shown(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("file", SOURCES + PAGES, ids=shown)
def test_no_file_is_long(file):
    assert lines(file) <= MOST_LINES


def test_the_usual_file_is_short():
    assert statistics.median(lines(f) for f in PACKAGE if f.name != "__init__.py") <= MEDIAN_LINES


@pytest.mark.parametrize("file", SOURCES, ids=shown)
def test_names_say_something(file):
    for name in file.relative_to(ROOT).parts:
        assert not any(empty in name.lower() for empty in EMPTY_NAMES), name
        assert not name.startswith("_") or name.startswith("__"), f"{name}: public is what a package exports; no file is private"


def test_test_files_have_names_of_their_own():
    # Test files are imported by their names alone, so the same name twice would be the same module.
    names = [f.name for f in sorted((ROOT / "tests").rglob("test_*.py"))]
    assert sorted({name for name in names if names.count(name) > 1}) == []


def tracked() -> list[str]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listing.returncode:
        pytest.skip("not a git checkout")
    return [name for name in listing.stdout.split("\0") if name]


def test_no_trace_of_a_machine_and_nothing_undone():
    found = []
    for name in tracked():
        try:
            text = (ROOT / name).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError):
            continue  # pictures and the like; files that are just being removed
        for what, pattern in TRACES.items():
            found += [f"{name}: {what}: {match.group()}" for match in re.finditer(pattern, text)]
    assert not found
