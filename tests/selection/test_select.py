import json

import pytest

from spacy_medflat.corpus.formats.registry import write_records
from spacy_medflat.corpus.record import Record
from spacy_medflat.errors import MedflatError
from spacy_medflat.scale.run_settings import FieldNames
from spacy_medflat.scale.sources import find_sources
from spacy_medflat.selection.select import SelectSettings, read_labelled, select_notes

from ..pipelines import SENTENCES
from .notes import documents

FIELDS = FieldNames(entities="")


def write_notes(path, texts):
    lines = (
        text if isinstance(text, bytes) else json.dumps({"text": text}, ensure_ascii=False).encode() for text in texts
    )
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return find_sources([str(path)])


def texts_of(selection):
    return [note.document.text for note in selection.notes]


@pytest.fixture
def sources(tmp_path):
    return write_notes(tmp_path / "notes.jsonl", [note.text for note in documents(40)])


def test_unsure_notes_are_chosen_with_suggestions(reader, tmp_path):
    # What the pipeline knows, with some words around, and what it has never seen.
    known = [f"{text}{'，无特殊' * (i + 2)}" for i, (text, _) in enumerate(SENTENCES)]
    new = ["颞叶海绵状血管瘤伴癫痫发作", "膝关节置换术后假体周围感染", "甲氨蝶呤联合来氟米特治疗"]
    sources = write_notes(tmp_path / "notes.jsonl", [*known, *new])
    selection = select_notes(sources, FIELDS, reader, SelectSettings(3))
    read = select_notes(sources, FIELDS, reader, SelectSettings(8)).notes
    unsure = {note.document.text: note.uncertainty for note in read}
    chosen = texts_of(selection)
    assert sum(unsure[text] for text in chosen) > sum(unsure.values()) * 3 / 8
    assert selection.pool.read == 8 and any(note.entities for note in read)


def test_the_same_seed_chooses_the_same(sources, reader):
    for at_random in (False, True):
        chosen = [
            texts_of(select_notes(sources, FIELDS, reader, SelectSettings(7, at_random, seed=seed)))
            for seed in (0, 0, 1)
        ]
        assert chosen[0] == chosen[1] and len(set(chosen[0])) == 7
        assert not at_random or set(chosen[0]) != set(chosen[2])


def test_only_the_pool_is_read(sources, reader):
    done = []
    selection = select_notes(sources, FIELDS, reader, SelectSettings(3, pool=10), advance=done.append)
    assert (done.count("drawing"), done.count("reading")) == (40, 10)
    assert len(selection.pool.documents) == 10 and len(selection.notes) == 3
    done.clear()
    select_notes(sources, FIELDS, reader, SelectSettings(3, at_random=True, pool=10), advance=done.append)
    assert done.count("reading") == 3


def test_without_a_pipeline_kinds_are_chosen_and_nothing_is_suggested(sources):
    selection = select_notes(sources, FIELDS, None, SelectSettings(6))
    assert {text[:3] for text in texts_of(selection)} == {note.text[:3] for note in documents(3)}
    assert all(note.entities == [] for note in selection.notes)


def test_training_texts_and_labelled_ones_are_left_out(reader, tmp_path):
    texts = [note.text for note in documents(6)]
    sources = write_notes(tmp_path / "notes.jsonl", [*texts, SENTENCES[0][0], SENTENCES[1][0]])
    write_records([Record(f" {texts[0]}"), Record(f"{texts[1]}。")], tmp_path / "done.jsonl", "doccano")
    labelled = read_labelled([tmp_path / "done.jsonl"], pytest.fail)
    selection = select_notes(sources, FIELDS, reader, SelectSettings(20), labelled)
    assert sorted(texts_of(selection)) == sorted(texts[2:])
    assert selection.pool.left_out == {"training text": 2, "labelled": 1, "near-duplicate": 1}


def test_notes_that_cannot_be_read_are_counted(reader, tmp_path):
    texts = [note.text for note in documents(4)]
    odd = [b"\xff\xfe", b"null", b'{"text": null}', b'{"text": 5}', b'{"note": "x"}', b"{", "", "12.5", "肺" * 9000]
    sources = write_notes(tmp_path / "notes.jsonl", [*texts, *odd])
    selection = select_notes(sources, FIELDS, reader, SelectSettings(20))
    assert sorted(texts_of(selection)) == sorted(texts)
    assert selection.pool.left_out == {"unreadable": 6, "no letters": 2, "too long": 1}
    assert "line 5: " in selection.pool.first["unreadable"]


def test_a_line_of_fifty_megabytes_is_left_out(reader, tmp_path):
    texts = [note.text for note in documents(2)]
    sources = write_notes(tmp_path / "notes.jsonl", [texts[0], "肺" * 17_000_000, texts[1]])
    selection = select_notes(sources, FIELDS, reader, SelectSettings(5))
    assert sorted(texts_of(selection)) == sorted(texts) and selection.pool.left_out == {"too long": 1}


def test_files_in_other_encodings_are_told_apart(reader, tmp_path):
    texts = [note.text for note in documents(3)]
    for name, text, encoding in zip("abc", texts, ["utf-8", "gb18030", "utf-16"], strict=True):
        (tmp_path / f"{name}.txt").write_bytes(text.encode(encoding))
    selection = select_notes(find_sources([str(tmp_path)]), FIELDS, reader, SelectSettings(5))
    assert sorted(texts_of(selection)) == sorted(texts)
    assert sorted(note.document.id for note in selection.notes) == ["a", "b", "c"]


def test_labelled_texts_that_cannot_be_read_are_told(tmp_path):
    (tmp_path / "done.jsonl").write_text('{"text": "肺", "label": []}\n{\n', encoding="utf8")
    problems = []
    assert read_labelled([tmp_path / "done.jsonl"], problems.append) == ["肺"]
    assert [p.place for p in problems] == ["done.jsonl line 2"]
    with pytest.raises(MedflatError, match="no such file"):
        read_labelled([tmp_path / "none.jsonl"], pytest.fail)
