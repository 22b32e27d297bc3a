import logging

import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span

from spacy_medflat.context.attributes import VALUES
from spacy_medflat.context.component import ContextDetector
from spacy_medflat.context.cues import Cue, shipped_cues
from spacy_medflat.errors import TableError

from .helpers import CASES, marked, with_spans

NOTE = "主诉：发热3天。\n既往史：否认高血压、糖尿病。\n家族史：父亲患右肺腺癌。"
SPANS = [(3, 5, "sym"), (15, 18, "dis"), (19, 22, "dis"), (31, 35, "dis"), (31, 33, "bod")]


@pytest.fixture
def nlp():
    nlp = spacy.blank("zh")
    nlp.add_pipe("medflat_sections")
    nlp.add_pipe("medflat_context")
    return nlp


def said(doc, key="sc"):
    spans = doc.ents if key is None else doc.spans[key]
    return [(span.text, span._.assertion, span._.experiencer, span._.temporality) for span in spans]


def test_a_note_with_sections(nlp):
    doc = nlp(with_spans(nlp.make_doc(NOTE), SPANS))
    assert said(doc) == [
        ("发热", "present", "patient", "current"),
        ("高血压", "absent", "patient", "historical"),
        ("糖尿病", "absent", "patient", "historical"),
        ("右肺腺癌", "present", "family", "current"),
        ("右肺", "present", "family", "current"),
    ]
    assert [cue.text for cue in doc.spans["sc"][1]._.cues] == ["既往史：", "否认"]


def test_without_sections():
    nlp = spacy.blank("zh")
    nlp.add_pipe("medflat_context", config={"sections_key": None})
    doc = nlp(with_spans(nlp.make_doc(NOTE), SPANS))
    assert doc.spans["sc"][1]._.temporality == "current"


def test_entities_and_other_groups():
    nlp = spacy.blank("zh")
    nlp.add_pipe("medflat_context", config={"spans_key": None})
    nlp.add_pipe("medflat_context", name="mine", config={"spans_key": "mine"})
    doc = nlp.make_doc("无发热，有咳嗽。")
    doc.ents = [Span(doc, 1, 3, label="sym")]
    doc = nlp(with_spans(doc, [(5, 7, "sym")], "mine"))
    assert said(doc, None) == [("发热", "absent", "patient", "current")]
    assert said(doc, "mine") == [("咳嗽", "present", "patient", "current")]


def test_tokens_of_words_give_the_same():
    for case in CASES:
        text, spans, values = marked(case)
        chars = spacy.blank("zh").make_doc(text)
        words = Doc(chars.vocab, words=[text], spaces=[False])
        found = []
        for doc in (chars, words):
            doc.spans["sc"] = [span for s, e, label in spans if (span := doc.char_span(s, e, label=label))]
            ContextDetector(doc.vocab)(doc)
            found.append(
                {(s.start_char, s.end_char, s.label_): said(doc)[i][1:] for i, s in enumerate(doc.spans["sc"])}
            )
        assert list(found[0].values()) == list(dict(zip(spans, values, strict=True)).values())
        assert found[1].items() <= found[0].items()


def test_a_doc_without_the_group_is_left_and_warned_of_once(nlp, caplog):
    with caplog.at_level(logging.WARNING, "spacy"):
        docs = list(nlp.pipe(["无发热", "无咳嗽"]))
    assert len(docs) == 2
    (record,) = [r for r in caplog.records if "medflat_context" in r.getMessage()]
    assert "no span group 'sc'" in record.getMessage() and "'sections'" in record.getMessage()


@pytest.mark.parametrize("text", ["", " ", "\n", "无"])
def test_docs_with_nothing_in_them(nlp, text, caplog):
    doc = nlp.make_doc(text)
    doc.spans["sc"] = []
    assert said(nlp(doc)) == []
    assert not caplog.records


def test_spans_outside_after_a_retokenization(nlp):
    doc = with_spans(nlp.make_doc("无发热、咳嗽"), [(1, 3, "sym"), (4, 6, "sym")])
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[0:4])
    doc = nlp(doc)
    assert doc.char_span(4, 6, label="sym")._.assertion is None
    assert doc.spans["sc"][0]._.assertion == "absent"


