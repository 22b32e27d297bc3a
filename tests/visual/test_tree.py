import spacy
from rich.console import Console
from spacy.tokens import Span, SpanGroup

from spacy_medflat.corpus.docs import spans_with_scores
from spacy_medflat.linking.attributes import Code, set_codes
from spacy_medflat.values.attributes import Value, set_value
from spacy_medflat.visual.tree import nest, render_tree

NLP = spacy.blank("zh")


def make_doc(spans, scores=None, text="右肺上叶腺癌根治术后咳嗽"):
    doc = NLP.make_doc(text)
    group = SpanGroup(doc, name="sc", spans=[Span(doc, s, e, label=label) for s, e, label in spans])
    if scores is not None:
        import numpy as np

        group.attrs["scores"] = np.array(scores, dtype="f")
    doc.spans["sc"] = group
    return doc


def shape(nodes):
    return [(node.span.text, node.span.label_, shape(node.children)) for node in nodes]


def test_spans_stand_under_the_smallest_span_around_them():
    doc = make_doc([(0, 4, "bod"), (10, 12, "sym"), (0, 9, "pro"), (0, 6, "dis")])
    assert shape(nest(spans_with_scores(doc, "sc"))) == [
        ("右肺上叶腺癌根治术", "pro", [("右肺上叶腺癌", "dis", [("右肺上叶", "bod", [])])]),
        ("咳嗽", "sym", []),
    ]


def test_crossing_spans_and_two_labels_on_one_span():
    doc = make_doc([(0, 4, "bod"), (2, 6, "dis"), (10, 12, "sym"), (10, 12, "dis")])
    assert shape(nest(spans_with_scores(doc, "sc"))) == [
        ("右肺上叶", "bod", []),
        ("上叶腺癌", "dis", []),
        ("咳嗽", "sym", [("咳嗽", "dis", [])]),
    ]


def test_a_span_behind_a_crossing_one_still_stands_under_the_smallest():
    doc = make_doc([(0, 4, "bod"), (3, 10, "dis"), (3, 4, "sym"), (4, 6, "pro")])
    assert shape(nest(spans_with_scores(doc, "sc"))) == [
        ("右肺上叶", "bod", [("叶", "sym", [])]),
        ("叶腺癌根治术后", "dis", [("腺癌", "pro", [])]),
    ]


def test_the_terminal_shows_text_labels_and_scores_without_added_spaces():
    console = Console(width=80, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    console.print(render_tree(make_doc([(0, 6, "dis"), (0, 4, "bod")], [0.9, 0.75])))
    lines = [line.rstrip() for line in console.export_text().splitlines()]
    assert lines == ["右肺上叶腺癌根治术后咳嗽", "└── dis 右肺上叶腺癌  0.90", "    └── bod 右肺上叶  0.75"]


def test_a_text_without_entities_or_without_the_group():
    for doc in (make_doc([]), NLP.make_doc("无")):
        assert render_tree(doc).children == []


def test_what_is_said_about_a_span_and_why():
    nlp = spacy.blank("zh")
    nlp.add_pipe("medflat_context")
    doc = nlp(make_doc([(1, 3, "sym"), (4, 6, "sym")], text="无发热但咳嗽"))
    console = Console(width=60)
    with console.capture() as captured:
        console.print(render_tree(doc))
    lines = captured.get().splitlines()
    assert lines[1].split() == ["├──", "sym", "发热", "absent", "(无)"]
    assert lines[2].split() == ["└──", "sym", "咳嗽"]


def test_values_and_codes():
    doc = NLP.make_doc("血红蛋白")
    doc.spans["sc"] = [Span(doc, 0, 4, label="ite")]
    set_value(doc.spans["sc"][0], Value(form="number", numbers=(92.0,), unit="g/L"))
    set_codes(doc.spans["sc"][0], [Code("H1")])
    (child,) = render_tree(doc).children
    assert "92 g/L  H1" in str(child.label)
