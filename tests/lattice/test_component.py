import logging
import pickle

import pytest
import spacy
from hypothesis import given
from spacy.training import Example

from spacy_medflat.errors import LexiconError
from spacy_medflat.lattice.component import Lattice
from spacy_medflat.lattice.lexicon import Lexicon
from spacy_medflat.lattice.lexicon_words import LexiconWords
from spacy_medflat.lattice.rules import WordRules

from ..corpus.helpers import write
from ..corpus.strategies import texts
from .helpers import LEXICON, PLACES, TEXT, add_lattice, spans

TYPED = {"右肺": "bod", "右肺上叶": "bod", "腺癌": "dis", "上叶腺癌": "", "咳嗽": "sym|dis"}
NOTES = ["右肺上叶腺癌", "", "  咳嗽 咳痰", "无殊", "右 肺\n右肺"]
UNION = {"@misc": "spacy_medflat.UnionWords.v1", "sources": {"lexicon": LEXICON, "ward": LEXICON}}


@pytest.fixture
def nlp():
    nlp = spacy.blank("zh")
    add_lattice(nlp).add_words(TYPED)
    return nlp


def test_the_printed_example():
    nlp = spacy.blank("zh")
    add_lattice(nlp).add_words([word for word, *_ in PLACES])
    assert spans(nlp(TEXT)) == PLACES


def test_spans(nlp):
    doc = nlp(NOTES[0])
    assert [(s.start, s.end, s.label_, s.id_) for s in doc.spans["lattice"]] == [
        (0, 4, "bod", "lexicon"),
        (0, 2, "bod", "lexicon"),
        (2, 6, "", "lexicon"),
        (4, 6, "dis", "lexicon"),
    ]
    assert doc.spans["lattice"].name == "lattice"


def test_a_single_space_is_no_token(nlp):
    doc = nlp(NOTES[2])
    assert spans(doc) == [("咳嗽", 2, 4)] and doc.spans["lattice"][0].label_ == "dis|sym"
    assert spans(nlp(NOTES[4])) == [("右肺", 4, 6)]


def test_the_group_is_always_written(nlp):
    assert all(spans(doc) == [] and "lattice" in doc.spans for doc in (nlp(""), nlp("无殊")))
    empty = spacy.blank("zh")
    add_lattice(empty)
    assert spans(empty("右肺")) == []


def test_another_key():
    nlp = spacy.blank("zh")
    add_lattice(nlp, spans_key="words").add_words(TYPED)
    assert list(nlp("右肺").spans) == ["words"]


def labelled(doc):
    return [(span.start, span.end, span.label_, span.id_) for span in doc.spans["lattice"]]


@pytest.mark.parametrize("settings", [{}, {"n_process": 2}, {"batch_size": 1}])
def test_pipe_is_like_one_by_one(nlp, settings):
    docs = list(nlp.pipe(NOTES * 3, **settings))
    assert [labelled(doc) for doc in docs] == [labelled(nlp(text)) for text in NOTES] * 3
    assert docs[0].spans["lattice"][0].id_ == "lexicon"


@given(texts)
def test_offsets_in_any_text(text):
    nlp = spacy.blank("zh")
    words = LexiconWords(WordRules(1, 3, chinese_only=False))
    words.lexicon = Lexicon(w for i in range(len(text)) if (w := text[i : i + 2]).isprintable() and w == w.strip())
    doc = Lattice(nlp.vocab, words)(nlp.make_doc(text))
    assert all(span.text == text[span.start_char : span.end_char] in words.lexicon for span in doc.spans["lattice"])
    starts = [(span.start, -span.end) for span in doc.spans["lattice"]]
    assert starts == sorted(set(starts))


def test_sources_together():
    nlp = spacy.blank("zh")
    lattice = add_lattice(nlp, words=UNION)
    lattice.add_words({"右肺": "bod"})
    lattice.words.sources["ward"].add_words({"右肺": "", "腺癌": "dis"})
    doc = nlp(NOTES[0])
    assert [(s.text, s.label_, s.id_) for s in doc.spans["lattice"]] == [
        ("右肺", "bod", "lexicon+ward"),
        ("腺癌", "dis", "ward"),
    ]


# Initializing


def examples(nlp):
    return [Example(nlp.make_doc(text), nlp.make_doc(text)) for text in NOTES]


def initialize(nlp, caplog):
    logger = logging.getLogger("spacy")
    logger.addHandler(caplog.handler)
    try:
        with caplog.at_level(logging.INFO, logger="spacy"):
            nlp.initialize(lambda: examples(nlp))
    finally:
        logger.removeHandler(caplog.handler)
    return caplog.text


