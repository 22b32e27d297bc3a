import gc
import pickle
import weakref

import numpy as np
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from spacy_medflat.ensemble.build import make_ensemble
from spacy_medflat.ensemble.component import combine
from spacy_medflat.errors import EnsembleError
from spacy_medflat.ner.spans import Candidates, logit

from ..pipelines import KEY, SENTENCES, make_examples, spans_of, transformer_pipeline, write_recipe
from .helpers import small_pipeline

TEXTS = [*(text for text, _ in SENTENCES), "", "左肺下叶结节术后，服阿司匹林"]


@pytest.fixture(scope="module")
def members():
    return [small_pipeline(seed) for seed in range(3)]


def all_scores(nlp, text):
    """The probability of every span of a text."""
    recognizer = nlp.get_pipe("medflat_ner")
    (found,) = recognizer.candidates([nlp.make_doc(text)], [0.0] * len(recognizer.labels))
    spans = zip(*(column.tolist() for column in found[:3]), strict=True)
    return {
        (start, end, recognizer.labels[label]): score
        for (start, end, label), score in zip(spans, found.score.tolist(), strict=True)
    }


def scored(doc):
    spans = [(span.start, span.end, span.label_) for span in doc.spans[KEY]]
    return dict(zip(spans, doc.spans[KEY].attrs["scores"].tolist(), strict=True))


def assert_same(doc, other):
    assert spans_of(doc) == spans_of(other)
    assert_array_equal(doc.spans[KEY].attrs["scores"], other.spans[KEY].attrs["scores"])


def mean_above_the_floor(tables):
    """What each member gives a span; one that is not among the best of its start counts as 0."""
    given = {span: [table.get(span, 0.0) for table in tables] for span in set().union(*tables)}
    return {span: np.mean([score if score > 0.01 else 0.0 for score in scores]) for span, scores in given.items()}


@pytest.mark.parametrize("threshold", [0.05, 0.3, 0.5])
def test_average_is_the_mean_of_the_probabilities_above_the_floor(members, threshold):
    ensemble = make_ensemble(members, threshold=threshold)
    found_any = False
    for text in filter(None, TEXTS):
        tables = [all_scores(nlp, text) for nlp in members]
        means = mean_above_the_floor(tables)
        expected = {span: mean for span, mean in means.items() if mean > threshold}
        found = scored(ensemble(text))
        assert found.keys() == expected.keys()
        assert_allclose([found[span] for span in expected], list(expected.values()), rtol=1e-5)
        found_any |= bool(found)
    assert found_any


@pytest.mark.parametrize(("threshold", "needed"), [(None, 2), (0.0, 1), (0.7, 3)])
def test_a_vote_counts_the_members_that_write_a_span(members, threshold, needed):
    for nlp, own in zip(members, (0.2, 0.5, 0.9), strict=True):
        nlp.get_pipe("medflat_ner").cfg["threshold"] = own
    try:
        ensemble = make_ensemble(members, mode="vote", threshold=threshold)
        for text in TEXTS:
            written = [set(scored(nlp(text))) for nlp in members]
            votes = {span: sum(span in spans for spans in written) for span in set.union(*written)}
            found = scored(ensemble(text))
            assert found == pytest.approx({span: count / 3 for span, count in votes.items() if count >= needed})
    finally:
        for nlp in members:
            nlp.get_pipe("medflat_ner").cfg["threshold"] = 0.5


@pytest.mark.parametrize("mode", ["average", "vote"])
@pytest.mark.parametrize("nesting", ["all", "flat"])
def test_three_times_the_same_pipeline_finds_what_it_finds(mode, nesting):
    nlp = small_pipeline(0, threshold=0.3, label_thresholds={"sym": 0.6}, nesting=nesting, set_ents=True)
    ensemble = make_ensemble([nlp] * 3, mode=mode)
    for text in TEXTS:
        ours, theirs = ensemble(text), nlp(text)
        assert spans_of(ours) == spans_of(theirs)
        if mode == "average":
            assert_allclose(ours.spans[KEY].attrs["scores"], theirs.spans[KEY].attrs["scores"], rtol=1e-6)
            assert [(ent.text, ent.label_) for ent in ours.ents] == [(ent.text, ent.label_) for ent in theirs.ents]


