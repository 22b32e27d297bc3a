import pytest
import spacy

from spacy_medflat.ensemble.build import make_ensemble
from spacy_medflat.errors import EnsembleError

from .helpers import small_pipeline


@pytest.fixture(scope="module")
def member():
    return small_pipeline(0, steps=0)


def other(lang="zh", **tokenizer):
    config = {"nlp": {"tokenizer": tokenizer}} if tokenizer else {}
    nlp = spacy.blank(lang, config=config)
    nlp.add_pipe("medflat_ner")
    return nlp


def test_fewer_than_two(member):
    with pytest.raises(EnsembleError, match="at least two pipelines, but there are 1"):
        make_ensemble([member])


def test_a_pipeline_without_a_recognizer(member):
    with pytest.raises(EnsembleError, match="has no 'medflat_ner' component, but sentencizer"):
        nlp = spacy.blank("zh")
        nlp.add_pipe("sentencizer")
        make_ensemble([member, nlp])


@pytest.mark.parametrize(
    ("nlp", "message"),
    [
        (other("en"), "the language of the one is zh, of the other en"),
        (other(**{"@tokenizers": "spacy.Tokenizer.v1"}), "the tokenizer of the one is"),
    ],
)
def test_other_tokens(member, nlp, message):
    with pytest.raises(EnsembleError, match=message):
        make_ensemble([member, nlp])


def test_other_rules_of_the_same_tokenizer():
    first, second = (other("en") for _ in range(2))
    second.tokenizer.add_special_case("3天", [{"ORTH": "3"}, {"ORTH": "天"}])
    with pytest.raises(EnsembleError, match="the rules or data of their tokenizers differ"):
        make_ensemble([first, second])
    first.tokenizer.add_special_case("3天", [{"ORTH": "3"}, {"ORTH": "天"}])
    assert [token.text for token in make_ensemble([first, second]).make_doc("3天")] == ["3", "天"]


def test_other_span_groups(member):
    nlp = small_pipeline(1, steps=0, spans_key="gold")
    with pytest.raises(EnsembleError, match=r"different span groups, 'sc' \(.*\), 'gold' \(.*\): name one"):
        make_ensemble([member, nlp])
    assert make_ensemble([member, nlp], spans_key="both").get_pipe("medflat_ensemble").key == "both"


@pytest.mark.parametrize(("nestings", "expected"), [(("flat", "flat"), "flat"), (("flat", "nested"), "all")])
def test_nesting_that_members_agree_on(nestings, expected):
    members = [small_pipeline(0, steps=0, nesting=nesting) for nesting in nestings]
    assert make_ensemble(members).get_pipe("medflat_ensemble").cfg["nesting"] == expected
