import pytest
import spacy

from spacy_medflat.corpus.check import check_records
from spacy_medflat.corpus.docs import record_to_doc
from spacy_medflat.corpus.formats.registry import read_records
from spacy_medflat.corpus.kinds import BROKEN, KINDS
from spacy_medflat.corpus.record import Entity, Problem, Record
from spacy_medflat.errors import MedflatError

from .helpers import kinds, tumour


def check(*records, **options):
    clean, report = check_records(records, **options)
    clean = list(clean)
    assert set(report.problems) <= set(KINDS)
    return clean, {kind: [(p.place, p.detail) for p in found] for kind, found in report.problems.items()}


SOUND = Entity(0, 2, "dis")
BAD_ENTITIES = [
    ("empty_or_reversed", Entity(1, 1, "dis"), "'dis' 1-1 ''"),
    ("empty_or_reversed", Entity(2, 1, "dis"), "'dis' 2-1 ''"),
    ("out_of_text", Entity(-1, 1, "dis"), "'dis' -1-1 '肺'"),
    ("out_of_text", Entity(1, 4, "dis"), "'dis' 1-4 '癌。'"),
    ("out_of_text", Entity(3, 4, "dis"), "'dis' 3-4 ''"),
    ("repeated_entity", SOUND, "'dis' 0-2 '肺癌'"),
    ("unknown_label", Entity(0, 1, "bod"), "'bod' 0-1 '肺'"),
]


@pytest.mark.parametrize(("kind", "entity", "detail"), BAD_ENTITIES)
def test_broken_entities_are_skipped_and_reported(kind, entity, detail):
    record = Record("肺癌。", [SOUND, entity], place="p")
    clean, problems = check(record, labels=["dis"])
    assert clean[0].entities == [SOUND]
    assert problems == {kind: [("p", detail)]}
    assert record.entities == [SOUND, entity]
    with pytest.raises(MedflatError, match=f"p: {kind}: "):
        check(record, labels=["dis"], strict=True)


def test_a_wrong_surface_is_kept_and_reported():
    record = Record("肺癌", [Entity(0, 2, "dis", "肺癌"), Entity(0, 1, "bod", "肝")], place="p")
    clean, problems = check(record)
    assert clean[0].entities == record.entities
    assert problems == {"surface_mismatch": [("p", "'bod' 0-1 '肺', but the entity says '肝'")]}
    with pytest.raises(MedflatError, match="surface_mismatch"):
        check(record, strict=True)


@pytest.mark.parametrize("text", ["", " \t\n　"])
def test_empty_texts_are_kept(text):
    clean, problems = check(Record(text, place="p"), Record(text, place="q"))
    assert len(clean) == 2
    assert list(problems) == ["empty_text"]
    assert [place for place, _ in problems["empty_text"]] == ["p", "q"]


def test_duplicates_point_at_the_first():
    same, other = tumour(place="a"), tumour(place="c")
    other.entities = other.entities[:1]
    clean, problems = check(same, tumour(place="b"), other)
    assert len(clean) == 3
    assert problems == {
        "duplicate_text": [("b", "same text as a"), ("c", "same text as a")],
        "conflict": [("c", "0 entities only here, 2 only in a")],
    }


def test_unannotated_duplicates_without_a_place():
    _, problems = check(Record("肺"), Record("肺"))
    assert list(problems) == ["duplicate_text"]


def test_order_of_entities_is_no_conflict():
    turned = tumour()
    turned.entities.reverse()
    assert "conflict" not in check(tumour(), turned)[1]


def test_markup():
    clean, problems = check(Record("CO<sub>2</sub>、<sub>", place="a"), Record("10</sup>L", place="b"), Record("a<b"))
    assert problems == {"markup": [("a", "<sub> ×2")], "stray_markup": [("b", "</sup> ×1")]}
    assert clean[0].text == "CO<sub>2</sub>、<sub>"


def test_crossing_entities_are_kept():
    record = Record("右肺上叶", [Entity(0, 3, "a"), Entity(2, 4, "b")], place="p")
    clean, problems = check(record)
    assert clean[0].entities == record.entities
    assert problems == {"crossing": [("p", "'a' 0-3 '右肺上' and 'b' 2-4 '上叶'")]}


