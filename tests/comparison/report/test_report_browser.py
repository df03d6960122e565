"""The page in a real browser, without a network: quiet, safe, usable with and without script."""

import csv
import io
import os
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from hostile import poison
from sample import sample

from downslope.comparison.report.render import page


@pytest.mark.parametrize("task", ["regression", "multiclass"])
def test_hostile_names_never_run_and_nothing_is_asked_for(open_page, tmp_path, task):
    path = tmp_path / "report.html"
    path.write_text(page(*poison(*sample(task, optimizers=("adam", "sgd"), rows=60, epochs=3))), encoding="utf-8")
    tab = open_page(path)
    tab.evaluate(
        """() => { for (const one of document.querySelectorAll("*")) {
            for (const kind of ["pointerover", "mouseover", "focus"]) one.dispatchEvent(new Event(kind, {bubbles: true}));
            if (one.matches("button")) one.click(); } }"""
    )
    tab.evaluate("() => new Promise(requestAnimationFrame)")
    assert tab.evaluate("typeof window.hacked") == "undefined"
    assert tab.evaluate("window.violations") == []
    assert [url for url in tab.asked if not url.startswith(("file:", "blob:", "data:"))] == []
    assert tab.asked[0] == path.as_uri()
    assert tab.said == []


def test_the_policy_is_alive(open_page, calm):
    tab = open_page(calm)
    tab.evaluate("document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.hacked = 1'}))")
    assert tab.evaluate("typeof window.hacked") == "undefined"
    assert tab.evaluate("window.violations").count("script-src-elem") == 1


def test_sort_filter_switch_and_hover(open_page, calm):
    tab = open_page(calm)
    table = tab.locator("#table-ranking")
    column = "tr:not([hidden]) td:nth-child(5)"

    def scores() -> list[str]:
        return [text.replace(",", "") for text in table.locator(column).all_inner_texts()]

    before = scores()
    head = table.get_by_role("button", name="RMSE")
    head.press("Enter")
    head.press("Enter")
    assert table.locator("th[aria-sort=descending]").count() == 1
    numbers = [float(text) for text in scores()[:-1]]
    assert numbers == sorted(numbers, reverse=True) and scores()[-1] == "–"
    head.click()
    assert scores() == before
    table.get_by_role("searchbox").fill("huber adam")
    assert table.locator("tbody tr:visible").count() == 2
    assert "2 of 18" in table.inner_text()
    table.get_by_role("searchbox").fill("")

    shown = tab.locator("#heat-section figure:visible")
    assert shown.count() == 1 and "RMSE" in shown.inner_text()
    tab.get_by_role("button", name="R², higher is better").click()
    assert shown.count() == 1 and "R²" in shown.inner_text()

    table.locator("tbody tr").first.hover()
    assert tab.locator("#ranking .mark.on").count() == 2
    assert tab.locator("#rates-section .mark.on").count() > 2
    tab.locator("#ranking .mark[data-c='0']").last.hover()
    assert "squared_error × rmsprop: 49" in tab.locator("#tip").inner_text()
    tab.locator("h1").hover()
    assert not tab.locator("#tip").is_visible()
    assert tab.said == []


def table_in(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))


def test_pictures_and_tables_can_be_taken_away(open_page, calm, tmp_path):
    tab = open_page(calm)

    def take(locator) -> Path:
        with tab.expect_download() as waiting:
            locator.click()
        path = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(path)
        return path

    drawing = take(tab.locator("#ranking").get_by_role("button", name="SVG"))
    assert drawing.name == "ranking.svg"
    assert ElementTree.parse(drawing).getroot().tag == "{http://www.w3.org/2000/svg}svg"
    assert "var(" not in drawing.read_text(encoding="utf-8")
    rows = table_in(take(tab.locator("#ranking").get_by_role("button", name="CSV")))
    assert rows[0][:5] == ["contender", "loss", "optimizer", "status", "mean"] and len(rows) == 19
    assert float(rows[1][4]) == pytest.approx(49158, abs=5)
    columns = table_in(take(tab.locator("#table-columns").get_by_role("button", name="CSV")))
    assert "'=1+1" in [row[0] for row in columns]
    assert all(not cell.startswith(("=", "+", "-", "@")) for row in columns for cell in row)


def test_everything_can_be_read_without_script(open_page, calm):
    tab = open_page(calm, java_script_enabled=False)
    assert tab.locator("#heat-section figure").count() == 3
    assert all(figure.is_visible() for figure in tab.locator("#heat-section figure").all())
    text = tab.locator("body").inner_text()
    for words in (
        "huber × adam",
        "diverged: left the finite numbers",
        "R², higher is better",
        "downslope compare california.csv",
    ):
        assert words in text
    assert tab.locator("button:visible").count() == 0


def brightness(tab) -> float:
    colour = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    return sum(float(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(",")) / 765


def test_light_dark_narrow_and_print(open_page, calm, tmp_path):
    # With DOWNSLOPE_SCREENSHOTS set to a folder the pictures are kept there, to be looked at.
    folder = Path(os.environ.get("DOWNSLOPE_SCREENSHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    for look, options in {
        "light": {},
        "dark": {"color_scheme": "dark"},
        "narrow": {"viewport": {"width": 390, "height": 800}},
    }.items():
        size = options.pop("viewport", None)
        tab = open_page(calm, **options)
        if size:
            tab.set_viewport_size(size)
        assert (brightness(tab) < 0.2) == (look == "dark")
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), look
        tab.screenshot(path=folder / f"{look}.png", full_page=True)
    tab = open_page(calm, color_scheme="dark")
    tab.emulate_media(media="print")
    assert brightness(tab) == 1
    assert not tab.locator("nav").is_visible()
    assert tab.locator(".tools:visible").count() == 0
    tab.pdf(path=folder / "print.pdf", format="A4", print_background=True)
    assert (folder / "print.pdf").stat().st_size > 20_000
