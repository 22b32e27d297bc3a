from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.selection.choose import Scored, choose
from spacy_medflat.selection.duplicates import NearDuplicates

from .notes import documents


def scored(values, texts=None):
    texts = texts or [note.text for note in documents(len(values))]
    return [Scored(text, value) for text, value in zip(texts, values, strict=True)]


def test_the_choice_is_spread_over_kinds():
    # The first kind is the most unsure one by far.
    texts = scored([10.0 if i % 3 == 0 else 1.0 + i / 1000 for i in range(60)])
    top = choose(texts, 6, 0, NearDuplicates(), spread=False).chosen
    assert {i % 3 for i in top} == {0}
    spread = Counter(i % 3 for i in choose(texts, 6, 0, NearDuplicates()).chosen)
    assert set(spread) == {0, 1, 2}


def test_of_a_kind_the_unsure_ones_are_chosen():
    texts = scored([float(i // 3 >= 10) + 0.01 for i in range(60)])
    assert all(i // 3 >= 10 for i in choose(texts, 6, 0, NearDuplicates()).chosen)


def test_near_duplicates_are_left_out_for_the_most_unsure_one():
    text = documents(1)[0].text
    texts = [f"{text}{i}" for i in range(50)]
    others = [note.text for note in documents(5, seed=1)]
    choice = choose(scored([*range(50), *[0.1] * 5], [*texts, *others]), 10, 0, NearDuplicates())
    assert choice.chosen[0] == 49 and sorted(choice.chosen) == [49, 50, 51, 52, 53, 54]
    assert sorted(choice.near_duplicates) == list(range(49))


def test_nothing_like_a_labelled_text_is_chosen():
    notes = [note.text for note in documents(8)]
    choice = choose(scored([1.0] * 8), 8, 0, NearDuplicates([f"{notes[3]}。", notes[5]]))
    assert sorted(choice.chosen) == [0, 1, 2, 4, 6, 7] and sorted(choice.near_duplicates) == [3, 5]


@given(st.lists(st.sampled_from([0.0, 0.5, 1.0]), max_size=30), st.integers(1, 12), st.integers(0, 2), st.booleans())
def test_as_many_as_there_are_each_once_and_the_same_again(values, count, seed, spread):
    texts = scored(values)
    first = choose(texts, count, seed, NearDuplicates(), spread)
    assert len(first.chosen) == len(set(first.chosen)) == min(count, len(values))
    assert choose(texts, count, seed, NearDuplicates(), spread) == first


def test_fewer_kinds_than_wanted_are_filled_with_the_most_unsure():
    # Without common n-grams the vectors of the same text would be one direction; two letters differ here.
    texts = scored([float(i) for i in range(40)])
    assert len(set(choose(texts, 20, 0, NearDuplicates()).chosen)) == 20