def test_initialize_reads_the_words_and_counts_them(tmp_path, caplog):
    path = write(tmp_path / "words.txt", "右肺\n上叶\n咳嗽\n")
    nlp = spacy.blank("zh")
    config = {**UNION, "sources": {"lexicon": {**LEXICON, "path": str(path)}, "ward": LEXICON}}
    add_lattice(nlp, words=config).words.sources["ward"].add_words(["咳嗽"])
    log = initialize(nlp, caplog)
    assert "lexicon: 3 words, 3 used" in log
    # Four words in all texts, one of them from both sources.
    n_characters = sum(map(len, NOTES))
    assert f"lattice: {4 / n_characters:.2f} words a character (lexicon 75%, lexicon+ward 25%, ward 0%)" in log


def test_no_word_in_the_data(caplog):
    nlp = spacy.blank("zh")
    add_lattice(nlp).add_words(["阿司匹林"])
    assert "none of the words is in the" in initialize(nlp, caplog)


def test_an_empty_lexicon_is_an_error(nlp):
    empty = spacy.blank("zh")
    add_lattice(empty)
    with pytest.raises(LexiconError, match="is empty: set its path"):
        empty.initialize(lambda: examples(empty))


# Changing and saving


def test_words_of_a_loaded_pipeline_change(nlp, tmp_path):
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    lattice = loaded.get_pipe("lattice")
    lattice.add_words({"咳痰": "sym"})
    assert lattice.remove_words(["右肺上叶", "上叶腺癌", "没有"]) == 2
    assert [spans(doc) for doc in loaded.pipe(NOTES[:3])] == [
        [("右肺", 0, 2), ("腺癌", 4, 6)],
        [],
        [("咳嗽", 2, 4), ("咳痰", 5, 7)],
    ]
    lattice.words.lexicon = Lexicon(["叶腺"])
    assert spans(loaded(NOTES[0])) == [("叶腺", 3, 5)]
    loaded.to_disk(tmp_path)
    assert spans(spacy.load(tmp_path)(NOTES[0])) == [("叶腺", 3, 5)]


def test_a_saved_pipeline_needs_no_file(tmp_path):
    path = write(tmp_path / "words.txt", "右肺\n腺癌\n")
    nlp = spacy.blank("zh")
    add_lattice(nlp, words={**LEXICON, "path": str(path)})
    nlp.initialize(lambda: examples(nlp))
    nlp.to_disk(tmp_path / "nlp")
    path.unlink()
    loaded = spacy.load(tmp_path / "nlp")
    again = spacy.blank("zh").from_config(nlp.config).from_bytes(nlp.to_bytes())
    assert spans(loaded(NOTES[0])) == spans(again(NOTES[0])) == spans(nlp(NOTES[0])) == [("右肺", 0, 2), ("腺癌", 4, 6)]
    assert loaded.config["components"] == nlp.config["components"]


def test_exclude(nlp, tmp_path):
    lattice = nlp.get_pipe("lattice")
    lattice.to_disk(tmp_path / "pipe", exclude=["words"])
    assert [path.name for path in (tmp_path / "pipe").iterdir()] == ["cfg"]
    again = Lattice(nlp.vocab, LexiconWords()).from_disk(tmp_path / "pipe", exclude=["words"])
    assert len(again.words.lexicon) == 0
    again.from_bytes(lattice.to_bytes(), exclude=["cfg"])
    assert again.words.lexicon == lattice.words.lexicon


def test_pickled_for_other_processes(nlp):
    again = pickle.loads(pickle.dumps(nlp.get_pipe("lattice")))
    assert spans(again(nlp.make_doc(NOTES[0]))) == spans(nlp(NOTES[0]))


def test_a_sourced_lattice(nlp):
    other = spacy.blank("zh")
    other.add_pipe("lattice", source=nlp, name="words")
    assert spans(other(NOTES[0])) == spans(nlp(NOTES[0]))


# Errors


class Faulty(LexiconWords):
    def find(self, texts):
        if any("癌" in text for text in texts):
            raise ValueError("no")
        return super().find(texts)


def test_one_bad_doc_does_not_sink_its_batch(nlp):
    nlp.get_pipe("lattice").words = faulty = Faulty()
    faulty.add_words(TYPED)
    with pytest.raises(ValueError, match="no"):
        list(nlp.pipe(NOTES))
    bad = []
    nlp.set_error_handler(lambda name, pipe, docs, error: bad.extend(doc.text for doc in docs))
    assert [doc.text for doc in nlp.pipe(NOTES)] == NOTES[1:]
    assert bad == [NOTES[0]]


def test_adding_words_where_there_is_no_lexicon():
    nlp = spacy.blank("zh")
    lattice = add_lattice(nlp, words={"@misc": "spacy_medflat.SegmenterWords.v1"})
    with pytest.raises(ValueError, match="come from 'segmenter', which has no lexicon"):
        lattice.add_words(["肺癌"])


def test_words_that_are_parts_of_tokens_are_left_out(nlp):
    pytest.importorskip("jieba")
    other = spacy.blank("zh", config={"nlp": {"tokenizer": {"segmenter": "jieba"}}})
    add_lattice(other).add_words(TYPED)
    doc = other("右肺上叶腺癌")
    assert all((s.start_char, s.end_char) in {(0, 2), (0, 4), (2, 6), (4, 6)} for s in doc.spans["lattice"])
