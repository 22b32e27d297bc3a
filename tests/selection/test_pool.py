import random

from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.scale.items import Document, Failure
from spacy_medflat.selection.pool import REASONS, KnownTexts, draw_pool, text_key

from .notes import documents


def document(text, place="notes line 1"):
    return Document(text, {"text": text}, None, place)


def texts_of(pool):
    return [d.text for d in pool.documents]


def test_what_nobody_should_annotate_is_left_out_and_counted():
    items = [
        Failure(None, "a line 1", "not JSON"),
        document("120/80 36.5", "a line 2"),
        document(" \n\x00", "a line 3"),
        document("肺" * 13, "a line 4"),
        document("咳嗽", "a line 5"),
        document("咳 嗽\n", "a line 6"),
        document("贫血", "a line 7"),
        document("发热", "a line 8"),
    ]
    known = [("labelled", KnownTexts(["贫血"])), ("training text", KnownTexts(["发  热"]))]
    pool = draw_pool(items, 10, 0, max_length=12, known=known)
    assert texts_of(pool) == ["咳嗽"] and pool.read == 8
    assert pool.left_out == {
        "unreadable": 1,
        "no letters": 2,
        "too long": 1,
        "repeated": 1,
        "labelled": 1,
        "training text": 1,
    }
    assert set(pool.left_out) <= set(REASONS)
    assert pool.first["unreadable"] == "a line 1: not JSON" and pool.first["no letters"] == "a line 2"


@given(st.integers(1, 30), st.integers(0, 5), st.randoms())
def test_the_draw_is_the_same_in_any_order_of_the_files(size, seed, rng):
    notes = documents(20)
    first = draw_pool(notes, size, seed, 1000)
    shuffled = rng.sample(notes, len(notes))
    assert texts_of(draw_pool(shuffled, size, seed, 1000)) == texts_of(first)
    assert len(first.documents) == min(size, 20) and len(set(texts_of(first))) == min(size, 20)


def test_every_note_has_the_same_chance():
    notes = documents(40)
    drawn = [text for seed in range(300) for text in texts_of(draw_pool(notes, 10, seed, 1000))]
    counts = [drawn.count(note.text) for note in notes]
    assert min(counts) > 45 and max(counts) < 110


def test_duplicates_by_the_thousand_are_held_once():
    notes = [document("咳嗽")] * 5000 + documents(3)
    random.Random(0).shuffle(notes)
    pool = draw_pool(notes, 100, 0, 1000)
    assert len(pool.documents) == 4 and pool.left_out["repeated"] == 4999


def test_keys_ignore_white_space_and_take_any_string():
    assert text_key("右肺\n上叶") == text_key(" 右肺上叶") != text_key("右肺上叶", seed=1)
    assert text_key("\ud83d") != text_key("")
