"""A browser for the tests of this folder, which are skipped where there is none."""

import re

import browsing
import pytest


@pytest.fixture(scope="module")
def browser():
    """One for all pages of a module. It ends with them, and so do its thread and its loop, which would sway others."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs the package playwright")
    program = browsing.program()
    if program is None:
        pytest.skip(f"needs {' or '.join(browsing.NAMES)}, or what {browsing.BROWSER} names")
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=program)
        yield running
        running.close()


@pytest.fixture
def visit(browser, tmp_path, request):
    """Open the text of a page. What it asks of a network, and what goes wrong in it, fails the test."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python").Axe()
    visits = []

    def open_page(text, *, script=True):
        file = tmp_path / f"page{len(visits)}.html"
        file.write_text(text, encoding="utf-8")
        tab = browser.new_page(java_script_enabled=script, viewport={"width": browsing.WIDE, "height": 900})
        visits.append(browsing.Visit(tab, re.sub(r"\W+", "-", request.node.name), axe.axe_script))
        return visits[-1].go(file.as_uri())

    yield open_page
    for opened in visits:
        opened.tab.close()
    assert [complaint for opened in visits for complaint in opened.complaints] == []
