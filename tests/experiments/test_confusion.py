from collections import Counter

from hypothesis import given

from spacy_medflat.corpus.record import Entity
from spacy_medflat.experiments.confusion import ERROR_KINDS, NOTHING, error_kinds, kind_of, type_confusion

from .helpers import corpora


def test_kinds():
    gold = [Entity(0, 4, "bod"), Entity(0, 6, "dis"), Entity(8, 10, "sym")]
    assert kind_of(Entity(0, 4, "dis"), gold) == "type"
    assert kind_of(Entity(0, 5, "bod"), gold) == "boundary"
    assert kind_of(Entity(8, 9, "dru"), gold) == "both"
    assert kind_of(Entity(6, 8, "sym"), gold) == "alone"
    assert kind_of(Entity(0, 4, "dis"), []) == "alone"


def test_right_spans_take_no_part():
    right = Entity(0, 6, "dis")
    wrong, lost = error_kinds([{right, Entity(7, 9, "sym")}], [{right, Entity(0, 4, "dis")}])
    assert wrong == {"alone": 1} and lost == {"alone": 1}


def test_both_sides_are_counted():
    wrong, lost = error_kinds([{Entity(0, 6, "dis")}], [{Entity(0, 4, "dis"), Entity(3, 6, "dis")}])
    assert wrong == {"boundary": 2} and lost == {"boundary": 1}


def naive(span, others):
    characters = set(range(span.start, span.end))
    touching = [o for o in others if characters & set(range(o.start, o.end))]
    if any(o.start == span.start and o.end == span.end and o.label != span.label for o in others):
        return "type"
    if [o for o in touching if o.label == span.label]:
        return "boundary"
    return "both" if touching else "alone"


@given(corpora)
def test_kinds_match_naive_code(texts):
    gold, found = zip(*texts, strict=True)
    wrong, lost = error_kinds(gold, found)
    assert wrong == Counter(naive(s, g - f) for g, f in texts for s in f - g)
    assert lost == Counter(naive(s, f - g) for g, f in texts for s in g - f)
    assert set(wrong) | set(lost) <= set(ERROR_KINDS)


def test_confusion():
    gold = [{Entity(0, 2, "dis"), Entity(0, 2, "sym"), Entity(3, 4, "bod"), Entity(5, 6, "dru")}]
    found = [{Entity(0, 2, "dis"), Entity(0, 2, "pro"), Entity(3, 5, "bod")}]
    assert type_confusion(gold, found) == {
        ("dis", "dis"): 1,
        ("sym", "pro"): 1,
        ("bod", NOTHING): 1,
        ("dru", NOTHING): 1,
        (NOTHING, "bod"): 1,
    }


@given(corpora)
def test_confusion_counts_every_span_once(texts):
    gold, found = zip(*texts, strict=True)
    pairs = type_confusion(gold, found)
    for side, spans in enumerate((gold, found)):
        totals = Counter()
        for pair, count in pairs.items():
            totals[pair[side]] += count
        del totals[NOTHING]
        assert totals == Counter(span.label for some in spans for span in some)
    right = sum(len(g & f) for g, f in texts)
    assert sum(count for (a, b), count in pairs.items() if a == b) == right and pairs[NOTHING, NOTHING] == 0
