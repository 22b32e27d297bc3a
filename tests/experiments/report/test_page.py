import dataclasses
import json
import re
import sys
from html import unescape

import pytest

from spacy_medflat.errors import MedflatError
from spacy_medflat.experiments.report.charts import (
    precision_recall_curves,
    reliability_curves,
    seed_spread,
    training_curves,
    type_bars,
)
from spacy_medflat.experiments.report.curves import row_curves
from spacy_medflat.experiments.report.page import render_report
from spacy_medflat.experiments.report.summary import detail, lines

from ...visual.browser import dump


@pytest.fixture(scope="module")
def figures(results):
    return lines(results, resamples=50), [detail(results, results.rows[0]), detail(results, results.rows[2])]


@pytest.fixture(scope="module")
def page(results, figures):
    return render_report(results, *figures)


def test_the_page_needs_no_network_and_no_other_file(page):
    assert not re.search(r"<script [^>]*src|<link|<img|src=|href=\"(?!#)|@import|url\((?!#)", page)
    # Names of XML's own vocabularies are addresses that nothing is fetched from.
    addresses = set(re.findall(r"https?://[^\"'< ]+", page))
    names = ("http://www.w3.org/", "http://purl.org/", "http://creativecommons.org/")
    assert not [address for address in addresses if not address.startswith(names)]


def test_the_page_shows_everything(results, page):
    titles = re.findall(r"<h2>(.*?)</h2>", page)
    assert titles == [
        "Summary",
        "Rows",
        "Not run or not finished",
        "Training curves",
        "Seeds",
        "Thresholds and scores",
        "By type",
        "By nesting",
        "By length",
        "By mention",
        "Kinds of error",
        "Types taken for others: better",
        "Most errors: better, seed 0",
        "Trained with",
    ]
    assert page.count("<svg") == 5 and 'class="entity wrong"' in page
    wrong = sum(gold != set(found) for gold, found in zip(results.gold, results.rows[2].runs[0].found(), strict=True))
    assert page.count('class="case"') == wrong
    assert "A large encoder" in page and "2 threads on 2 cores" in page


def test_the_contents_name_every_section(page):
    links = re.findall(r'<li><a href="#([^"]+)">(.*?)</a></li>', page)
    assert [title for _, title in links] == re.findall(r"<h2>(.*?)</h2>", page)
    assert [anchor for anchor, _ in links] == re.findall(r'<section id="([^"]+)">', page)


def test_every_error_says_of_which_kind_it_is(page):
    cases = [json.loads(unescape(found)) for found in re.findall(r'data-errors="([^"]*)"', page)]
    kinds = {kind for errors in cases for _, _, kind in errors}
    assert kinds <= {"missed", "spurious", "wrong label", "wrong boundary", "wrong label and boundary"}
    assert {"missed", "spurious", "wrong boundary"} <= kinds
    captions = re.findall(r'<b class="wrong" data-mark="\d+" data-caption="([^"]*)"', page)
    assert sorted(captions) == sorted(f"{label} {kind}" for errors in cases for _, label, kind in errors)


def test_text_of_the_matrix_is_escaped(results, figures):
    title = "<script>alert(1)</script>"
    renamed = dataclasses.replace(results, matrix=title)
    assert title not in render_report(renamed, *figures)


# Uses the filters as a reader would, and writes down what is then there.
SCRIPT = """<script>
addEventListener("load", () => {
  const shown = () => [...document.querySelectorAll(".case")].filter(one => !one.hidden).length;
  const wrong = () => [...new Set([...document.querySelectorAll(".case:not([hidden]) b.wrong")].map(
    caption => caption.dataset.caption))];
  const click = selector => document.querySelector(selector).click();
  const log = { all: shown(), wide: document.documentElement.scrollWidth <= innerWidth };
  log.outside = [...document.querySelectorAll(".head b")].filter(caption =>
    caption.getBoundingClientRect().right > document.documentElement.clientWidth).length;
  click("[data-boxes=kind]"); click("input[value=missed]");
  log.missed = [shown(), wrong()];
  click("[data-boxes=label]"); click("input[value=sym]");
  log.sym = wrong(); log.told = document.querySelector("output").textContent;
  document.body.innerHTML = ""; document.body.dataset.log = JSON.stringify(log);
});
</script></body>"""


@pytest.mark.parametrize("width", [1200, 420])
def test_in_a_browser(page, tmp_path, width):
    path = tmp_path / "report.html"
    path.write_text(page.replace("</body>", SCRIPT), encoding="utf8")
    found = re.search(r'data-log="([^"]*)"', dump(path, width))
    assert found
    log = json.loads(unescape(found[1]))
    assert log["all"] == page.count('class="case"') and log["wide"] and log["outside"] == 0
    count, captions = log["missed"]
    assert 0 < count < log["all"] and all(caption.endswith(" missed") for caption in captions)
    assert log["sym"] == ["sym missed"] and re.match(r"\d+ of \d+ errors in \d+ texts", log["told"])


def test_the_same_runs_give_the_same_bytes(results, figures, page):
    assert render_report(results, *figures) == page


def test_charts_are_text_that_can_be_read(results, figures):
    found, details = figures
    curves = {detail.row.name: row_curves(results, detail.row) for detail in details}
    others = (precision_recall_curves(results, found, curves), reliability_curves(results, curves))
    for chart in (training_curves(results), seed_spread(found), type_bars(results, details), *others):
        assert chart.startswith("<svg") and chart.rstrip().endswith("</svg>") and "<text" in chart
        assert "better" in chart and "<dc:date>" not in chart


def test_without_matplotlib(results, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MedflatError, match=r"pip install spacy-medflat\[viz\]"):
        training_curves(results)
