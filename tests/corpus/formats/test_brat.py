import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.corpus.formats.brat import read_brat, write_brat
from spacy_medflat.corpus.record import Entity, Record
from spacy_medflat.errors import MedflatError

from ..helpers import content, kinds, tumour, write
from ..strategies import records

LABELS = st.sampled_from(["bod", "dis", "症状", "a-b_c"])


@given(items=st.lists(records(labels=LABELS, metas=st.just({}), ids=st.just("")), max_size=3))
def test_round_trip_is_exact(items, tmp_path_factory):
    folder = tmp_path_factory.mktemp("brat")
    assert write_brat(items, folder) == []
    found = list(read_brat(folder)) if items else []
    assert content(found) == content(items)
    assert all(e.surface == r.text[e.start : e.end] for r in found for e in r.entities)


def pair(folder, text, annotations, name="a"):
    write(folder / f"{name}.txt", text)
    return write(folder / f"{name}.ann", annotations)


def test_folder_file_and_annotation_file_are_the_same(tmp_path):
    pair(tmp_path, "右肺上叶腺癌", "T1\tdis 0 6\t右肺上叶腺癌\nT2\tbod 0 4\t右肺上叶\n")
    for path in (tmp_path, tmp_path / "a.txt", tmp_path / "a.ann"):
        (record,) = read_brat(path)
        assert record.entities == [Entity(0, 6, "dis"), Entity(0, 4, "bod")]
        assert (record.id, record.place, record.problems) == ("a", "a.txt", [])


def test_subfolders_are_read(tmp_path):
    (tmp_path / "ward").mkdir()
    pair(tmp_path / "ward", "肺", "T1\tbod 0 x\t肺")
    with pytest.raises(MedflatError, match=r"ward/a.ann line 1: not a brat annotation"):
        list(read_brat(tmp_path))


def test_offsets_are_code_points_and_carriage_returns_count(tmp_path):
    pair(tmp_path, "👩咳嗽\r\n肺", "T1\tsym 1 3\t咳嗽\r\nT2\tbod 5 6\t肺\r\nT3\tsym 2 6\t嗽  肺\r\n")
    (record,) = read_brat(tmp_path)
    assert record.text == "👩咳嗽\r\n肺"
    assert [record.text[e.start : e.end] for e in record.entities] == ["咳嗽", "肺", "嗽\r\n肺"]
    assert [e.surface for e in record.entities] == ["咳嗽", "肺", "嗽\r\n肺"]


def test_a_wrong_surface_is_kept_for_the_check(tmp_path):
    pair(tmp_path, "肺肝", "T1\tbod 0 1\t肝\nT2\tbod 0 1\n")
    assert [e.surface for e in next(read_brat(tmp_path)).entities] == ["肝", None]


def test_a_byte_order_mark_before_the_annotations_is_none_of_them(tmp_path):
    pair(tmp_path, "\ufeff肺", "\ufeffT1\tbod 1 2\t肺\n")
    (record,) = read_brat(tmp_path)
    assert record.text == "\ufeff肺" and record.entities == [Entity(1, 2, "bod")]


def test_what_is_no_plain_entity_is_reported(tmp_path):
    lines = [
        "T1\tsym 0 1;2 3\t肺痛",
        "R1\tpart Arg1:T1 Arg2:T2",
        "E1\tgrow:T1",
        "A1\tnegated T1",
        "M1\tnegated T1",
        "N1\tReference T1 db:1\t肺",
        "#1\tAnnotatorNotes T1\t?",
        "*\tEquiv T1 T2",
        "",
        "T2\tbod 0 1\t肺",
    ]
    pair(tmp_path, "肺部痛", "\n".join(lines))
    (record,) = read_brat(tmp_path)
    assert record.entities == [Entity(0, 1, "bod")]
    assert kinds(record.problems) == ["discontinuous", *["ignored_annotation"] * 7]
    assert str(record.problems[0]) == "a.ann line 1: discontinuous: 'sym' 0 1;2 3 '肺痛'"


@pytest.mark.parametrize("line", ["rubbish", "T1 bod 0 1 肺", "T1\tbod 0\t肺", "T1\tbod ０ １\t肺", "Rubbish"])
def test_other_lines_are_refused(line, tmp_path):
    pair(tmp_path, "肺", f"\n{line}\n")
    with pytest.raises(MedflatError, match=r"a.ann line 2: not a brat annotation"):
        list(read_brat(tmp_path))


