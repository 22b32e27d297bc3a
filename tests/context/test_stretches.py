from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.context.stretches import Stretch, Stretches

PLACES = st.tuples(st.integers(0, 12), st.integers(1, 6)).map(lambda place: Stretch(place[0], sum(place)))


@given(st.lists(PLACES, max_size=6), PLACES)
def test_as_by_looking_at_each(places, place):
    found = Stretches(places)
    assert found.hold(place) == any(one.start <= place.start and place.end <= one.end for one in places)
    assert found.cross(place) == any(
        one.start < place.start < one.end < place.end or place.start < one.start < place.end < one.end for one in places
    )


def test_where_stretches_begin_and_end():
    stretches = Stretches([Stretch(2, 4), Stretch(2, 6), Stretch(8, 9)])
    assert [place for place in range(11) if stretches.begin_at(place)] == [2, 8]
    assert [place for place in range(11) if stretches.end_at(place)] == [4, 6, 9]
    assert not Stretches([]).begin_at(0) and not Stretches([]).end_at(0)
