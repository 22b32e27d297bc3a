"""The page in a browser without a window, used as a reader would use it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ..visual.browser import BROWSERS

FLAGS = (
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip
LOCALES = {"en": "en-US", "zh": "zh-CN"}

# Selects the first place where a text stands in the note, as a pointer would.
SELECT = """wanted => {
  const walker = document.createTreeWalker(document.querySelector("#text"), NodeFilter.SHOW_TEXT);
  const nodes = [], ends = [];
  let whole = "";
  while (walker.nextNode()) {
    nodes.push(walker.currentNode);
    whole += walker.currentNode.data;
    ends.push(whole.length);
  }
  const from = whole.indexOf(wanted), to = from + wanted.length;
  const range = document.createRange();
  const at = (unit, isEnd) => {
    const i = ends.findIndex(end => (isEnd ? end >= unit : end > unit));
    return [nodes[i], unit - (ends[i] - nodes[i].data.length)];
  };
  range.setStart(...at(from, false));
  range.setEnd(...at(to, true));
  getSelection().removeAllRanges();
  getSelection().addRange(range);
  document.dispatchEvent(new PointerEvent("pointerup", { bubbles: true }));
}"""


@contextmanager
def browser() -> Iterator:
    """Chromium under Playwright; skips the test where one of them is not there."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright: it comes with the extra test")
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed")
    flags = [*FLAGS, *(["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else [])]
    with sync_api.sync_playwright() as playwright:
        try:
            started = playwright.chromium.launch(executable_path=program, args=flags)
        except sync_api.Error as error:
            pytest.skip(f"{program} does not start here: {str(error)[-300:]}")
        yield started
        started.close()


@contextmanager
def opened(started, url: str, language: str = "en", width: int = 1200, text: str = "", **options) -> Iterator:
    """A page that is ready, with a text in it if one is given. Errors of its scripts fail the test."""
    context = started.new_context(locale=LOCALES[language], viewport={"width": width, "height": 860}, **options)
    context.set_default_timeout(60_000)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if "Content Security" in message.text else None)
    page.goto(url)
    if text:
        page.wait_for_selector("#labels li")
        read(page, text)
    yield page
    context.close()
    assert errors == [], errors


def read(page, text: str) -> None:
    """Have a text read, and wait for its entities."""
    page.fill("#source", text)
    page.click("#read")
    page.wait_for_selector("#result:not([aria-busy])")
    page.wait_for_selector("#reading:not([hidden])")


def drawn(page) -> list[str]:
    """The spans that are drawn, as `0:4:bod`, in the order of the text."""
    keys = page.eval_on_selector_all("#text .entity", "all => all.map(one => one.dataset.mark)")
    return list(dict.fromkeys(keys))


def slide(page, name: str, value: float) -> None:
    """Move a slider, as the arrow keys would."""
    move = "(one, value) => { one.value = value; one.dispatchEvent(new Event('input', { bubbles: true })); }"
    page.get_by_role("slider", name=name).evaluate(move, str(value))


def saved(page, button: str = "#export") -> str:
    """The file that a click saves."""
    with page.expect_download() as download:
        page.click(button)
    return download.value.path().read_text(encoding="utf8")