def test_annotations_need_a_text(tmp_path):
    write(tmp_path / "b.ann", "")
    for path in (tmp_path, tmp_path / "b.ann"):
        with pytest.raises(MedflatError, match="annotations without a text"):
            list(read_brat(path))


def test_a_folder_without_texts_is_refused(tmp_path):
    with pytest.raises(MedflatError, match=r"no \.txt file"):
        list(read_brat(tmp_path))


def test_a_text_may_have_no_annotations(tmp_path):
    write(tmp_path / "a.txt", "肺")
    assert content(read_brat(tmp_path)) == [("肺", [])]


@pytest.mark.parametrize(("file", "place"), [("a.txt", "a.txt line 1"), ("a.ann", "a.ann line 1")])
def test_not_utf8(file, place, tmp_path):
    pair(tmp_path, "肺", "")
    (tmp_path / file).write_bytes(b"\xb7\xce")
    with pytest.raises(MedflatError, match=f"{place}: not UTF-8"):
        list(read_brat(tmp_path))


def test_file_names_come_from_identifiers(tmp_path):
    items = [tumour(id=name) for name in ("n-1", "病区/7", "../x", "N-1", "a b", ".x", "")]
    problems = write_brat(items, tmp_path)
    assert sorted(r.id for r in read_brat(tmp_path)) == sorted(
        ["n-1", "病区/7", "000003", "000004", "000005", "000006", "000007"]
    )
    assert [p.detail for p in problems] == [
        "identifier '../x', written as '000003'",
        "identifier 'N-1', written as '000004'",
        "identifier 'a b', written as '000005'",
        "identifier '.x', written as '000006'",
    ]


def test_a_number_never_hits_an_identifier(tmp_path):
    write_brat([tumour(id="000002"), Record("肺"), Record("肝")], tmp_path)
    assert sorted(r.text for r in read_brat(tmp_path)) == sorted([tumour().text, "肺", "肝"])


@pytest.mark.parametrize("label", ["", "a b", "a\tb", "a\u3000b"])
def test_labels_with_white_space_are_reported(label, tmp_path):
    problems = write_brat([Record("肺", [Entity(0, 1, label), Entity(0, 1, "bod")])], tmp_path)
    assert kinds(problems) == ["unwritable"]
    assert next(read_brat(tmp_path)).entities == [Entity(0, 1, "bod")]


def test_lost_fields_are_reported(tmp_path):
    assert kinds(write_brat([tumour(id="7", meta={"id": 7, "ward": 3})], tmp_path)) == ["dropped_meta"]


def test_writing_needs_a_folder(tmp_path):
    with pytest.raises(MedflatError, match="give a folder"):
        write_brat([], tmp_path / "a.ann")


def test_what_is_said_about_entities_is_kept_as_attributes(tmp_path):
    said = [{"assertion": "absent", "temporality": "historical"}, {}, {"experiencer": "family"}]
    record = Record("无咳嗽发热肺癌", [Entity(2 * i + 1, 2 * i + 3, "sym", meta=meta) for i, meta in enumerate(said)])
    assert write_brat([record], tmp_path) == []
    assert (tmp_path / "000001.ann").read_text(encoding="utf8").splitlines()[3:] == [
        "A1\tassertion T1 absent",
        "A2\ttemporality T1 historical",
        "A3\texperiencer T3 family",
    ]
    (found,) = read_brat(tmp_path)
    assert [entity.meta for entity in found.entities] == said and not found.problems


def test_attributes_that_brat_cannot_hold_are_reported(tmp_path):
    meta = {"assertion": "no such", "experiencer": ["family"], "note": 1}
    problems = write_brat([Record("肺", [Entity(0, 1, "bod", meta=meta)])], tmp_path)
    assert [p.detail for p in problems] == [f"entity field {name!r} ×1" for name in sorted(meta)]


def test_attributes_before_and_without_their_entities(tmp_path):
    pair(tmp_path, "肺", "A1\tassertion T1 absent\nA2\tassertion T9 absent\nT1\tbod 0 1\t肺\n")
    (record,) = read_brat(tmp_path)
    assert record.entities[0].meta == {"assertion": "absent"}
    assert kinds(record.problems) == ["ignored_annotation"]
