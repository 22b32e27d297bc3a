from hypothesis import given

from spacy_medflat.corpus.record import Entity
from spacy_medflat.experiments.breakdowns import by_length, by_nesting, by_seen, by_type, split_counts

from .helpers import TEXT, corpora, span_sets

GOLD = {Entity(0, 6, "dis"), Entity(0, 4, "bod"), Entity(0, 2, "bod"), Entity(8, 10, "sym"), Entity(8, 10, "dis")}
FOUND = {Entity(0, 6, "dis"), Entity(8, 10, "sym"), Entity(0, 3, "bod")}


def counts(classes):
    found = split_counts([TEXT], [GOLD], [FOUND], classes)
    return {name: row.tolist() for name, row in found.items()}


def test_by_type():
    assert counts(by_type) == {"bod": [0, 1, 0, 2], "dis": [1, 1, 1, 2], "sym": [1, 1, 1, 1]}


def test_by_nesting():
    assert by_nesting(TEXT, GOLD) == {
        Entity(0, 6, "dis"): "1, outermost",
        Entity(0, 4, "bod"): "2",
        Entity(0, 2, "bod"): "3",
        Entity(8, 10, "sym"): "1, alone",
        Entity(8, 10, "dis"): "1, alone",
    }
    assert counts(by_nesting) == {
        "1, alone": [1, 1, 1, 2],
        "1, outermost": [1, 1, 1, 1],
        "2": [0, 1, 0, 1],
        "3": [0, 0, 0, 1],
    }


@given(span_sets)
def test_depth_matches_the_longest_chain(spans):
    def inside(a, b):
        return (a.start, a.end) != (b.start, b.end) and b.start <= a.start and a.end <= b.end

    def depth(span):
        return 1 + max((depth(other) for other in spans if inside(span, other)), default=0)

    for span, name in by_nesting(TEXT, spans).items():
        holds = any(inside(other, span) for other in spans)
        expected = str(depth(span)) if depth(span) > 1 else "1, outermost" if holds else "1, alone"
        assert name == expected


def test_by_length():
    lengths = {1: "1–2", 2: "1–2", 3: "3–4", 4: "3–4", 5: "5–8", 8: "5–8", 9: "9–16", 32: "17–32", 33: "33+", 99: "33+"}
    spans = {Entity(0, length, "x"): name for length, name in lengths.items()}
    found = by_length("", spans)
    assert {span: name.strip() for span, name in found.items()} == spans
    assert [name.strip() for name in sorted(set(found.values()))] == ["1–2", "3–4", "5–8", "9–16", "17–32", "33+"]


def test_by_seen():
    seen = by_seen({("右肺上叶腺癌", "dis"), ("咳嗽", "sym"), ("右肺上叶", "dis")})
    assert counts(seen) == {"seen": [2, 2, 2, 2], "unseen": [0, 1, 0, 3]}


@given(corpora)
def test_every_span_is_in_one_class(texts):
    gold, found = zip(*texts, strict=True)
    for classes in (by_type, by_nesting, by_length, by_seen({("右肺", "bod")})):
        rows = split_counts([TEXT] * len(texts), gold, found, classes).values()
        right = sum(len(g & f) for g, f in texts)
        totals = [sum(int(row[i]) for row in rows) for i in range(4)]
        assert totals == [right, sum(map(len, found)), right, sum(map(len, gold))]