def test_a_share_of_votes_that_equals_the_threshold_does_not_pass(members):
    made = make_ensemble([members[0]] * 5, mode="vote")
    # Loaded, each member is a pipeline of its own.
    ensemble = spacy.blank("zh").from_config(made.config).from_bytes(made.to_bytes())
    component = ensemble.get_pipe("medflat_ensemble")
    for threshold, votes in ((0.2, 1), (0.4, 2), (0.6, 3), (0.8, 4)):
        component.cfg["threshold"] = threshold
        for i, member in enumerate(component.members):
            member.recognizer.cfg["threshold"] = 0.0 if i < votes else 1.0
        assert not scored(ensemble("右肺上叶腺癌术后"))
        component.cfg["threshold"] = threshold - 0.1
        assert scored(ensemble("右肺上叶腺癌术后"))


@pytest.mark.parametrize("mode", ["average", "vote"])
def test_members_have_no_say_about_labels_they_do_not_know(mode):
    everything, bodies = small_pipeline(0), small_pipeline(1, labels=("bod",))
    ensemble = make_ensemble([bodies, everything], mode=mode)
    assert ensemble.get_pipe("medflat_ensemble").labels == ("bod", "dis", "pro", "sym", "dru")
    for text in TEXTS:
        alone, together = scored(everything(text)), scored(ensemble(text))
        assert {s for s in together if s[2] != "bod"} == {s for s in alone if s[2] != "bod"}
        for span, score in together.items():
            if span[2] != "bod":
                assert score == pytest.approx(alone[span] if mode == "average" else 1.0)


def test_thresholds_are_the_means_of_the_members():
    first = small_pipeline(0, steps=0, threshold=0.4)
    second = small_pipeline(1, steps=0, threshold=0.2, label_thresholds={"bod": 0.8}, labels=("bod", "dis"))
    ensemble = make_ensemble([first, second]).get_pipe("medflat_ensemble")
    assert {label: ensemble.threshold_of(label) for label in ensemble.labels} == pytest.approx(
        {"bod": 0.6, "dis": 0.3, "pro": 0.4, "sym": 0.4, "dru": 0.4}
    )
    vote = make_ensemble([first, second], mode="vote").get_pipe("medflat_ensemble")
    assert {vote.threshold_of(label) for label in vote.labels} == {0.5}


def test_pipe_equals_one_by_one_in_two_processes_too(members):
    ensemble = make_ensemble(members)
    alone = [ensemble(text) for text in TEXTS]
    for n_process in (1, 2):
        together = list(ensemble.pipe(TEXTS, batch_size=3, n_process=n_process))
        for doc, other in zip(alone, together, strict=True):
            assert spans_of(doc) == spans_of(other)
            assert_allclose(doc.spans[KEY].attrs["scores"], other.spans[KEY].attrs["scores"], atol=1e-5)


@pytest.mark.parametrize("mode", ["average", "vote"])
def test_disk_and_bytes_round_trips(members, mode, tmp_path):
    ensemble = make_ensemble(members, mode=mode, threshold=0.4)
    for _ in range(2):
        ensemble.to_disk(tmp_path / "ensemble")
    from_bytes = spacy.blank("zh").from_config(ensemble.config).from_bytes(ensemble.to_bytes())
    for loaded in (spacy.load(tmp_path / "ensemble"), from_bytes, pickle.loads(pickle.dumps(ensemble))):
        assert loaded.get_pipe("medflat_ensemble").cfg == ensemble.get_pipe("medflat_ensemble").cfg
        for text in TEXTS:
            assert_same(loaded(text), ensemble(text))
    weights = tmp_path / "ensemble" / "medflat_ensemble" / "members" / "3" / "medflat_ner" / "model"
    assert b"pair.weight" in weights.read_bytes()


def test_a_missing_member_leaves_the_component_as_it_was(members, tmp_path):
    make_ensemble(members[:2]).to_disk(tmp_path / "two")
    folder = tmp_path / "two" / "medflat_ensemble"
    (folder / "members" / "2").rename(tmp_path / "elsewhere")
    three = make_ensemble(members, mode="vote").get_pipe("medflat_ensemble")
    before = (three.members, dict(three.cfg))
    with pytest.raises(OSError, match="members"):
        three.from_disk(folder)
    assert (three.members, three.cfg) == before


def test_members_with_an_encoder(tmp_path):
    encoder = write_recipe(tmp_path / "encoder")
    members = []
    for _ in range(2):
        nlp = transformer_pipeline(encoder, threshold=0.0)
        nlp.initialize(lambda nlp=nlp: make_examples(nlp))
        members.append(nlp)
    ensemble = make_ensemble(members)
    ensemble.to_disk(tmp_path / "ensemble")
    loaded = spacy.load(tmp_path / "ensemble")
    text = TEXTS[0]
    tables = [scored(nlp(text)) for nlp in members]
    expected = mean_above_the_floor(tables)
    for nlp in (ensemble, loaded):
        found = scored(nlp(text))
        assert found == pytest.approx({span: mean for span, mean in expected.items() if mean > 0}, rel=1e-4)


