"""What is written is true: examples run, commands exist, generated pages are fresh."""

import importlib.util
import re
import shlex
import subprocess
import sys
from xml.etree import ElementTree

import click
import pytest

from downslope.cli.entry import PACKAGES, catalogue
from downslope.cli.main import COMMANDS, cli

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def pages(root):
    return [root / "README.md", root / "CONTRIBUTING.md", *sorted((root / "docs").rglob("*.md"))]


@pytest.fixture(scope="session")
def generator(root):
    """The program that writes the generated files."""
    spec = importlib.util.spec_from_file_location("generate", root / "docs" / "generate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_files_are_fresh(generator):
    assert generator.stale(dict(generator.files())) == [], "run make generate"


def test_a_decision_is_found_by_its_number(root):
    pages = {path.name.partition("-")[0]: path for path in (root / "docs" / "decisions").glob("*.md")}
    assert len(pages) == len(list((root / "docs" / "decisions").glob("*.md"))), "two pages have the same number"
    for number, path in pages.items():
        assert int(path.read_text(encoding="utf-8").split()[1].rstrip(".")) == int(number), path.name


def test_a_stale_file_is_noticed(generator, tmp_path, monkeypatch):
    monkeypatch.setattr(generator, "REFERENCE", tmp_path)
    same, other, missing, left_over = (tmp_path / f"{name}.md" for name in ("same", "other", "missing", "left_over"))
    same.write_text("a")
    other.write_text("b")
    left_over.write_text("c")
    assert generator.stale({same: "a", other: "a", missing: "a"}) == [other, missing, left_over]


@pytest.mark.parametrize("kind", PACKAGES)
def test_every_entry_has_a_page(root, kind):
    folder = root / "docs" / "reference" / PACKAGES[kind].rpartition(".")[2]
    assert sorted(page.stem for page in folder.glob("*.md")) == sorted(catalogue(kind))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_on_the_page(root, name):
    assert f"\n## downslope {name}\n" in (root / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")


def test_the_readme_example_runs(root, in_empty_folder):
    examples = [
        code for language, code in BLOCK.findall((root / "README.md").read_text(encoding="utf-8")) if language == "python"
    ]
    assert examples
    done = subprocess.run([sys.executable, "-W", "error", "-c", "\n".join(examples)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_examples_in_the_guides_run(root, in_empty_folder):
    for page in sorted((root / "docs" / "guide").glob("*.md")) + [root / "docs" / "choose.md"]:
        for language, code in BLOCK.findall(page.read_text(encoding="utf-8")):
            if language == "python":
                done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
                assert done.returncode == 0, f"{page.name}: {done.stderr}"


def commands_on(page):
    """The `downslope …` lines in the shell blocks of a page."""
    for language, code in BLOCK.findall(page.read_text(encoding="utf-8")):
        if language in {"bash", "sh", "console"}:
            yield from (line.removeprefix("$ ") for line in code.splitlines() if re.match(r"(\$ )?downslope ", line))


def test_commands_in_the_pages_can_be_parsed(root):
    seen = 0
    for page in pages(root):
        for line in commands_on(page):
            name, *arguments = shlex.split(line, comments=True)[1:]
            command = cli.get_command(click.Context(cli), name)
            assert command is not None, f"{page.name}: {line}"
            command.make_context(name, arguments)
            seen += 1
    assert seen >= 5


def test_a_picture_is_compared_with_room_for_the_last_digit(generator, tmp_path):
    picture = tmp_path / "picture.svg"
    picture.write_text('<path d="M 1 2.5 L 3 -4"/><text>5</text>')
    assert generator.same(picture, '<path d="M 1.2 2.4 L 3 -4.1"/><text>5</text>')
    assert not generator.same(picture, '<path d="M 2 2.5 L 3 -4"/><text>5</text>')
    assert not generator.same(picture, '<path d="M 1 2.5 L 3 -4 L 5 6"/><text>5</text>')
    assert not generator.same(picture, '<path d="M 1 2.5 L 3 -4"/><text>5 steps</text>')
    page = tmp_path / "page.md"
    page.write_text("1.1")
    assert not generator.same(page, "1.2")


def test_pictures_are_small_and_whole(root):
    found = sorted((root / "docs" / "reference").rglob("*.svg"))
    assert len(found) == sum(len(catalogue(kind)) for kind in PACKAGES)
    for path in found:
        text = path.read_text(encoding="utf-8")
        assert len(text.encode()) <= 15 * 1024, path.name
        ElementTree.fromstring(text)
        assert "prefers-color-scheme:dark" in text and "<rect" in text and not re.search(r"http(?!://www.w3.org/2000/svg)", text)
        used, known = set(re.findall(r"var\((--\w+)", text)), set(re.findall(r"(--\w+):#", text))
        assert used <= known, path.name


def test_links_lead_somewhere(root):
    for page in pages(root):
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.relative_to(root)} links to {target}"


def test_make_targets_named_in_the_pages_exist(root):
    targets = set(re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for page in pages(root):
        named = set(re.findall(r"`make ([a-z-]+)`", page.read_text(encoding="utf-8")))
        assert named <= targets, page.name


def test_the_version_is_in_the_changelog(root):
    from downslope import __version__

    changelog = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## [{__version__}]" in changelog or "## [Unreleased]" in changelog
