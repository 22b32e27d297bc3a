import json
import re
import subprocess
import sys
import time
import types
from html import unescape
from html.parser import HTMLParser

import pytest
import spacy

import spacy_medflat
from spacy_medflat.corpus.docs import annotate
from spacy_medflat.corpus.record import Entity, Record
from spacy_medflat.visual.lanes import Mark
from spacy_medflat.visual.page import PageText, render_page

from .browser import dump

NLP = spacy.blank("zh")
TEXTS = [
    PageText("ward <1>", "右肺上叶腺癌术后", [Mark(0, 4, "bod", 0.75), Mark(0, 6, "dis", 0.9)]),
    PageText("2", "无殊", []),
    PageText("3", '咳嗽, "干"', [Mark(0, 2, "sym", 0.4), Mark(0, 6, "of <mine>", None)]),
]


class Page(HTMLParser):
    """Cells of the table, values of the keys, and the style of every drawn mark."""

    def __init__(self, html):
        super().__init__()
        self.rows, self.keys, self.cell, self.ids = [], [], False, []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
            self.cell = True
        elif tag == "input" and values["type"] == "checkbox":
            self.keys.append(values["value"])
        elif tag == "article":
            self.ids.append(values["id"])

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.cell = False

    def handle_data(self, data):
        if self.cell:
            self.rows[-1][-1] += data


@pytest.fixture(scope="module")
def page():
    return render_page("a<b", TEXTS)


def make_doc(text="右肺上叶腺癌术后", spans=((0, 6, "dis"), (0, 4, "bod")), name=""):
    doc = NLP.make_doc(text)
    annotate(doc, Record(text, [Entity(*span, score=0.5) for span in spans], id=name), "sc")
    return doc


def test_the_page_needs_nothing_else(page):
    assert "<title>a&lt;b</title>" in page and page.count('<p class="text"') == 3
    assert not re.search(r"https?://|src=|href=\"(?!#)|@import|url\(", page)


def test_legend_table_and_ids(page):
    found = Page(page)
    assert found.keys == ["bod", "dis", "of <mine>", "sym"] and found.ids == ["text-1", "text-2", "text-3"]
    assert "disease 疾病" in page and "body 身体" in page and "ward &lt;1&gt;" in page
    assert found.rows == [
        ["text", "start", "end", "label", "score", "entity"],
        ["ward <1>", "0", "4", "bod", "0.75", "右肺上叶"],
        ["ward <1>", "0", "6", "dis", "0.9", "右肺上叶腺癌"],
        ["3", "0", "2", "sym", "0.4", "咳嗽"],
        ["3", "0", "6", "of <mine>", "", '咳嗽, "干'],
    ]


def test_a_label_has_one_colour_throughout():
    labels = ["sym", "x", "dis", "y"]
    page = render_page("t", [PageText(str(i), "咳嗽", [Mark(0, 2, label)]) for i, label in enumerate(labels * 3)])
    found = {}
    for label, colour in re.findall(r'data-caption="(\w+)" style="--colour:(#\w+)', page):
        found.setdefault(label, set()).add(colour)
    assert set(found) == set(labels) and all(len(seen) == 1 for seen in found.values())
    assert len(set.union(*found.values())) == 4


def test_marks_are_numbered_as_the_rows(page):
    captions = dict(re.findall(r'<b class="" data-mark="(\d)" data-caption="([^"]*)"', page))
    assert {int(number): unescape(label) for number, label in captions.items()} == {
        i: row[3] for i, row in enumerate(Page(page).rows[1:])
    }


def test_no_texts():
    assert "0 of" not in render_page("t", [PageText("1", "", [])]).split("</title>")[0]


def test_many_texts_and_a_long_one():
    marks = [Mark(0, 4, "bod", 0.75), Mark(0, 6, "dis", 0.9), Mark(2, 8, "pro", 0.5)]
    began = time.perf_counter()
    page = render_page("t", [PageText(str(i), "右肺上叶腺癌术后", marks) for i in range(2000)])
    shifted = [m._replace(start=m.start + i, end=m.end + i) for i in range(0, 49_990, 10) for m in marks]
    long = render_page("t", [PageText("1", "右肺上叶腺" * 10_000, shifted)])
    assert time.perf_counter() - began < 30
    assert page.count("<article") == 2000 and long.count("<tr data-row") == len(shifted)
    assert max(len(page), len(long)) < 12_000_000


def test_render_gives_a_page_or_a_piece_of_one():
    doc = make_doc(name="note-7")
    whole = spacy_medflat.render(doc)
    assert whole.startswith("<!DOCTYPE html>") and "note-7" in whole and "dis disease 疾病 · 0.5 · 0–6" in whole
    piece = spacy_medflat.render([doc, make_doc()], whole=False)
    assert "<html" not in piece and piece.count("<article") == 2 and ">2</a>" in piece


