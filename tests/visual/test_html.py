import re
from html import unescape
from html.parser import HTMLParser

import numpy as np
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Span, SpanGroup

from spacy_medflat.visual.html import Mark, colours, doc_marks, render_html, render_page

TEXT = "右肺上叶<腺癌>&术后\n咳嗽  WBC"
places = st.tuples(st.integers(0, len(TEXT) - 1), st.integers(0, len(TEXT) - 1))
# Each with a label of its own, by which its pieces are known.
marks = st.lists(places, max_size=8).map(
    lambda pairs: [Mark(min(pair), max(pair) + 1, f"label {i}") for i, pair in enumerate(pairs)]
)


class Reader(HTMLParser):
    """The text, and the stretch and the class of every box."""

    def __init__(self, html):
        super().__init__()
        self.text, self.open, self.boxes = "", [], []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if tag == "span":
            self.open.append((len(self.text), values["data-label"], set(values["class"].split())))

    def handle_endtag(self, tag):
        if tag == "span":
            start, label, classes = self.open.pop()
            self.boxes.append((start, len(self.text), label, classes))

    def handle_data(self, data):
        self.text += data


def test_boxes_inside_boxes():
    html = render_html("右肺上叶腺癌术后", [Mark(0, 4, "bod", 0.75), Mark(0, 6, "dis", 0.9)])
    plain = re.sub(r' (title|style)="[^"]*"', "", html)
    assert plain == (
        '<p class="text"><span class="entity" data-label="dis 0.90"><span class="entity" data-label="bod 0.75">右肺上叶'
        "</span>腺癌</span>术后</p>"
    )


def test_text_and_labels_are_escaped():
    html = render_html("a<b>&\"'", [Mark(1, 4, '"><script>')])
    assert "<b>" not in html and "<script>" not in html and "&lt;b&gt;" in html
    reader = Reader(html)
    assert reader.text == "a<b>&\"'" and reader.boxes[0][2] == '"><script>'


def test_a_crossing_mark_is_cut_and_goes_on():
    html = render_html("右肺上叶腺癌", [Mark(0, 4, "bod"), Mark(2, 6, "dis")])
    assert Reader(html).boxes == [
        (2, 4, "dis", {"entity", "goes-on"}),
        (0, 4, "bod", {"entity"}),
        (4, 6, "dis", {"entity", "continued"}),
    ]


@given(marks)
def test_the_text_stays_and_every_mark_is_there_whole(given_marks):
    reader = Reader(render_html(TEXT, given_marks))
    assert reader.text == TEXT
    stretches = []
    for start, end, label, classes in sorted(reader.boxes, key=lambda box: box[0]):
        assert end > start
        if "continued" in classes:
            place = next(i for i, s in enumerate(stretches) if s[1:] == (start, label, True))
            stretches[place] = (stretches[place][0], end, label, "goes-on" in classes)
        else:
            stretches.append((start, end, label, "goes-on" in classes))
    assert sorted(s[:3] for s in stretches) == sorted(mark[:3] for mark in given_marks)
    assert not any(s[3] for s in stretches)


def test_marks_outside_the_text():
    for mark in (Mark(0, 9, "x"), Mark(-1, 1, "x"), Mark(1, 1, "x")):
        with pytest.raises(ValueError, match="no stretch of a text of 2 characters"):
            render_html("肺癌", [mark])


def test_errors_are_set_off():
    assert Reader(render_html("肺癌", [Mark(0, 2, "dis", 0.5, True)])).boxes[0][3] == {"entity", "wrong"}


def test_hues():
    found = colours(["dis", "bod", "dis"])
    assert found == colours(["bod", "dis"]) and len(set(found.values())) == 2
    assert f"--hue:{found['dis']};" in render_html("肺癌", [Mark(0, 2, "dis")], found)


def test_spans_of_a_doc_are_in_characters():
    doc = spacy.blank("zh").make_doc("肺  癌")
    assert doc_marks(doc) == []
    group = SpanGroup(doc, name="sc", spans=[Span(doc, len(doc) - 1, len(doc), label="dis")])
    doc.spans["sc"] = group
    assert doc_marks(doc) == [Mark(3, 4, "dis", None)]
    group.attrs["scores"] = np.array([0.5], "f")
    assert doc_marks(doc) == [Mark(3, 4, "dis", 0.5)]


def test_the_page_needs_nothing_else():
    page = render_page("a<b", [render_html("肺癌", [Mark(0, 2, "dis")]), render_html("无殊", [])])
    assert "<title>a&lt;b</title>" in page and page.count('<p class="text"') == 2 and unescape(page).count("肺癌") == 1
    assert not re.search(r"https?://|src=|href=|@import", page)
