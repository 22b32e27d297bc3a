import logging
from pathlib import Path

import pytest
import spacy
from spacy.tokens import Span

from spacy_medflat.errors import MedflatError, TableError
from spacy_medflat.linking.component import CodeLinker
from spacy_medflat.linking.rows import CodeRow

SAMPLE = Path(__file__).parents[2] / "assets" / "codes.tsv"
TEXT = "右肺癌，Ⅱ型糖尿病，咳嗽"
SPANS = [(0, 3, "dis"), (4, 9, "dis"), (10, 12, "sym")]


def with_spans(nlp):
    doc = nlp.make_doc(TEXT)
    doc.spans["sc"] = [Span(doc, start, end, label=label) for start, end, label in SPANS]
    return doc


@pytest.fixture
def nlp():
    nlp = spacy.blank("zh")
    nlp.add_pipe("medflat_linker").add(SAMPLE)
    return nlp


def firsts(doc):
    return [span._.codes[0].code if span._.codes else None for span in doc.spans["sc"]]


CODES = ["C34.900", "E11.900", "R05.x00"]


def test_a_note(nlp):
    doc = nlp(with_spans(nlp))
    assert firsts(doc) == CODES
    assert (doc.spans["sc"][0]._.codes[0].how, doc.spans["sc"][0]._.codes[0].side) == ("normalised", "right")


def test_labels(nlp):
    pipe = CodeLinker(nlp.vocab, labels=["sym"])
    pipe.add(SAMPLE)
    assert firsts(pipe(with_spans(nlp))) == [None, None, "R05.x00"]


def test_without_a_table_nothing_is_linked_and_it_is_told_once(caplog):
    nlp = spacy.blank("zh")
    nlp.add_pipe("medflat_linker")
    with caplog.at_level(logging.WARNING, "spacy"):
        docs = list(nlp.pipe([with_spans(nlp), with_spans(nlp)]))
    assert firsts(docs[0]) == [None] * 3
    (record,) = caplog.records
    assert "medflat_linker has no table, so it gives no codes; see docs/linking.md" in record.getMessage()


def test_saved_and_loaded_with_its_table(nlp, tmp_path):
    nlp.to_disk(tmp_path)
    for loaded in (spacy.load(tmp_path), spacy.blank("zh", config=nlp.config).from_bytes(nlp.to_bytes())):
        assert loaded.get_pipe("medflat_linker").table == nlp.get_pipe("medflat_linker").table
        assert firsts(loaded(with_spans(loaded))) == CODES


def test_saved_and_loaded_without_a_table(tmp_path):
    nlp = spacy.blank("zh")
    nlp.add_pipe("medflat_linker")
    nlp.to_disk(tmp_path)
    assert spacy.load(tmp_path).get_pipe("medflat_linker").table == ()
    assert spacy.blank("zh", config=nlp.config).from_bytes(nlp.to_bytes()).get_pipe("medflat_linker").table == ()


def test_the_table_of_the_config(tmp_path):
    table = tmp_path / "icd.csv"
    table.write_bytes("疾病编码,疾病名称\nI10,高血压\n".encode("gb18030"))
    nlp = spacy.blank("zh")
    nlp.add_pipe("medflat_linker")
    nlp.config["initialize"]["components"] = {"medflat_linker": {"table": str(table)}}
    nlp.initialize()
    assert nlp.get_pipe("medflat_linker").table == (CodeRow("I10", "高血压"),)


def test_two_tables(nlp):
    pipe = nlp.get_pipe("medflat_linker")
    pipe.add([CodeRow("R05.x00", "干咳", (), ("sym",)), CodeRow("X1", "咳嗽", (), ("sym",))])
    doc = nlp(with_spans(nlp))
    assert [code.code for code in doc.spans["sc"][2]._.codes] == ["R05.x00", "X1"]


@pytest.mark.parametrize("content", [b"", b"code,name\n", b"\xff\xfe\x00\xd8", b"no,header\n1,2\n"])
def test_a_table_that_cannot_be_used_changes_nothing(nlp, tmp_path, content):
    before = nlp.get_pipe("medflat_linker").table
    (tmp_path / "bad.csv").write_bytes(content)
    with pytest.raises(MedflatError, match=r"bad\.csv"):
        nlp.get_pipe("medflat_linker").add(tmp_path / "bad.csv")
    with pytest.raises(TableError, match=r"nothing\.csv: no such file.*docs/linking\.md"):
        nlp.get_pipe("medflat_linker").add(tmp_path / "nothing.csv")
    assert nlp.get_pipe("medflat_linker").table == before


@pytest.mark.parametrize("setting", [{"threshold": 1.5}, {"threshold": -1}, {"n_best": 0}])
def test_settings_that_make_no_sense(setting):
    with pytest.raises(MedflatError, match=f"{next(iter(setting))} of 'medflat_linker'"):
        CodeLinker(spacy.blank("zh").vocab, **setting)


def test_in_other_processes(nlp):
    docs = [with_spans(nlp) for _ in range(2)]
    assert [firsts(doc) for doc in nlp.pipe(docs, n_process=2, batch_size=1)] == [CODES] * 2


def test_the_sample_names_each_code_once():
    pipe = CodeLinker(spacy.blank("zh").vocab)
    pipe.add(SAMPLE)
    assert len({row.code for row in pipe.table}) == len(pipe.table) == 67