def test_render_shows_in_notebooks(monkeypatch):
    shown = []
    notebook = types.ModuleType("IPython.display")
    notebook.HTML, notebook.display = (lambda html: ("html", html)), shown.append
    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", notebook)
    assert spacy_medflat.render(make_doc(), jupyter=True) is None
    assert shown[0][0] == "html" and "右肺上叶" not in shown[0][1].split("<article")[0] and "<html" not in shown[0][1]


def test_render_says_which_groups_there_are():
    with pytest.warns(UserWarning, match=r"no Doc has a span group 'mine'; groups that are there: 'sc'"):
        assert "0 of 0 entities" in re.sub("<[^>]*>", "", spacy_medflat.render(make_doc(), "mine"))


def test_importing_the_package_imports_no_spacy():
    code = "import sys, spacy_medflat; sys.exit('spacy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
    with pytest.raises(AttributeError, match="no_such_name"):
        spacy_medflat.no_such_name  # noqa: B018


# Uses the page as a reader would, and writes down what is then there.
SCRIPT = """<script>
window.onerror = message => { document.title = `error: ${message}`; };
addEventListener("load", async () => {
  const rows = [...document.querySelectorAll("tbody tr")];
  const shown = () => rows.filter(row => !row.hidden).map(row => row.cells[3].textContent);
  const off = () => [...document.querySelectorAll(".entity.off")].map(piece => piece.dataset.mark);
  const log = { all: shown(), wide: document.documentElement.scrollWidth <= innerWidth, labels: [] };
  for (const label of document.querySelectorAll(".head b")) {
    const head = label.parentElement.getBoundingClientRect(), box = label.getBoundingClientRect();
    log.labels.push(Math.abs(box.left - head.left) < 2 && box.top >= head.bottom && box.bottom - head.bottom < 60);
  }
  const range = document.querySelector("input[type=range]");
  range.value = "0.8"; range.dispatchEvent(new Event("input"));
  log.score = shown(); log.off = off();
  range.value = "0"; range.dispatchEvent(new Event("input"));
  document.querySelector("input[value=dis]").click();
  log.label = shown();
  let blob;
  URL.createObjectURL = made => { blob = made; return "#"; };
  document.querySelector("[data-export=csv]").click();
  log.csv = await blob.text();
  document.querySelector("[data-export=tsv]").click();
  log.tsv = await blob.text();
  document.querySelector("tbody tr").click();
  document.querySelector("article .entity .entity").click();
  log.about = document.querySelector(".about").textContent;
  log.found = document.querySelectorAll(".entity.found").length;
  document.body.innerHTML = ""; document.body.dataset.log = JSON.stringify(log);
});
</script></body>"""


@pytest.mark.parametrize("width", [1200, 420])
def test_in_a_browser(page, tmp_path, width):
    path = tmp_path / "page.html"
    path.write_text(page.replace("</body>", SCRIPT), encoding="utf8")
    found = re.search(r'data-log="([^"]*)"', dump(path, width))
    assert found
    log = json.loads(unescape(found[1]))
    assert log["all"] == ["bod", "dis", "sym", "of <mine>"] and log["labels"] == [True] * 4 and log["wide"]
    assert log["score"] == ["dis", "of <mine>"] and sorted(set(log["off"])) == ["0", "2"]
    assert log["label"] == ["bod", "sym", "of <mine>"] and log["found"] == 1
    assert log["about"] == "bod body 身体 · 0.75 · 0–4"
    lines = log["csv"].removeprefix("\ufeff").split("\r\n")
    assert lines[0] == "text,start,end,label,score,entity" and lines[1] == "ward <1>,0,4,bod,0.75,右肺上叶"
    assert lines[3] == '3,0,6,of <mine>,,"咳嗽, ""干"' and lines[4] == ""
    assert "ward <1>\t0\t4\tbod\t0.75\t右肺上叶" in log["tsv"]


def test_the_table_has_what_is_said_only_where_something_is(page):
    assert "<th>cues</th>" not in page
    judged = render_page("t", [PageText("1", "无肺癌", [Mark(1, 3, "dis", said="absent", cues="无")])])
    assert "<th>context</th><th>cues</th>" in judged and "<td>absent</td><td>无</td></tr>" in judged


def test_the_table_has_values_and_codes_only_where_there_are_some(page):
    assert "<th>value</th>" not in page and "<th>code</th>" not in page
    marks = [Mark(0, 4, "ite", value="92 g/L low"), Mark(5, 7, "dis", code="J18")]
    page = render_page("t", [PageText("1", "血红蛋白，肺炎", marks)])
    assert "<th>value</th><th>code</th>" in page and "<td>92 g/L low</td><td></td></tr>" in page
    assert 'data-caption="dis J18"' in page and "92 g/L low" in page
