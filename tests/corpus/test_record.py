from spacy_medflat.corpus.record import Entity, Problem, describe
from spacy_medflat.errors import clipped


def test_surface_takes_no_part_in_comparison():
    assert Entity(0, 2, "bod", "右肺") == Entity(0, 2, "bod")
    assert len({Entity(0, 2, "bod", "右肺"), Entity(0, 2, "bod")}) == 1


def test_raw_offsets_are_allowed():
    assert Entity(5, 3, "bod").end == 3
    assert describe(Entity(-2, 99, "bod"), "右肺") == "'bod' -2-99 '右肺'"
    assert describe(Entity(-2, -1, "bod"), "右肺") == "'bod' -2--1 ''"


def test_messages_stay_on_one_line():
    assert clipped("右\n肺") == "'右\\n肺'"
    assert len(clipped("肺" * 500)) == 60
    assert str(Problem("crossing", "a.json record 1", "x")) == "a.json record 1: crossing: x"
