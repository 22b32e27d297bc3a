import logging
from pathlib import Path

import pytest
import spacy
from spacy.tokens import DocBin, Span
from spacy.training import Example

from spacy_medflat.corpus.reader import create_cmeee_reader
from spacy_medflat.errors import TableError
from spacy_medflat.values.component import ValueFinder
from spacy_medflat.values.terms import Term, shipped_terms

from .helpers import said

CORPUS = Path(__file__).parents[2] / "assets" / "corpus"
TEXT = "血红蛋白92g/L↓，阿莫西林0.5g tid"
SPANS = [(0, 4, "ite"), (11, 15, "dru")]


def with_spans(nlp, spans=SPANS, text=TEXT, key="sc"):
    doc = nlp.make_doc(text)
    doc.spans[key] = [doc.char_span(start, end, label=label) for start, end, label in spans]
    return doc


@pytest.fixture
def nlp():
    nlp = spacy.blank("zh")
    nlp.add_pipe("medflat_values")
    return nlp


def found(doc):
    return [said(span._.value) for span in doc.spans["sc"]]


EXPECTED = [
    {"numbers": (92.0,), "ucum": "g/L", "direction": "low"},
    {"numbers": (0.5,), "ucum": "g", "per_day": 3.0},
]


def test_a_note(nlp):
    assert found(nlp(with_spans(nlp))) == EXPECTED


def test_labels_and_groups():
    nlp = spacy.blank("zh")
    nlp.add_pipe("medflat_values", config={"spans_key": None, "tests": ["检验"], "drugs": []})
    doc = nlp.make_doc(TEXT)
    doc.ents = [Span(doc, 0, 4, label="检验"), Span(doc, 11, 15, label="dru")]
    doc = nlp(doc)
    assert [said(span._.value) for span in doc.ents] == [EXPECTED[0], None]


def test_a_doc_without_the_group_is_left_and_warned_of_once(nlp, caplog):
    with caplog.at_level(logging.WARNING, "spacy"):
        list(nlp.pipe([TEXT, TEXT]))
    (record,) = [r for r in caplog.records if "medflat_values" in r.getMessage()]
    assert "no span group 'sc'" in record.getMessage()


def test_saved_and_loaded(nlp, tmp_path):
    pipe = nlp.get_pipe("medflat_values")
    pipe.add([Term("格", "unit", "{grid}")])
    nlp.to_disk(tmp_path)
    for loaded in (spacy.load(tmp_path), spacy.blank("zh", config=nlp.config).from_bytes(nlp.to_bytes())):
        assert loaded.get_pipe("medflat_values").table == pipe.table
        assert found(loaded(with_spans(loaded))) == EXPECTED
    assert "格\tunit\t{grid}" in (tmp_path / "medflat_values" / "terms.tsv").read_text(encoding="utf8")


def test_a_table_that_cannot_be_used_changes_nothing(nlp, tmp_path):
    table = tmp_path / "mine.tsv"
    table.write_text("term\tkind\tvalue\n格\tunit\t{grid}\n格\tunits\tg\n", encoding="utf8")
    nlp.config["initialize"]["components"] = {"medflat_values": {"table": str(table)}}
    with pytest.raises(TableError, match=r"mine\.tsv line 3: unknown kind 'units'"):
        nlp.initialize()
    assert nlp.get_pipe("medflat_values").table == shipped_terms()


def test_in_other_processes_and_through_docbin(nlp):
    docs = list(nlp.pipe([with_spans(nlp) for _ in range(2)], n_process=2, batch_size=1))
    assert [found(doc) for doc in docs] == [EXPECTED] * 2
    packed = DocBin(docs=docs, store_user_data=True).to_bytes()
    assert [found(doc) for doc in DocBin().from_bytes(packed).get_docs(spacy.blank("zh").vocab)] == [EXPECTED] * 2


def test_spans_outside_after_a_retokenization(nlp):
    doc = with_spans(nlp, [(0, 2, "ite"), (2, 4, "ite")])
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[0:3])
    nlp(doc)


@pytest.mark.parametrize("name", ["values_tune", "values_held_out"])
def test_notes_of_the_corpus(nlp, name):
    pipe: ValueFinder = nlp.get_pipe("medflat_values")
    examples = []
    for example in create_cmeee_reader(CORPUS / f"{name}.jsonl")(nlp):
        spans = [(span.start_char, span.end_char, span.label_) for span in example.reference.spans["sc"]]
        examples.append(Example(pipe(with_spans(nlp, spans, example.reference.text)), example.reference))
    scores = pipe.scorer(examples)
    assert scores["values_sc_spans"] > 100 and scores["values_sc_f"] >= 0.98