@pytest.mark.parametrize(
    "record",
    [
        Record("肺\ud83d"),
        Record("肺", [Entity(0, 1, "\udc00")]),
        Record("肺", [Entity(0, 1, "bod", "\udc00")]),
        Record("肺", id="\ud83d"),
        Record("肺", meta={"a": [{"b": "\ud83d"}]}),
    ],
)
def test_half_a_surrogate_pair_costs_the_record(record):
    clean, problems = check(record, Record("肝"))
    assert [r.text for r in clean] == ["肝"]
    assert list(problems) == ["surrogate"]
    problems["surrogate"][0][1].encode("utf-8")
    with pytest.raises(MedflatError, match="surrogate"):
        check(record, strict=True)


def test_problems_of_the_reader_move_into_the_report():
    record = tumour(problems=[Problem("ignored_annotation", "p", "note")])
    clean, problems = check(record, strict=True)
    assert problems == {"ignored_annotation": [("p", "note")]}
    assert clean[0].problems == []
    with pytest.raises(MedflatError, match="discontinuous"):
        check(tumour(problems=[Problem("discontinuous", "p", "x")]), strict=True)


def test_strict_lets_the_doubtful_pass():
    doubtful = [Record(""), tumour(), tumour(), Record("<sub>肺", [Entity(0, 5, "a"), Entity(4, 6, "b")])]
    clean, problems = check(*doubtful, strict=True)
    assert len(clean) == 4
    assert BROKEN.keys().isdisjoint(problems)


def test_the_report_fills_while_records_are_consumed():
    def endless():
        while True:
            yield tumour()

    clean, report = check_records(endless())
    assert report.texts == 0
    for _ in range(3):
        next(clean)
    assert (report.texts, kinds(report.problems["duplicate_text"])) == (3, ["duplicate_text"] * 2)


# Facts about the CMeEE corpus that the package is built on, measured on the files themselves


def report_of(path):
    clean, report = check_records(read_records(path))
    return list(clean), report


def counts(report):
    return {kind: len(found) for kind, found in report.problems.items()}


@pytest.mark.data
def test_dev_is_sound_and_aligns(data_dir):
    records, report = report_of(data_dir / "cmeee" / "CMeEE_dev.json")
    assert (report.texts, report.entities_read, report.entities) == (5000, 20300, 20300)
    assert counts(report) == {"markup": 65, "stray_markup": 133}
    tokenizer = spacy.blank("zh").tokenizer
    docs = [record_to_doc(record, tokenizer, "sc") for record in records]
    assert sum(len(problems) for _, problems in docs) == 0
    assert sum(len(doc.spans["sc"]) for doc, _ in docs) == 20300
    assert all(doc.text == record.text for (doc, _), record in zip(docs, records, strict=True))


@pytest.mark.data
def test_dirt_of_train(data_dir):
    _, report = report_of(data_dir / "cmeee" / "CMeEE_train.json")
    assert (report.texts, report.entities_read, report.entities) == (15000, 61796, 61794)
    assert counts(report) == {
        "empty_or_reversed": 2,
        "duplicate_text": 43,
        "conflict": 18,
        "markup": 240,
        "stray_markup": 350,
        "crossing": 3,
    }
    assert (report.same_span, report.same_label_pairs) == (33, 3)


@pytest.mark.data
def test_second_version_is_nested_more(data_dir):
    _, report = report_of(data_dir / "cmeee_v2" / "CMeEE-V2_dev.json")
    assert report.entities == 26081
    assert report.nested_share == pytest.approx(0.306, abs=0.0005)


@pytest.mark.data
def test_texts_without_labels(data_dir):
    _, report = report_of(data_dir / "cmeee" / "CMeEE_test.json")
    assert (report.texts, report.entities) == (3000, 0)


def test_unknown_spans_are_checked_like_entities():
    sure, maybe, beyond = Entity(0, 2, "dis"), Entity(0, 1, "bod"), Entity(1, 9, "dis")
    record = Record("肺癌。", [sure], place="p", unknown=[maybe, sure, beyond, maybe, Entity(0, 1, "xyz")])
    clean, problems = check(record, labels=["dis", "bod"])
    assert (clean[0].entities, clean[0].unknown) == ([sure], [maybe])
    assert problems == {
        "contradiction": [("p", "unknown span 'dis' 0-2 '肺癌'")],
        "out_of_text": [("p", "unknown span 'dis' 1-9 '癌。'")],
        "unknown_label": [("p", "unknown span 'xyz' 0-1 '肺'")],
    }
    half, problems = check(Record("肺", unknown=[Entity(0, 1, "\ud800")]))
    assert half == [] and list(problems) == ["surrogate"]
