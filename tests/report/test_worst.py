from spacy_medflat.corpus.record import Entity
from spacy_medflat.report.worst import MAX_LENGTH, worst_cases

A, B, C = Entity(0, 1, "x"), Entity(1, 2, "x"), Entity(2, 3, "x")


def test_the_most_errors_first_without_right_and_without_long_texts():
    texts = ["abc", "abc", "abc", "a" * (MAX_LENGTH + 1), "abc"]
    gold = [{A}, {A, B}, {A}, {A, B, C}, set()]
    found = [{A: 0.9}, {C: 0.9}, {B: 0.9}, {}, {A: 0.9, B: 0.9}]
    cases = worst_cases(texts, gold, found)
    assert [(case.index, case.errors) for case in cases] == [(1, 3), (2, 2), (4, 2)]
    assert [case.index for case in worst_cases(texts, gold, found, count=1)] == [1]
