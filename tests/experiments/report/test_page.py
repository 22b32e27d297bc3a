import re
import sys

import pytest

from spacy_medflat.errors import MedflatError
from spacy_medflat.experiments.report.charts import seed_spread, training_curves, type_bars
from spacy_medflat.experiments.report.page import render_report
from spacy_medflat.experiments.report.summary import detail, lines


@pytest.fixture(scope="module")
def figures(results):
    return lines(results, resamples=50), [detail(results, results.rows[0]), detail(results, results.rows[2])]


@pytest.fixture(scope="module")
def page(results, figures):
    return render_report(results, *figures)


def test_the_page_needs_no_network_and_no_other_file(page):
    assert not re.search(r"<script|<link|<img|src=|@import|url\((?!#)", page)
    # Names of XML's own vocabularies are addresses that nothing is fetched from.
    addresses = set(re.findall(r"https?://[^\"'< ]+", page))
    names = ("http://www.w3.org/", "http://purl.org/", "http://creativecommons.org/")
    assert not [address for address in addresses if not address.startswith(names)]


def test_the_page_shows_everything(results, page):
    titles = re.findall(r"<h2>(.*?)</h2>", page)
    assert titles == [
        "Rows",
        "Not run, or not wholly",
        "Training curves",
        "Seeds",
        "By type",
        "By nesting",
        "By length",
        "By mention",
        "Kinds of error",
        "Types taken for others: better",
        "Most errors: better, seed 0",
        "Trained with",
    ]
    assert page.count("<svg") == 3 and page.count('class="case"') == 30 and 'class="entity wrong"' in page
    assert "A large encoder" in page and "2 threads on 2 cores" in page


def test_the_same_runs_give_the_same_bytes(results, figures, page):
    assert render_report(results, *figures) == page


def test_charts_are_text_that_can_be_read(results, figures):
    found, details = figures
    for chart in (training_curves(results), seed_spread(found), type_bars(results, details)):
        assert chart.startswith("<svg") and chart.rstrip().endswith("</svg>") and "<text" in chart
        assert "better" in chart and "<dc:date>" not in chart


def test_without_matplotlib(results, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MedflatError, match=r"pip install spacy-medflat\[viz\]"):
        training_curves(results)
