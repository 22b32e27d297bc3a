import json

import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span

from spacy_medflat.errors import ContextError
from spacy_medflat.values.attributes import Part, Value, read_value, set_value, value_fields, value_of, value_shown

VALUE = Value(
    form="number",
    numbers=(92.0,),
    unit="g/L",
    ucum="g/L",
    direction="low",
    parts=(Part("number", 4, 6, "92"), Part("unit", 6, 9, "g/L"), Part("direction", 9, 10, "↓")),
)


@pytest.fixture
def doc():
    doc = spacy.blank("zh").make_doc("血红蛋白92g/L↓。")
    doc.spans["sc"] = [Span(doc, 0, 4, label="ite")]
    set_value(doc.spans["sc"][0], VALUE)
    return doc


def test_the_attribute(doc):
    span = doc.spans["sc"][0]
    assert span._.value == VALUE and (VALUE.number, VALUE.start, VALUE.end) == (92.0, 4, 10)
    assert Span(doc, 0, 3, label="ite")._.value is None
    span._.value = None
    assert value_of(span) is None
    assert (Value().number, Value().start, Value().end) == (None, None, None)


def test_through_bytes_docbin_and_copies(doc):
    docs = DocBin(docs=[doc], store_user_data=True).to_bytes()
    (packed,) = DocBin().from_bytes(docs).get_docs(spacy.blank("zh").vocab)
    for other in (packed, Doc(spacy.blank("zh").vocab).from_bytes(doc.to_bytes()), doc.copy()):
        assert other.spans["sc"][0]._.value == VALUE


def test_offsets_in_joined_docs(doc):
    front = Doc(doc.vocab, words=["查", "体"], spaces=[False, False])
    joined = Doc.from_docs([front, doc], ensure_whitespace=False)
    found = value_of(joined.spans["sc"][0])
    assert [joined.text[part.start : part.end] for part in found.parts] == ["92", "g/L", "↓"]


def test_fields_come_back():
    fields = json.loads(json.dumps(value_fields(VALUE)))
    assert read_value(fields) == VALUE
    assert read_value({"numbers": [3], "ucum": "cm"}) == Value(numbers=(3.0,), ucum="cm")


@pytest.mark.parametrize(
    "fields",
    [None, 5, "92", [], {}, {"height": 3}, {"numbers": "92"}, {"numbers": ["92"]}, {"per_day": True}, {"unit": 3}],
)
def test_fields_of_another_form_are_no_value(fields):
    assert read_value(fields) is None


def test_parts_of_another_form_are_left_out():
    assert read_value({"numbers": [1], "parts": [3, {"part": "number"}]}) == Value(numbers=(1.0,))


@pytest.mark.parametrize("name", ["direction", "result", "comparator", "form"])
def test_values_that_do_not_exist(doc, name):
    with pytest.raises(ContextError, match=f"{name} of a value must be one of .* but it is 'up'"):
        read_value({name: "up"})
    with pytest.raises(ContextError, match=name):
        doc.spans["sc"][0]._.value = Value(**{name: "up"})
    assert doc.spans["sc"][0]._.value == VALUE


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (VALUE, "92 g/L low"),
        (Value(form="pair", numbers=(90.0, 60.0), unit="mmHg"), "90/60 mmHg"),
        (Value(form="pair_of_ranges", numbers=(120.0, 140.0, 80.0, 90.0)), "120–140/80–90"),
        (Value(form="range", numbers=(3.0, 5.0), comparator=">"), ">3–5"),
        (
            Value(strength="5%", form="number", numbers=(0.5,), unit="g", frequency="tid", route="oral"),
            "5% 0.5 g tid oral",
        ),
    ],
)
def test_for_people(value, shown):
    assert value_shown(value) == shown
