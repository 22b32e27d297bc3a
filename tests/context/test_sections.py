import pytest
import spacy
from spacy.tokens import DocBin

from spacy_medflat.context.headings import Heading
from spacy_medflat.errors import MedflatError, TableError

NOTE = "主　诉：咳嗽3天。\n既往史：高血压。"


@pytest.fixture
def nlp():
    nlp = spacy.blank("zh")
    nlp.add_pipe("medflat_sections")
    return nlp


def sections(doc, key="sections"):
    return [(span.label_, span.id_, span.text) for span in doc.spans[key]]


def test_sections_are_spans_with_their_titles(nlp):
    doc = nlp(NOTE)
    assert sections(doc) == [
        ("chief_complaint", "主　诉：", "主　诉：咳嗽3天。"),
        ("past_history", "既往史：", "既往史：高血压。"),
    ]


@pytest.mark.parametrize("text", ["", "咳嗽", "\n"])
def test_the_group_is_always_written(nlp, text):
    doc = nlp(text)
    assert len(doc.spans["sections"]) == 0


def test_tokens_of_words():
    nlp = spacy.blank("en")
    nlp.add_pipe("medflat_sections", config={"spans_key": "parts"})
    doc = nlp("主诉：咳嗽 现病史：发热")
    assert [label for label, _, _ in sections(doc, "parts")] == ["chief_complaint", "present_illness"]


def test_they_travel_with_the_doc(nlp):
    doc = nlp(NOTE)
    docs = DocBin(docs=[doc]).to_bytes()
    (read,) = DocBin().from_bytes(docs).get_docs(spacy.blank("zh").vocab)
    assert sections(read) == sections(doc)


def test_headings_are_added_and_saved(nlp, tmp_path):
    table = tmp_path / "mine.tsv"
    table.write_text("heading\tsection\n护理记录\tnursing\n主诉\tnone\n", encoding="utf8")
    pipe = nlp.get_pipe("medflat_sections")
    pipe.add(table)
    pipe.add([Heading("既往史", "history")])
    nlp.to_disk(tmp_path / "model")
    text = NOTE + "护理记录：平稳"
    for loaded in (
        nlp,
        spacy.load(tmp_path / "model"),
        spacy.blank("zh", config=nlp.config).from_bytes(nlp.to_bytes()),
    ):
        doc = loaded(text)
        assert [label for label, _, _ in sections(doc)] == ["history", "nursing"]


def test_a_table_that_cannot_be_used_changes_nothing(nlp, tmp_path):
    pipe = nlp.get_pipe("medflat_sections")
    before = pipe.table
    with pytest.raises(TableError, match="no such file"):
        pipe.add(tmp_path / "nothing.tsv")
    with pytest.raises(TableError, match="line 3"):
        pipe.add([Heading("主诉", "a"), Heading("主诉", "b")])
    nlp.to_disk(tmp_path / "model")
    (tmp_path / "model" / "medflat_sections" / "headings.tsv").write_text("x\ty\n", encoding="utf8")
    with pytest.raises(TableError, match=r"headings\.tsv line 1"):
        pipe.from_disk(tmp_path / "model" / "medflat_sections")
    (tmp_path / "model" / "medflat_sections" / "headings.tsv").unlink()
    with pytest.raises(MedflatError, match="save the pipeline again"):
        pipe.from_disk(tmp_path / "model" / "medflat_sections")
    assert pipe.table == before
