import logging

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.training import Corpus, Example
from spacy.util import registry

from spacy_medflat.corpus.formats.registry import write_records
from spacy_medflat.corpus.reader import create_cmeee_reader, truncate
from spacy_medflat.corpus.record import Entity, Record
from spacy_medflat.errors import MedflatError
from spacy_medflat.partial_annotation import weight_of

from .helpers import tumour


@pytest.fixture(scope="module")
def nlp():
    return spacy.blank("zh")


@pytest.fixture
def path(tmp_path):
    records = [
        tumour(id="n1"),
        Record(""),
        Record("无异常"),
        Record("肺癌", [Entity(0, 2, "dis"), Entity(1, 1, "x")]),
    ]
    write_records(records, tmp_path / "train.json", "cmeee")
    return tmp_path / "train.json"


def test_examples(path, nlp):
    examples = list(create_cmeee_reader(path)(nlp))
    assert [eg.text for eg in examples] == [tumour().text, "无异常", "肺癌"]
    first = examples[0]
    assert not first.predicted.spans
    assert "medflat" not in first.predicted.user_data
    assert [(s.text, s.label_) for s in first.reference.spans["sc"]] == [
        ("右肺上叶腺癌", "dis"),
        ("右肺上叶", "bod"),
        ("咳嗽", "sym"),
    ]
    assert first.reference.user_data["medflat"]["id"] == "n1"
    assert all("sc" in eg.reference.spans for eg in examples)
    assert len(first.get_aligned_spans_y2x(first.reference.spans["sc"], allow_overlap=True)) == 3


def test_it_can_be_read_again(path, nlp):
    corpus = create_cmeee_reader(path)
    assert len(list(corpus(nlp))) == len(list(corpus(nlp))) == 3


def test_the_config_block_resolves(path, nlp):
    config = {"corpora": {"@readers": "spacy_medflat.CMeEE.v1", "path": str(path), "spans_key": "gold", "limit": 1}}
    (example,) = registry.resolve(config)["corpora"](nlp)
    assert len(example.reference.spans["gold"]) == 3


def test_labels_and_limit(path, nlp):
    examples = list(create_cmeee_reader(path, labels=["bod"], limit=3)(nlp))
    assert [[s.label_ for s in eg.reference.spans["sc"]] for eg in examples] == [["bod"], []]


@pytest.mark.parametrize(("name", "file"), [("jsonl", "a.jsonl"), ("brat", "folder"), ("docbin", "a.spacy")])
def test_other_formats(name, file, tmp_path, nlp):
    write_records([tumour()], tmp_path / file, name)
    for chosen in (None, name):
        (example,) = create_cmeee_reader(tmp_path / file, format=chosen)(nlp)
        assert len(example.reference.spans["sc"]) == 3


def test_the_augmenter_gets_every_example(path, nlp):
    def twice(nlp, example):
        yield example
        yield Example(nlp.make_doc(example.text), example.reference)

    assert len(list(create_cmeee_reader(path, augmenter=twice)(nlp))) == 6


def test_what_is_skipped_is_logged_once_per_read(path, nlp, caplog):
    list(create_cmeee_reader(path)(nlp))
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "empty_or_reversed 1 (train.json record 4)" in record.getMessage()


def test_many_problems_are_logged_with_the_first_places(tmp_path, nlp, caplog):
    bad = [Record(f"肺  {n}", [Entity(0, 2, "x")]) for n in range(5)]
    write_records(bad, tmp_path / "a.json", "cmeee")
    list(create_cmeee_reader(tmp_path / "a.json")(nlp))
    assert "unaligned 5 (a.json record 1, a.json record 2, a.json record 3, …)" in caplog.text


def test_nothing_is_logged_for_a_sound_file(tmp_path, nlp, caplog):
    write_records([tumour()], tmp_path / "a.json", "cmeee")
    list(create_cmeee_reader(tmp_path / "a.json")(nlp))
    assert caplog.records == []


def test_texts_are_cut_and_what_is_lost_is_counted(path, nlp, caplog):
    first, *others = create_cmeee_reader(path, max_length=8)(nlp)
    assert first.predicted.text == first.reference.text == tumour().text[:8]
    assert [s.text for s in first.reference.spans["sc"]] == ["右肺上叶腺癌", "右肺上叶"]
    assert [eg.text for eg in others] == ["无异常", "肺癌"]
    assert "1 of 4 entities lost: they reach beyond the first 8 characters" in caplog.text


def test_strict(path, nlp):
    with pytest.raises(MedflatError, match=r"train.json record 4: empty_or_reversed"):
        list(create_cmeee_reader(path, strict=True)(nlp))


def test_clear_errors(tmp_path, nlp):
    with pytest.raises(MedflatError, match="no corpus path"):
        create_cmeee_reader(None)
    with pytest.raises(MedflatError, match=r"none.json: no such file"):
        list(create_cmeee_reader(tmp_path / "none.json")(nlp))


def test_nothing_to_cut_gives_the_same_record():
    for limit in (0, len(tumour().text), 100):
        record = tumour(id="a")
        assert truncate(record, limit)[0] is record and truncate(record, limit)[1] == 0


@given(st.integers(1, 20))
def test_entities_are_kept_whole_or_counted(limit):
    record, lost = truncate(tumour(id="a", meta={"ward": 3}), limit)
    assert record.text == tumour().text[:limit] and record.id == "a" and record.meta == {"ward": 3}
    assert record.entities == [e for e in tumour().entities if e.end <= limit]
    assert lost + len(record.entities) == len(tumour().entities)


def test_unknown_spans_and_weights_reach_the_reference(nlp, tmp_path):
    record = Record("右肺上叶腺癌", [Entity(0, 4, "bod")], weight=0.5)
    record.unknown = [Entity(0, 6, "dis", score=0.5), Entity(1, 2, "bod", score=0.25)]
    for name in ("jsonl", "docbin"):
        path = tmp_path / f"a.{ {'docbin': 'spacy'}.get(name, name) }"
        write_records([record], path, name)
        (example,) = create_cmeee_reader(path)(nlp)
        assert [(s.start, s.end, s.label_) for s in example.reference.spans["sc_unknown"]] == [
            (0, 6, "dis"),
            (1, 2, "bod"),
        ]
        assert weight_of(example.reference) == 0.5 and weight_of(example.predicted) == 1.0
        (short,) = create_cmeee_reader(path, max_length=4)(nlp)
        assert [(s.start, s.end) for s in short.reference.spans["sc_unknown"]] == [(1, 2)]
    (example,) = Corpus(tmp_path / "a.spacy")(nlp)
    assert weight_of(example.reference) == 0.5 and len(example.reference.spans["sc_unknown"]) == 2