def test_cues_are_added_at_any_time(nlp, tmp_path):
    table = tmp_path / "mine.tsv"
    table.write_text("cue\tcategory\n未测得\tabsent\n否认\tnone\n", encoding="utf8")
    pipe = nlp.get_pipe("medflat_context")
    pipe.add(table)
    pipe.add([Cue("测出", "present")])
    doc = nlp(with_spans(nlp.make_doc("未测得抗体，否认高血压。"), [(3, 5, "ite"), (8, 11, "dis")]))
    assert [span._.assertion for span in doc.spans["sc"]] == ["absent", "present"]
    assert len(pipe.table) == len(shipped_cues()) + 2 - len([row for row in shipped_cues() if row.cue == "否认"])


def test_cues_of_the_config_are_added_by_initialize(tmp_path):
    table = tmp_path / "mine.tsv"
    table.write_text("cue\tcategory\n未测得\tabsent\n", encoding="utf8")
    nlp = spacy.blank("zh")
    nlp.add_pipe("medflat_context")
    nlp.config["initialize"]["components"] = {"medflat_context": {"table": str(table)}}
    nlp.initialize()
    assert Cue("未测得", "absent") in nlp.get_pipe("medflat_context").table


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("cue\tcategory\n无\tabsent\n见\tseen\n", r"mine\.tsv line 3: unknown category 'seen'"),
        ("cue\tcategory\n无\tabsent\n无\tabsent\n", r"mine\.tsv line 3: '无' is absent after already in line 2"),
        ("无\tabsent\n", r"mine\.tsv line 1: the first line must name the columns"),
    ],
)
def test_a_table_that_cannot_be_used_changes_nothing(nlp, tmp_path, content, says):
    table = tmp_path / "mine.tsv"
    table.write_text(content, encoding="utf8")
    pipe = nlp.get_pipe("medflat_context")
    with pytest.raises(TableError, match=says):
        pipe.add(table)
    assert pipe.table == shipped_cues()


def test_saved_and_loaded(nlp, tmp_path):
    pipe = nlp.get_pipe("medflat_context")
    pipe.add([Cue("未测得", "absent", "after", "list", "!dru")])
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    assert loaded.get_pipe("medflat_context").table == pipe.table
    assert (
        spacy.blank("zh", config=nlp.config).from_bytes(nlp.to_bytes()).get_pipe("medflat_context").table == pipe.table
    )
    empty = ContextDetector(nlp.vocab).from_disk(tmp_path / "medflat_context", exclude=["table"])
    assert empty.table == shipped_cues()
    (tmp_path / "medflat_context" / "cues.tsv").write_text("cue\tcategory\n无\tnot\n", encoding="utf8")
    with pytest.raises(TableError, match=r"cues\.tsv line 2: unknown category"):
        pipe.from_disk(tmp_path / "medflat_context")
    assert pipe.table[-1].cue == "未测得"


def test_in_other_processes(nlp):
    docs = [with_spans(nlp.make_doc(NOTE), SPANS) for _ in range(3)]
    expected = said(nlp(with_spans(nlp.make_doc(NOTE), SPANS)))
    assert [said(doc) for doc in nlp.pipe(docs, n_process=2, batch_size=1)] == [expected] * 3


def test_annotated_docs_are_read_without_a_pipeline(nlp):
    doc = nlp(with_spans(nlp.make_doc(NOTE), SPANS))
    docs = DocBin(docs=[doc], store_user_data=True).to_bytes()
    (read,) = DocBin().from_bytes(docs).get_docs(spacy.blank("zh").vocab)
    assert said(read) == said(doc)
    assert all(span._.assertion in VALUES["assertion"] for span in read.spans["sc"])


def test_again_on_other_spans(nlp):
    doc = nlp(with_spans(nlp.make_doc("无发热。"), [(1, 3, "sym")]))
    doc = nlp(with_spans(doc, [(1, 3, "dis")]))
    assert said(doc) == [("发热", "absent", "patient", "current")]
