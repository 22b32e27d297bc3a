import json
import random

from spacy_medflat.adapt.note_texts import (
    BEYOND,
    DUPLICATE,
    LABELLED,
    NEAR_EMPTY,
    UNREADABLE,
    Note,
    NoteCounts,
    distinct,
    draw,
    read_notes,
    write_notes,
)
from spacy_medflat.ner.training_texts import text_digest
from spacy_medflat.scale.run_settings import FieldNames
from spacy_medflat.scale.sources import find_sources

NAMES = FieldNames(entities="")


def read(path, counts, kind=None, known=(), max_length=20, min_letters=2):
    sources = find_sources([str(path)], kind)
    return list(read_notes(sources, NAMES, counts, known=known, max_length=max_length, min_letters=min_letters))


def test_notes_of_all_sorts(tmp_path):
    values = [
        {"id": 7, "text": " 患者贫血。", "entities": [{"start": 0, "end": 2, "label": "x"}]},
        {"text": None},
        {"id": "n2"},
        {"text": "3.5"},
        {"id": "n3", "text": "右肺上叶腺癌术后复查。咳嗽咳痰三天，无发热。12"},
        {"text": "已\n标注的"},
        [1],
    ]
    path = tmp_path / "notes.jsonl"
    lines = [json.dumps(value, ensure_ascii=False).encode() for value in values]
    path.write_bytes(b"\n".join([*lines, "乱码".encode("gbk"), b'{"text": "\\ud83d"}', b""]))
    counts = NoteCounts()
    found = read(path, counts, known={text_digest("已标注的")})
    assert found == [
        Note("患者贫血。", "7"),
        Note("右肺上叶腺癌术后复查。", "n3#1"),
        Note("咳嗽咳痰三天，无发热。12", "n3#2"),
    ]
    assert counts.read == 9
    assert counts.left_out == {UNREADABLE: 5, NEAR_EMPTY: 1, LABELLED: 1}
    assert [line.split(": ")[0].rsplit(" ", 2)[-1] for line in counts.failures] == ["2", "3", "7"]


def test_a_piece_that_is_annotated_is_left_out(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("右肺上叶腺癌术后复查。咳嗽咳痰三天，无发热。\n", encoding="utf8")
    counts = NoteCounts()
    assert read(path, counts, "lines", {text_digest("咳嗽咳痰三天，无发热。")}) == [Note("右肺上叶腺癌术后复查。", "")]
    assert counts.left_out == {LABELLED: 1}


def test_one_line_of_many_megabytes_and_nothing_but_digits(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("患者贫血，" * 100_000 + "9" * 2_000_000 + "\n" + "无发热" * 3, encoding="utf8")
    counts = NoteCounts()
    found = read(path, counts, "lines", max_length=256)
    assert max(len(note.text) for note in found) <= 256 and found[-1].text == "无发热" * 3
    assert counts.read == 2 and counts.left_out[NEAR_EMPTY] > 7000
    counts = NoteCounts()
    assert len(list(distinct(found, counts))) < 10 and counts.left_out[DUPLICATE] > 1900


def notes(count):
    return [Note(f"病人{i}", str(i)) for i in range(count)]


def test_a_draw_is_even_and_does_not_depend_on_the_order():
    counts = NoteCounts()
    drawn = draw([*notes(1000), *notes(1000)], 100, 0, counts)
    ids = [int(note.id) for note in drawn]
    assert len(set(ids)) == 100 and ids == sorted(ids) and 350 < sum(ids) / 100 < 650
    assert counts.left_out[DUPLICATE] >= 100 and counts.left_out.total() == 1900
    shuffled = notes(1000)
    random.Random(1).shuffle(shuffled)
    assert set(draw(shuffled, 100, 0, NoteCounts())) == set(drawn)
    assert set(draw(notes(1000), 100, 1, NoteCounts())) != set(drawn)
    counts = NoteCounts()
    assert draw(notes(5), 10, 0, counts) == notes(5) and counts.left_out[BEYOND] == 0


def test_notes_are_written_with_their_number(tmp_path):
    counts = NoteCounts(read=2)
    write_notes([Note("贫血\n", "a"), Note("咳嗽", "")], tmp_path / "notes.jsonl", counts)
    lines = (tmp_path / "notes.jsonl").read_text(encoding="utf8").splitlines()
    assert list(map(json.loads, lines)) == [
        {"id": 0, "text": "贫血\n", "note": "a"},
        {"id": 1, "text": "咳嗽", "note": ""},
    ]
    assert str(counts) == "2 notes read, 2 texts of them kept"
