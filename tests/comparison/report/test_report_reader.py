"""The page as people use it: with a pointer, a keyboard, poor eyes, on paper, and as it comes from a real comparison."""

from pathlib import Path

import pytest
from sample import OPTIMIZERS, sample

from downslope.comparison.report.render import page

CONTRASTS = """() => {
  const numbers = (colour) => (colour.match(/[\\d.]+/g) ?? []).map(Number);
  const bright = (colour) => numbers(colour).slice(0, 3).map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (numbers(colour)[3] !== 0) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const found = new Map();
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || ["SCRIPT", "STYLE", "TITLE"].includes(element.tagName.toUpperCase())) continue;
    const style = getComputedStyle(element);
    const colour = element.closest("svg") ? style.fill : style.color;
    const behind = ground(element);
    const [light, dark] = [bright(colour), bright(behind)].sort((a, b) => b - a);
    found.set(`${colour} on ${behind}`, [(light + 0.05) / (dark + 0.05), element.textContent.trim().slice(0, 40)]);
  }
  return [...found.entries()];
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read_on_its_ground(open_page, calm, scheme):
    tab = open_page(calm, color_scheme=scheme)
    pairs = tab.evaluate(CONTRASTS)
    assert len(pairs) >= 6
    for pair, (ratio, words) in pairs:
        assert ratio >= 4.5, f"{pair}: {ratio:.2f} in {words!r}"


def test_curves_by_examples_and_by_seconds(open_page, calm):
    tab = open_page(calm)
    section = tab.locator("#curves-section")
    assert section.locator("figure:visible").count() == 4
    assert "examples seen" in section.locator("#scores").inner_text() and not section.locator("#scores-seconds").is_visible()
    section.get_by_role("button", name="by seconds").press("Enter")
    assert section.locator("figure:visible").count() == 4 and section.locator("#scores-seconds").is_visible()
    assert "seconds" in section.locator("#scores-seconds svg text").all_text_contents()
    section.locator("#scores-seconds .mark").last.hover()
    words = tab.locator("#tip").inner_text()
    assert "seconds: " in words and " to " in words
    section.get_by_role("button", name="by examples seen").click()
    tab.locator("#table-ranking tbody tr").first.hover()
    assert section.locator(".mark.on").count() > 10 and tab.locator("#rates-section .mark.on").count() > 2
    assert tab.locator("#tuning .mark.on").count() > 1 and tab.locator(".chips li.on").count() == 1
    assert tab.said == []


def test_every_picture_has_words_values_and_both_files(open_page, calm):
    tab = open_page(calm)
    for figure in tab.locator("figure").all():
        assert figure.locator("svg.picture").get_attribute("aria-label")
        assert figure.locator(".tools button").all_text_contents() == ["SVG", "CSV"]
    marked = tab.evaluate(
        "[...document.querySelectorAll('figure')].filter((one) => !one.querySelector('[data-tip]')).map((one) => one.id)"
    )
    assert marked == []


def test_the_keyboard_reaches_everything(open_page, calm):
    tab = open_page(calm)
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.className") == "skip"
    assert tab.evaluate("document.activeElement.getBoundingClientRect().left >= 0")
    tab.keyboard.press("Enter")
    seen = set()
    for _ in range(400):
        tab.keyboard.press("Tab")
        here = tab.evaluate("""() => { const one = document.activeElement, style = getComputedStyle(one);
            return [one.tagName, one.textContent.slice(0, 30), one.getAttribute("aria-label"), style.outlineStyle] }""")
        if here[0] == "BODY":
            break
        assert here[3] != "none", here
        seen.add((here[0], here[2] or here[1]))
    names = {name for _, name in seen}
    for wanted in ("PyTorch", "RMSE", "by seconds", "R², higher is better", "Filter ranking", "Save as CSV: ranking"):
        assert wanted in names, wanted
    code = tab.locator("details.code").nth(1)
    code.locator("summary").press("Enter")
    assert code.locator("pre").is_visible()


def test_paper_shows_every_view(open_page, calm):
    tab = open_page(calm)
    assert tab.locator("#heat-section figure:visible").count() == 1
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert tab.locator("#heat-section figure:visible").count() == 3
    assert tab.locator("#curves-section figure:visible").count() == 8
    tab.evaluate("dispatchEvent(new Event('afterprint'))")
    assert tab.locator("#heat-section figure:visible").count() == 1


@pytest.mark.parametrize("width", [320, 390])
def test_a_phone_never_scrolls_sideways(open_page, calm, width):
    tab = open_page(calm)
    tab.set_viewport_size({"width": width, "height": 700})
    assert tab.evaluate("document.documentElement.scrollWidth") <= width


def test_thirty_contenders_open_quickly(open_page, tmp_path, capsys):
    path = tmp_path / "report.html"
    path.write_text(page(*sample(optimizers=tuple(OPTIMIZERS), rows=16000, epochs=50, seeds=3)), encoding="utf-8")
    assert path.stat().st_size <= 1_000_000
    tab = open_page(path)
    took = tab.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
    with capsys.disabled():
        print(f"\n30 contenders: {path.stat().st_size / 1000:.0f} kB, loaded in {took:.0f} ms")
    assert 0 < took < 20_000  # a page that hangs; how fast it is depends on what else the machine does


def test_very_many_contenders_stay_below_three_megabytes():
    losses = {f"loss_{number}": 0.1 * number for number in range(8)}
    made = sample(optimizers=tuple(OPTIMIZERS), losses=losses, rows=16000, epochs=100, seeds=2)
    assert len(made[0]["contenders"]) == 80
    assert len(page(*made).encode()) <= 3_000_000


def test_the_report_of_a_real_comparison_is_quiet(open_page, prices):
    tab = open_page(Path(prices.folder) / "report.html")
    assert tab.locator("#answer .lede").inner_text()
    assert (
        tab.locator("details.code summary").all_text_contents()
        == ["downslope", "PyTorch", "Keras", "optax", "scikit-learn"][: tab.locator("details.code").count()]
    )
    tab.get_by_role("button", name="by seconds").click()
    assert tab.said == [] and tab.evaluate("window.violations") == []
    assert tab.asked == [(Path(prices.folder) / "report.html").as_uri()]
