import pytest
import spacy
from spacy.tokens import DocBin

from spacy_medflat.errors import MedflatError
from spacy_medflat.partial_annotation import USER_DATA_KEY, set_weight, unknown_key, weight_of

NLP = spacy.blank("zh")


def test_a_weight_is_saved_with_the_document():
    doc = NLP.make_doc("咳嗽")
    assert weight_of(doc) == 1.0 and not doc.user_data
    set_weight(doc, 0.25)
    (read,) = (
        DocBin(store_user_data=True).from_bytes(DocBin(docs=[doc], store_user_data=True).to_bytes()).get_docs(NLP.vocab)
    )
    assert weight_of(read) == 0.25 and unknown_key("sc") == "sc_unknown"


@pytest.mark.parametrize("weight", [-1, float("nan"), float("inf"), "1", True, None])
def test_a_weight_that_is_none(weight):
    doc = NLP.make_doc("咳嗽")
    with pytest.raises(MedflatError, match="the weight of a text must be a number"):
        set_weight(doc, weight)
    doc.user_data[USER_DATA_KEY] = {"weight": weight}
    with pytest.raises(MedflatError, match="'咳嗽': the weight of a text must be a number"):
        weight_of(doc)


def test_user_data_of_others_are_no_weight():
    doc = NLP.make_doc("咳嗽")
    doc.user_data[USER_DATA_KEY] = "mine"
    assert weight_of(doc) == 1.0
