import re
from html.parser import HTMLParser

import numpy as np
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Span, SpanGroup

from spacy_medflat.visual.html import doc_marks, render_html
from spacy_medflat.visual.labels import colours
from spacy_medflat.visual.lanes import Mark

TEXT = "右肺上叶<腺癌>&术后\n咳嗽  WBC"
places = st.tuples(st.integers(0, len(TEXT) - 1), st.integers(0, len(TEXT) - 1))
marks = st.lists(places, max_size=8).map(
    lambda pairs: [Mark(min(pair), max(pair) + 1, f"label {i}") for i, pair in enumerate(pairs)]
)


class Reader(HTMLParser):
    """The text, the stretch of every piece of a mark, and the place and caption of every label."""

    def __init__(self, html):
        super().__init__()
        self.text, self.open, self.pieces, self.captions = "", [], [], []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.open.append((tag, len(self.text), dict(attributes)))

    def handle_endtag(self, tag):
        opened, start, values = self.open.pop()
        assert opened == tag
        if tag == "b":
            # It stands behind the first character of its mark, in the same element that no line break divides.
            assert self.open[-1][2]["class"] == "head" and self.open[-1][1] == start - 1
            self.captions.append((int(values["data-mark"]), start - 1, values["data-caption"]))
        elif "data-mark" in values:
            self.pieces.append((int(values["data-mark"]), start, len(self.text), values))

    def handle_data(self, data):
        self.text += data


def test_marks_inside_marks():
    html = render_html("右肺上叶腺癌术后", [Mark(0, 4, "bod", 0.75), Mark(0, 6, "dis", 0.9)]).html
    plain = re.sub(r' (title|style|class)="[^"]*"', "", html)
    assert plain == (
        '<p><span data-mark="1"><span data-mark="0"><span>右<b data-mark="1" data-caption="dis"></b>'
        '<b data-mark="0" data-caption="bod"></b></span>肺上叶</span>腺癌</span>术后</p>'
    )
    assert 'title="dis disease 疾病 · 0.9 · 0–6"' in html and "--lanes:2" in html


def test_text_and_labels_are_escaped():
    html = render_html("a<b>&\"'", [Mark(1, 4, '"><script>')]).html
    assert "<script>" not in html and "&lt;" in html and "<b>" not in html
    reader = Reader(html)
    assert reader.text == "a<b>&\"'" and reader.captions == [(0, 1, '"><script>')]


def test_a_crossing_mark_is_made_of_pieces():
    reader = Reader(render_html("右肺上叶腺癌", [Mark(0, 4, "bod"), Mark(2, 6, "dis")]).html)
    assert sorted(piece[:3] for piece in reader.pieces) == [(0, 0, 4), (1, 2, 4), (1, 4, 6)]
    first, last = sorted((piece for piece in reader.pieces if piece[0] == 1), key=lambda piece: piece[1])
    assert first[3]["style"] == last[3]["style"]
    assert (first[3]["class"], last[3]["class"]) == ("entity part", "entity")


@given(marks)
def test_the_text_stays_and_every_mark_is_there_whole(given_marks):
    rendered = render_html(TEXT, given_marks)
    reader = Reader(rendered.html)
    assert reader.text == TEXT and rendered.hidden == 0
    stretches = {}
    for number, start, end, _ in sorted(reader.pieces, key=lambda piece: piece[1]):
        assert end > start
        first, until = stretches.get(number, (start, start))
        assert until == start
        stretches[number] = (first, end)
    assert stretches == {i: mark[:2] for i, mark in enumerate(given_marks)}
    assert sorted(reader.captions) == [(i, mark.start, mark.label) for i, mark in enumerate(given_marks)]


def test_marks_outside_the_text():
    for mark in (Mark(0, 9, "x"), Mark(-1, 1, "x"), Mark(1, 1, "x")):
        with pytest.raises(ValueError, match="no stretch of a text of 2 characters"):
            render_html("肺癌", [mark])


def test_errors_are_set_off_and_named():
    reader = Reader(render_html("肺癌", [Mark(0, 2, "dis", 0.5, "spurious")]).html)
    assert reader.pieces[0][3]["class"] == "entity wrong" and reader.captions == [(0, 0, "dis spurious")]


def test_colours_and_numbers_are_those_that_were_given():
    palette = colours(["dis"])
    reader = Reader(render_html("肺癌", [Mark(0, 2, "dis")], palette, first=7).html)
    number, _, _, values = reader.pieces[0]
    assert number == 7 and f"--colour:{palette['dis']};" in values["style"]


def test_more_marks_than_can_be_drawn_are_counted():
    rendered = render_html("肺癌", [Mark(0, 2, f"label {i}") for i in range(20)])
    assert rendered.hidden == 8 and len(Reader(rendered.html).pieces) == 12


def test_spans_of_a_doc_are_in_characters():
    doc = spacy.blank("zh").make_doc("肺  癌")
    assert doc_marks(doc) == []
    group = SpanGroup(doc, name="sc", spans=[Span(doc, len(doc) - 1, len(doc), label="dis")])
    doc.spans["sc"] = group
    assert doc_marks(doc) == [Mark(3, 4, "dis", None)]
    group.attrs["scores"] = np.array([0.5], "f")
    assert doc_marks(doc) == [Mark(3, 4, "dis", 0.5)]


def test_what_is_said_about_a_span_is_beneath_it_and_its_cues_in_the_title():
    html = render_html("无肺癌", [Mark(1, 3, "dis", said="absent", cues="无"), Mark(1, 2, "bod")]).html
    assert 'class="entity said"' in html and html.count("said") == 1
    assert 'title="dis disease 疾病 · absent (无) · 1–3"' in html
    assert 'data-caption="dis absent"' in html


def test_attributes_of_spans_are_shown():
    nlp = spacy.blank("zh")
    nlp.add_pipe("medflat_context")
    doc = nlp.make_doc("患者无咳嗽，有发热。")
    doc.spans["sc"] = [doc.char_span(3, 5, "sym"), doc.char_span(7, 9, "sym")]
    assert doc_marks(nlp(doc)) == [Mark(3, 5, "sym", said="absent", cues="无"), Mark(7, 9, "sym")]
