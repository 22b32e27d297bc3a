from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.encoder.pretraining import passages
from spacy_medflat.encoder.pretraining.passages import DUPLICATE, NOT_DECODED, SeenTexts, read_passages
from spacy_medflat.encoder.pretraining.text_inputs import LeftOut, find_inputs


def read(path, seen=None):
    left_out = LeftOut()
    (found,) = find_inputs([str(path)])
    return list(read_passages(found, seen or SeenTexts(64), left_out)), left_out.reasons


@given(st.lists(st.integers(0, 2**64 - 1)), st.integers(1, 9))
def test_a_text_that_is_new_is_never_taken_for_another(digests, slots):
    seen, before = SeenTexts(slots), set()
    for digest in digests:
        assert seen.add(digest) or (digest or 1) in before
        before.add(digest or 1)


@given(st.lists(st.integers(1, 9)))
def test_with_room_for_all_none_is_forgotten(digests):
    seen = SeenTexts(16)
    assert sum(map(seen.add, digests)) == len(set(digests))


def test_texts_by_the_thousand_are_read_once_and_the_rest_counted(tmp_path):
    (tmp_path / "notes.txt").write_text("咳嗽\n 咳嗽\t\n\n发热\n" * 3000, encoding="utf8")
    found, left_out = read(tmp_path / "notes.txt")
    assert [passage.text for passage in found] == ["咳嗽", "发热"] and left_out == {DUPLICATE: 8998}


def test_lines_in_another_encoding_are_left_out_and_counted(tmp_path):
    (tmp_path / "notes.txt").write_bytes("咳嗽伴发热\n".encode() * 9 + "胸痛\n".encode("gbk") + "\0\n末\0行".encode())
    found, left_out = read(tmp_path / "notes.txt")
    assert [passage.text for passage in found] == ["咳嗽伴发热", "\0", "末\0行"]
    assert left_out == Counter({DUPLICATE: 8, NOT_DECODED: 1})


def test_a_long_text_is_cut(tmp_path, monkeypatch):
    monkeypatch.setattr(passages, "LONGEST", 10)
    (tmp_path / "notes.jsonl").write_text('{"text": "一二三四五六七八九十百千"}', encoding="utf8")
    found, _ = read(tmp_path / "notes.jsonl")
    assert [passage.text for passage in found] == ["一二三四五六七八九十", "百千"]
    assert found[0].digest != found[1].digest
