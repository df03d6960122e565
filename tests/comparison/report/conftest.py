"""A real browser without a network, and a page to open in it."""

import shutil
from pathlib import Path

import pytest
from sample import sample

from downslope.comparison.report.render import page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => window.violations.push(event.violatedDirective));
"""


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as started:
        running = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="module")
def calm(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("calm") / "report.html"
    result, runs, judged = sample(diverged=("huber × sgd",), rows=200, epochs=6)
    result["columns"][0]["name"] = "=1+1"
    path.write_text(page(result, runs, judged), encoding="utf-8")
    return path


@pytest.fixture
def open_page(browser):
    opened = []

    def go(path: Path, **options):
        context = browser.new_context(viewport={"width": 1200, "height": 900}, offline=True, **options)
        opened.append(context)
        tab = context.new_page()
        tab.said, tab.asked = [], []
        tab.on("console", lambda message: tab.said.append(message.text))
        tab.on("pageerror", lambda error: tab.said.append(str(error)))
        tab.on("dialog", lambda dialog: tab.said.append(dialog.message))
        tab.on("request", lambda request: tab.asked.append(request.url))
        tab.add_init_script(WATCH)
        tab.goto(path.as_uri())
        return tab

    yield go
    for context in opened:
        context.close()
