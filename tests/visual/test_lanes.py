import time

from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.visual.lanes import MAX_LANES, Mark, assign_lanes

TEXT = "右肺上叶腺癌根治术后伴咳嗽，WBC升高"
places = st.tuples(st.integers(0, len(TEXT) - 1), st.integers(0, len(TEXT) - 1))
marks = st.lists(places.map(lambda pair: Mark(min(pair), max(pair) + 1, "dis")), max_size=12)


def test_inner_marks_are_nearer_to_the_text():
    nested = [Mark(0, 6, "dis"), Mark(0, 4, "bod"), Mark(0, 9, "pro"), Mark(11, 13, "sym")]
    assert assign_lanes(TEXT, nested) == [1, 0, 2, 0]


def test_a_long_label_pushes_the_next_mark_away():
    assert assign_lanes(TEXT, [Mark(0, 1, "dis"), Mark(1, 2, "dis")])[0] == 1
    assert assign_lanes(TEXT, [Mark(0, 2, "dis"), Mark(2, 4, "dis")]) == [0, 0]
    assert assign_lanes(TEXT, [Mark(0, 2, "observation"), Mark(2, 4, "dis")]) == [1, 0]


@given(marks)
def test_marks_that_share_characters_have_lanes_of_their_own(given_marks):
    lanes = assign_lanes(TEXT, given_marks)
    for i, (mark, lane) in enumerate(zip(given_marks, lanes, strict=True)):
        for other, beside in list(zip(given_marks, lanes, strict=True))[:i]:
            if lane is not None and beside is not None and mark.start < other.end and other.start < mark.end:
                assert lane != beside
                if mark.start <= other.start and other.end <= mark.end and mark[:2] != other[:2]:
                    assert lane > beside


def test_thousands_of_marks_on_few_characters():
    text = "患" * 31
    every = [Mark(i, j, label) for i in range(31) for j in range(i + 1, 32) for label in "abcdefghi"]
    began = time.perf_counter()
    lanes = assign_lanes(text, every)
    assert time.perf_counter() - began < 5
    drawn = [lane for lane in lanes if lane is not None]
    assert max(drawn) == MAX_LANES - 1 and min(drawn) == 0 and len(drawn) < len(every)