def test_nothing_of_the_members_texts_is_kept(members, monkeypatch):
    seen = []
    ensemble = make_ensemble(members)
    for member in ensemble.get_pipe("medflat_ensemble").members:
        make = member.recognizer.candidates

        def remember(docs, thresholds, make=make):
            seen.extend(weakref.ref(doc) for doc in docs)
            return make(docs, thresholds)

        monkeypatch.setattr(member.recognizer, "candidates", remember)
    doc = ensemble(TEXTS[0])
    gc.collect()
    assert len(seen) == 3 and all(ref() is None for ref in seen)
    assert doc.spans[KEY]


def test_the_tokens_are_those_of_the_doc(members):
    ensemble = make_ensemble(members, threshold=0.0)
    words = spacy.tokens.Doc(ensemble.vocab, words=["右肺", "上叶", "腺癌"], spaces=[False, True, False])
    doc = ensemble(words)
    assert doc.text == "右肺上叶 腺癌" and {span.end for span in doc.spans[KEY]} <= {1, 2, 3}


def test_a_bad_document_does_not_sink_the_batch(members, monkeypatch):
    ensemble = make_ensemble(members)
    component = ensemble.get_pipe("medflat_ensemble")
    failed, predict = [], type(component).predict

    def fail_on(self, docs):
        if any("坏" in doc.text for doc in docs):
            raise RuntimeError("bad document")
        return predict(self, docs)

    monkeypatch.setattr(type(component), "predict", fail_on)
    ensemble.set_error_handler(lambda name, proc, docs, error: failed.extend(docs))
    texts = [TEXTS[0], "坏", TEXTS[1]]
    assert [doc.text for doc in ensemble.pipe(texts)] == [texts[0], texts[2]]
    assert [doc.text for doc in failed] == ["坏"]


def test_without_members():
    nlp = spacy.blank("zh")
    nlp.add_pipe("medflat_ensemble")
    with pytest.raises(EnsembleError, match="'medflat_ensemble' has no members"):
        nlp("右肺")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"threshold": 1.5}, "'threshold' of 'medflat_ensemble' must be from 0 to 1, but it is 1.5"),
        ({"floor": -0.1}, "'floor' of 'medflat_ensemble' must be from 0 to 1"),
        ({"label_thresholds": {"dis": 2.0}}, "'dis' of 'medflat_ensemble' must be from 0 to 1"),
    ],
)
def test_settings_out_of_range(config, message):
    with pytest.raises(ValueError, match=message):
        spacy.blank("zh").add_pipe("medflat_ensemble", config=config)


@pytest.mark.parametrize("setting", ["mode", "nesting"])
def test_unknown_choices(setting):
    from spacy_medflat.ensemble.component import Ensemble

    with pytest.raises(ValueError, match=f"{setting} of 'medflat_ensemble' must be one of .*, but it is 'some'"):
        Ensemble(spacy.blank("zh").vocab, **{setting: "some"})


KNOWN = np.array([[True, True], [True, False], [True, True]])
SPANS = st.dictionaries(st.tuples(st.integers(0, 3), st.integers(4, 6), st.integers(0, 1)), st.floats(0, 1, width=32))


@given(st.lists(SPANS, min_size=3, max_size=3))
def test_scores_are_means_over_the_members_that_know_the_label(members):
    members = [
        {span: score for span, score in found.items() if known[span[2]]}
        for found, known in zip(members, KNOWN, strict=True)
    ]
    columns = [np.array(list(found), dtype=np.int64).reshape(-1, 3).T for found in members]
    scores = [np.array(list(found.values()), dtype=np.float32) for found in members]
    combined = combine([Candidates(*c, logit(s)) for c, s in zip(columns, scores, strict=True)], KNOWN)
    every = sorted({span for found in members for span in found}, key=lambda s: (s[0], -s[1], s[2]))
    assert list(zip(*(column.tolist() for column in combined[:3]), strict=True)) == every
    means = [sum(found.get(span, 0.0) for found in members) / (3, 2)[span[2]] for span in every]
    np.testing.assert_allclose(combined.score, means, rtol=1e-6, atol=1e-30)


@given(st.floats(0, 1, width=32))
def test_the_mean_of_equal_scores_is_exactly_that_score(score):
    spans = Candidates(*np.array([[0], [2], [0]]), logit(np.array([score], dtype=np.float32)))
    assert combine([spans] * 3, KNOWN).score.tolist() == [score]
