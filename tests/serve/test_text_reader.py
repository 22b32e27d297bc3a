import pickle
from typing import Any

import pytest
import spacy

from spacy_medflat.errors import MedflatError
from spacy_medflat.linking.rows import CodeRow
from spacy_medflat.serve.messages import TextFailure, TextJob
from spacy_medflat.serve.text_reader import TextReader

from .. import pipelines
from ..scale.archives import save_ruler

TEXT = "患者贫血，右肺上叶结节"
FACTS = ["medflat_sections", "medflat_context", "medflat_values", "medflat_linker"]


def make_pipeline(folder):
    """A pipeline with all that a service can show, hardly trained."""
    nlp = pipelines.lattice_pipeline(folder / "lexicon.tsv", vectors=False)
    pipelines.add_head(nlp, pipelines.CNN)
    pipelines.train(nlp, 15)
    nlp.get_pipe("medflat_ner").cfg.update(threshold=0.3, label_thresholds={"sym": 0.2})
    for name in FACTS:
        nlp.add_pipe(name, config={"labels": ["dis"]} if name == "medflat_linker" else {})
    nlp.get_pipe("medflat_linker").add([CodeRow("D64.9", "贫血")])
    return nlp


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reader")
    make_pipeline(folder).to_disk(folder / "pipeline")
    return folder / "pipeline"


@pytest.fixture
def reader(saved):
    return TextReader(spacy.load(saved), "zh_test")


def places(result, above=None):
    return {
        (entity["start"], entity["end"], entity["label"])
        for entity in result["entities"]
        if above is None or entity["above"] == above
    }


def test_what_is_found_is_what_the_pipeline_finds(reader):
    texts = [*(text for text, _ in pipelines.SENTENCES), "", "a" * 3000, "𠮷\n\t "]
    results = reader.read([TextJob(text) for text in texts])
    for text, result in zip(texts, results, strict=True):
        doc = reader.nlp(text)
        assert places(result) == set(pipelines.spans_of(doc)) and result["text_length"] == len(text)
        assert all(entity["text"] == text[entity["start"] : entity["end"]] for entity in result["entities"])
        assert all(entity["above"] for entity in result["entities"]) and "words" not in result
    assert pickle.loads(pickle.dumps(results)) == results


def test_a_floor_shows_more_and_changes_nothing_of_the_rest(reader):
    texts = [text for text, _ in pipelines.SENTENCES]
    usual = reader.read([TextJob(text) for text in texts])
    more = reader.read([TextJob(text, floor=0.02) for text in texts])
    # In one batch with texts that ask for less, and for more.
    mixed = reader.read([TextJob(texts[0]), TextJob(texts[1], floor=0.02), TextJob(texts[2], floor=0.9)])
    below = 0
    thresholds = dict(reader.describe().labels)
    for plain, with_floor in zip(usual, more, strict=True):
        assert [entity for entity in with_floor["entities"] if entity["above"]] == plain["entities"]
        for entity in with_floor["entities"]:
            assert (entity["score"] >= thresholds[entity["label"]]) == entity["above"]
            assert entity["score"] >= 0.02 and entity["assertion"]
            below += not entity["above"]
    assert below
    assert mixed[0]["entities"] == usual[0]["entities"] and mixed[1]["entities"] == more[1]["entities"]
    assert all(entity["above"] or entity["score"] >= 0.9 for entity in mixed[2]["entities"])


def test_facts_words_and_labels(reader):
    (result,) = reader.read([TextJob("患者无贫血", floor=0.1, words=True)])
    entity = next(e for e in result["entities"] if (e["start"], e["end"], e["label"]) == (3, 5, "dis"))
    assert entity["assertion"] == "absent" and entity["codes"][0]["code"] == "D64.9"
    assert result["words"] == [{"start": 3, "end": 5, "type": "dis|sym", "source": "lexicon"}]
    (only,) = reader.read([TextJob(TEXT, labels=frozenset(["dis"]), floor=0.01)])
    assert {entity["label"] for entity in only["entities"]} == {"dis"}


def test_a_text_that_fails_fails_alone(reader, monkeypatch):
    make_doc = reader.nlp.make_doc
    monkeypatch.setattr(reader.nlp, "make_doc", lambda text: make_doc(text) if "坏" not in text else 1 / 0)
    first, bad, last = reader.read([TextJob(text) for text in (TEXT, "坏" * 5, "无殊")])
    assert isinstance(bad, TextFailure) and "ZeroDivisionError" in bad.reason and "坏" not in bad.reason
    assert first["entities"] and last["text_length"] == 2


def test_words_of_users_are_those_that_were_said_last(reader):
    def words():
        return [(w["type"], w["source"]) for w in reader.read([TextJob("予甲乙丙片", words=True)])[0]["words"]]

    reader.use_words({})
    assert words() == []
    reader.use_words({"甲乙丙片": "dru"})
    assert words() == [("dru", "user")]
    reader.use_words({"甲乙丙": "none", "丙片": ""})
    assert words() == [("none", "user"), ("", "user")]
    reader.use_words({})
    assert words() == []


def test_the_description(reader):
    reader.use_words({"甲": "dru"})
    told = reader.describe()
    assert told.name == "zh_pipeline" and told.facts == ["assertion", "value", "codes", "section"]
    assert dict(told.labels)["sym"] == 0.2 and dict(told.labels)["dis"] == 0.3
    assert ("贫血", "dis|sym") in told.words and told.user_words == {"甲": "dru"} and told.has_lattice
    assert pickle.loads(pickle.dumps(told)) == told


def test_a_pipeline_with_neither_lattice_nor_facts(tmp_path):
    nlp = spacy.blank("zh")
    pipelines.add_head(nlp, pipelines.CNN)
    pipelines.train(nlp, 1)
    reader = TextReader(nlp, "zh_test")
    reader.use_words({"甲": "dru"})
    result: Any = reader.read([TextJob("甲", floor=0.0, words=True)])[0]
    assert result["words"] == [] and result["entities"]
    assert not reader.describe().has_lattice and reader.describe().facts == []


def test_a_pipeline_that_finds_no_nested_spans_is_refused(tmp_path):
    with pytest.raises(MedflatError, match="has no 'medflat_ner' component and no 'medflat_ensemble'"):
        TextReader(spacy.load(save_ruler(tmp_path / "ruler")), "zh_ruler")
