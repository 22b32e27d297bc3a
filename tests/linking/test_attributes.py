import json

import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span

from spacy_medflat.errors import ContextError
from spacy_medflat.linking.attributes import Code, codes_fields, codes_of, codes_shown, read_codes, set_codes

CODES = (Code("C34", "肺癌", 1.0, "normalised", "right"), Code("C16", "胃癌", 0.8, "fuzzy"))


def test_the_attribute_and_copies():
    doc = spacy.blank("zh").make_doc("右肺癌")
    doc.spans["sc"] = [Span(doc, 0, 3, label="dis")]
    set_codes(doc.spans["sc"][0], CODES)
    packed = DocBin(docs=[doc], store_user_data=True).to_bytes()
    (read,) = DocBin().from_bytes(packed).get_docs(spacy.blank("zh").vocab)
    for other in (doc, read, Doc(doc.vocab).from_bytes(doc.to_bytes())):
        assert other.spans["sc"][0]._.codes == CODES
    assert Span(doc, 0, 3, label="sym")._.codes == ()
    doc.spans["sc"][0]._.codes = ()
    assert codes_of(doc.spans["sc"][0]) == ()


def test_fields_come_back():
    assert read_codes(json.loads(json.dumps(codes_fields(CODES)))) == CODES
    assert read_codes(["C34", {"code": "C16"}]) == (Code("C34"), Code("C16"))
    assert read_codes("C34") == (Code("C34"),)


@pytest.mark.parametrize(
    "fields", [None, 3, {}, [3], [None], [{"code": 3}], [""], [{"name": "x"}], [{"code": "a", "score": "x"}]]
)
def test_fields_of_another_form_are_no_codes(fields):
    assert read_codes(fields) == ()


def test_a_way_that_does_not_exist():
    with pytest.raises(ContextError, match="how of a code must be one of exact"):
        read_codes([{"code": "C34", "how": "guess"}])


def test_for_people():
    assert codes_shown(CODES) == "C34 right" and codes_shown(()) == "" and codes_shown(CODES[1:]) == "C16"
