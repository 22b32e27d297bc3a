import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.adapt.sure_spans import Choice, Quota, Scored, choose, make_quota, merge

BOTH = [frozenset({"bod", "dis"})] * 2


def scored(*rows):
    return [Scored(start, end, label, score, score) for start, end, label, score in rows]


def test_the_mean_counts_a_span_that_one_did_not_find_as_0():
    one, two = {(0, 2, "bod"): 0.9, (0, 4, "dis"): 0.5}, {(0, 2, "bod"): 0.7}
    assert merge([one, two], BOTH, "mean") == scored((0, 4, "dis", 0.25), (0, 2, "bod", 0.8))
    assert merge([one, two], BOTH, "all") == [Scored(0, 4, "dis", 0.0, 0.5), Scored(0, 2, "bod", 0.7, 0.9)]


@pytest.mark.parametrize("agree", ["mean", "all"])
def test_a_pipeline_has_no_say_about_a_label_that_it_does_not_know(agree):
    labels = [frozenset({"bod"}), frozenset({"bod", "dis"})]
    assert merge([{}, {(0, 2, "dis"): 0.9}], labels, agree) == scored((0, 2, "dis", 0.9))
    assert merge([{(0, 2, "dis"): 0.9}], labels[1:], agree) == scored((0, 2, "dis", 0.9))


def test_equal_scores_have_this_score_as_their_mean():
    for score in (0.1, 0.9, 0.3333):
        (span,) = merge([{(0, 1, "bod"): score}] * 3, BOTH[:1] * 3, "mean")
        assert span.low == score


def test_sure_unknown_and_none():
    spans = scored((0, 1, "a", 0.9), (1, 2, "a", 0.8999), (2, 3, "a", 0.1), (3, 4, "a", 0.0999))
    spans.append(Scored(4, 5, "a", 0.0, 0.95))
    choice = choose(spans, 0.9, 0.1)
    assert [span.start for span in choice.sure] == [0]
    assert [span.start for span in choice.unknown] == [1, 2, 4]


def test_what_cannot_stand_beside_a_better_one_is_unknown():
    spans = scored((0, 4, "a", 0.95), (0, 2, "b", 0.92), (3, 6, "a", 0.99), (7, 8, "a", 1.0), (7, 8, "b", 1.0))
    expected = {"all": [], "nested": [(0, 4)], "flat": [(0, 4), (7, 8)]}
    for nesting, lost in expected.items():
        choice = choose(spans, 0.9, 0.1, nesting)
        assert [span[:2] for span in choice.unknown] == lost
        assert sorted([*choice.sure, *choice.unknown]) == sorted(spans)


@given(
    rows=st.lists(
        st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from([0.9, 0.95, 1.0])), max_size=4), max_size=8
    ),
    most=st.none() | st.integers(1, 6),
    share=st.none() | st.floats(0, 1),
)
def test_a_quota_takes_the_best(rows, most, share):
    choices = [Choice(scored(*((i, i + 1, *row) for i, row in enumerate(text))), []) for text in rows]
    quota = make_quota(choices, most, share)
    after = [quota.apply(choice) for choice in choices]
    for label in "ab":
        before = [span.low for choice in choices for span in choice.sure if span.label == label]
        taken = [span.low for choice in after for span in choice.sure if span.label == label]
        limits = [len(before)]
        limits += [most] if most is not None else []
        limits += [max(1, int(share * len(before)))] if share is not None else []
        assert len(taken) == min(limits)
        assert sorted(taken) == sorted(before)[len(before) - len(taken) :]
    for old, new in zip(choices, after, strict=True):
        assert sorted([*new.sure, *new.unknown]) == sorted(old.sure)


def test_without_limits_a_quota_lets_all_pass():
    choice = Choice(scored((0, 1, "a", 0.9)), scored((0, 2, "b", 0.5)))
    assert Quota({}).apply(choice) == choice
