import pytest

from .page_browser import browser, opened
from .page_double import running
from .test_page import TEXT


@pytest.fixture(scope="module")
def chromium():
    with browser() as started:
        yield started


def findings(page):
    """What axe-core calls serious or critical, as text."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe: it comes with the extra test")
    found = axe.Axe().run(page).response["violations"]
    grave = [one for one in found if one["impact"] in ("serious", "critical")]
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in grave]


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("zh", "dark")])
def test_no_serious_findings(chromium, language, scheme):
    with running(token="secret") as double, opened(chromium, double.url, language, color_scheme=scheme) as page:
        page.wait_for_selector("#token-dialog[open]")
        assert findings(page) == []
        page.fill("#token", "secret")
        page.keyboard.press("Enter")
        page.wait_for_selector("#labels li")
        assert findings(page) == []
        page.fill("#source", TEXT)
        page.click("#read")
        page.wait_for_selector(".entity")
        page.click("#finish")
        page.check("#with-words")
        page.click("#table summary")
        page.wait_for_selector(".word")
        assert findings(page) == []
        page.locator(".entity").first.click()
        page.wait_for_selector("#span-dialog[open]")
        assert findings(page) == []
