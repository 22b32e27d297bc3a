import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_medflat.corpus.formats.bio import read_bio, write_bio
from spacy_medflat.corpus.formats.tags import SCHEMES, flat_choice
from spacy_medflat.corpus.record import Entity, Record
from spacy_medflat.errors import MedflatError

from ..helpers import content, kinds, tumour, write
from ..strategies import ANY_CHARACTER, records

WRITABLE_TEXTS = st.text(ANY_CHARACTER.filter(lambda char: char not in "\r\n"), min_size=1, max_size=30)
LABELS = st.sampled_from(["bod", "dis", "a b", ""])


@pytest.mark.parametrize("scheme", SCHEMES)
@settings(max_examples=50)
@given(items=st.lists(records(texts=WRITABLE_TEXTS, labels=LABELS, metas=st.just({}), ids=st.just("")), max_size=3))
def test_flat_entities_and_texts_survive(scheme, items, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "a.bio"
    problems = write_bio(items, path, scheme)
    chosen = [flat_choice(item.entities) for item in items]
    found = list(read_bio(path))
    assert [r.text for r in found] == [r.text for r in items]
    assert [r.entities for r in found] == [flat for flat, _ in chosen]
    assert kinds(problems) == ["dropped_span"] * sum(len(dropped) for _, dropped in chosen)


@pytest.mark.parametrize(
    ("text", "entities"),
    [
        ("右 B-bod\n肺 I-bod\n\n\n咳 O\n嗽 O\n", [[Entity(0, 2, "bod")], []]),
        ("右\tB-bod\r\n肺\tI-bod\r\n\r\n咳\tO\r\n嗽\tO", [[Entity(0, 2, "bod")], []]),
        ("右 B-bod\n肺 E-bod\n\n咳 B-sym\n嗽 E-sym", [[Entity(0, 2, "bod")], [Entity(0, 2, "sym")]]),
        ("右 NN B-bod\n肺 NN M-bod\n \n咳   O\n嗽 S-sym ", [[Entity(0, 2, "bod")], [Entity(1, 2, "sym")]]),
        ("\ufeff右 B-bod\n肺 I-bod\n-DOCSTART- O\n咳 O\n嗽 O", [[Entity(0, 2, "bod")], []]),
        ("\ufeff-DOCSTART- O\n\n右 B-bod\n肺 I-bod\n\n咳 O\n嗽 O", [[Entity(0, 2, "bod")], []]),
        ("\ufeff\n右 B-bod\n肺 I-bod\n\n咳 O\n嗽 O", [[Entity(0, 2, "bod")], []]),
    ],
)
def test_dialects(text, entities, tmp_path):
    found = list(read_bio(write(tmp_path / "a.txt", text)))
    assert [r.text for r in found] == ["右肺", "咳嗽"]
    assert [r.entities for r in found] == entities


def test_offsets_count_characters_of_long_tokens(tmp_path):
    (record,) = read_bio(write(tmp_path / "a.bio", "查 O\nWBC B-ite\n计数 I-ite\n"))
    assert (record.text, record.entities) == ("查WBC计数", [Entity(1, 6, "ite")])


def test_places(tmp_path):
    first, second = read_bio(write(tmp_path / "a.bio", "\n肺 O\n\n\n肝 O\n癌 I-dis\n"))
    assert (first.place, second.place) == ("a.bio line 2", "a.bio line 5")
    assert [str(p) for p in second.problems] == ["a.bio line 6: tag_sequence: 'dis' 1-2 '癌': not a whole bio entity"]


@pytest.mark.parametrize("line", ["肺", "肺 ", "肺 X-bod", "肺 B", " B-bod"])
def test_lines_without_a_tag_are_refused(line, tmp_path):
    with pytest.raises(MedflatError, match=r"a.bio line 2: "):
        list(read_bio(write(tmp_path / "a.bio", f"肺 O\n{line}\n")))


def test_not_utf8(tmp_path):
    with pytest.raises(MedflatError, match=r"a.bio line 1: not UTF-8"):
        list(read_bio(write(tmp_path / "a.bio", b"\xb7\xce O")))


def test_an_empty_file_has_no_records(tmp_path):
    assert list(read_bio(write(tmp_path / "a.bio", ""))) == []


def test_every_nested_entity_is_reported(tmp_path):
    path = tmp_path / "a.bio"
    problems = write_bio([tumour(place="x line 3")], path)
    assert [str(p) for p in problems] == ["x line 3: dropped_span: 'bod' 0-4 '右肺上叶': overlaps one that is written"]
    assert next(read_bio(path)).entities == [Entity(0, 6, "dis"), Entity(7, 9, "sym")]
    write_bio([tumour()], path, innermost=True)
    assert next(read_bio(path)).entities == [Entity(0, 4, "bod"), Entity(7, 9, "sym")]


def test_the_suffix_names_the_scheme(tmp_path):
    write_bio([Record("肺癌", [Entity(0, 2, "dis")])], tmp_path / "a.bmes")
    assert (tmp_path / "a.bmes").read_text(encoding="utf-8") == "肺\tB-dis\n癌\tE-dis\n\n"
    with pytest.raises(MedflatError, match="unknown tag scheme 'iob'"):
        write_bio([], tmp_path / "a.bio", scheme="iob")


def test_what_lines_cannot_hold_is_reported(tmp_path):
    record = Record(
        "肺\r\n癌", [Entity(0, 4, "dis"), Entity(1, 3, "x"), Entity(3, 4, "a\tb"), Entity(3, 9, "y")], id="7"
    )
    problems = write_bio([record, Record("")], tmp_path / "a.bio")
    assert kinds(problems) == ["dropped_meta", "unwritable", *["dropped_span"] * 3, "unwritable"]
    assert content(read_bio(tmp_path / "a.bio")) == [("肺癌", [Entity(0, 2, "dis")])]
