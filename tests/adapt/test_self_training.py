"""The whole of self-training, without the command line."""

import json
import os
from collections import Counter

import pytest
import spacy

from spacy_medflat.adapt import self_training as run_module
from spacy_medflat.adapt.self_train_settings import ChoiceSettings, NoteSettings
from spacy_medflat.adapt.self_training import self_train
from spacy_medflat.corpus.formats.registry import read_records
from spacy_medflat.errors import MedflatError
from spacy_medflat.scale.run_folder import PartsFolder

from ..pipelines import DATA

DEV = json.loads((DATA / "dev.json").read_text(encoding="utf8"))
TRAIN = json.loads((DATA / "train.json").read_text(encoding="utf8"))
CHOICE = ChoiceSettings(sure=0.3, unlikely=0.05, weight=0.5)
NOTES = NoteSettings()


@pytest.fixture(scope="module")
def model(sample_model):
    return sample_model


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture
def notes(tmp_path):
    """40 texts of dev, some of them twice, and some of the training."""
    texts = [*DEV[:40], *DEV[:5], *TRAIN[:10]]
    path = tmp_path / "notes.jsonl"
    lines = (json.dumps({"id": f"n{i}", "text": text["text"]}, ensure_ascii=False) for i, text in enumerate(texts))
    path.write_text("\n".join(lines), encoding="utf8")
    return path


def go(model, notes, output, choice=CHOICE, settings=NOTES, **options):
    models = model if isinstance(model, list) else [model]
    return self_train(
        list(map(str, models)), [str(notes)], output, settings, choice, reading={"n_process": 1}, **options
    )


@pytest.mark.parametrize("suffix", ["jsonl", "spacy"])
def test_what_the_pipeline_says_is_what_the_corpus_has(model, notes, tmp_path, suffix):
    output = tmp_path / f"silver.{suffix}"
    warnings = []
    outcome = go(model, notes, output, warn=warnings.append)
    assert any("are not calibrated" in warning for warning in warnings)
    assert outcome.notes.left_out == {"that were there before": 5, "that are annotated already, or to be left out": 10}
    assert not (tmp_path / "silver.spacy.run").exists() and not (tmp_path / "silver.jsonl.run").exists()
    nlp = spacy.load(model)
    finder = nlp.get_pipe("medflat_ner")
    before = dict(finder.cfg)
    finder.cfg["threshold"] = 0.05
    sure, unknown = Counter(), Counter()
    records = list(read_records(output))
    assert [record.text for record in records] == [text["text"].strip() for text in DEV[:40]]
    assert [record.id for record in records] == [f"n{i}" for i in range(40)]
    for record in records:
        assert record.weight == 0.5
        doc = nlp(record.text)
        scores = dict(zip(map(key_of, doc.spans["sc"]), doc.spans["sc"].attrs["scores"].tolist(), strict=True))
        found = {(e.start, e.end, e.label): e for e in [*record.entities, *record.unknown]}
        # Scores are rounded to 4 digits, so one near a threshold may fall on either side.
        assert {key for key, score in scores.items() if score > 0.0501} <= set(found) <= set(scores)
        assert all(entity.score == pytest.approx(scores[key], abs=1e-4) for key, entity in found.items())
        assert all(entity.score >= 0.3 for entity in record.entities)
        assert all(entity.score < 0.3 for entity in record.unknown)
        sure.update(entity.label for entity in record.entities)
        unknown.update(entity.label for entity in record.unknown)
    assert (outcome.sure, outcome.unknown, outcome.texts) == (sure, unknown, 40)
    assert sure.total() > 5 and unknown.total() > 20
    assert spacy.load(model).get_pipe("medflat_ner").cfg == before


def key_of(span):
    return span.start_char, span.end_char, span.label_


def test_a_killed_run_goes_on_and_other_scores_need_no_reading(model, notes, tmp_path, monkeypatch):
    whole = tmp_path / "whole.jsonl"
    go(model, notes, whole)
    output = tmp_path / "silver.jsonl"

    def dead(*args, **kwargs):
        raise KeyboardInterrupt

    for module, name in ((PartsFolder, "complete"), (run_module, "write_records")):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, dead)
            with pytest.raises(KeyboardInterrupt):
                go(model, notes, output)
        assert not output.exists() and (tmp_path / "silver.jsonl.run" / "notes.jsonl").exists()
    with pytest.raises(MedflatError, match="is of another run, with other notes"):
        go(model, notes, output, settings=NoteSettings(max_length=100))
    go(model, notes, output, keep=True)
    assert output.read_bytes() == whole.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(PartsFolder, "write", dead)
        strict = go(model, notes, output, CHOICE.model_copy(update={"sure": 0.9}))
    assert output.read_bytes() != whole.read_bytes() and not (tmp_path / "silver.jsonl.run").exists()
    assert strict.sure.total() + strict.unknown.total() > 40
    with pytest.raises(MedflatError, match="exists; give another name, or replace it with --force"):
        go(model, notes, output)
    go(model, notes, output, force=True)
    assert output.read_bytes() == whole.read_bytes()


def test_replacing_keeps_what_was_read_of_the_same_notes(model, notes, tmp_path, monkeypatch):
    output = tmp_path / "silver.jsonl"
    go(model, notes, output, replace=True, keep=True)
    whole = output.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(PartsFolder, "write", lambda *args, **kwargs: pytest.fail("the notes are read again"))
        go(model, notes, output, CHOICE.model_copy(update={"sure": 0.9}), replace=True, keep=True)
    assert output.read_bytes() != whole
    notes.write_text("".join(notes.read_text(encoding="utf8").splitlines(True)[:20]), encoding="utf8")
    assert go(model, notes, output, replace=True, keep=True).texts == 20
    with pytest.raises(MedflatError, match="is of another run, with other notes"):
        go(model, notes, output, settings=NoteSettings(max_length=100))


def test_two_pipelines_and_limits(model, notes, tmp_path):
    both = [model, model]
    alone = go(model, notes, tmp_path / "one.jsonl")
    for agree in ("mean", "all"):
        together = go(both, notes, tmp_path / f"{agree}.jsonl", CHOICE.model_copy(update={"agree": agree}))
        assert together.sure == alone.sure
        assert (tmp_path / f"{agree}.jsonl").read_bytes() == (tmp_path / "one.jsonl").read_bytes()
    limited = go(model, notes, tmp_path / "few.jsonl", CHOICE.model_copy(update={"most": 3}))
    assert limited.sure == {label: min(count, 3) for label, count in alone.sure.items()}
    assert +limited.over == +(alone.sure - limited.sure)
    assert limited.unknown == alone.unknown + limited.over


def test_labelled_texts_stand_first_and_texts_of_dev_are_left_out(model, notes, tmp_path):
    labelled, dev = (tmp_path / name for name in ("labelled.json", "dev.json"))
    labelled.write_text(json.dumps(DEV[:3], ensure_ascii=False), encoding="utf8")
    dev.write_text(json.dumps(DEV[3:10], ensure_ascii=False), encoding="utf8")
    output = tmp_path / "both.spacy"
    outcome = go(model, notes, output, join=[labelled], without=[dev])
    records = list(read_records(output))
    assert (outcome.joined, outcome.texts, len(records)) == (3, 30, 33)
    gold = [[(e["start_idx"], e["end_idx"] + 1, e["type"]) for e in text["entities"]] for text in DEV[:3]]
    assert [[(e.start, e.end, e.label) for e in record.entities] for record in records[:3]] == gold
    assert [record.weight for record in records] == [1.0] * 3 + [0.5] * 30
    assert not {text["text"] for text in DEV[3:10]} & {record.text for record in records}


def test_plain_lines_and_a_draw(model, tmp_path):
    notes = tmp_path / "notes.txt"
    notes.write_text("".join(f"{text['text']}\r\n" for text in DEV) + "123\n", encoding="gb18030")
    outcome = go(model, notes, tmp_path / "a.jsonl", settings=NoteSettings(count=20))
    assert (outcome.texts, outcome.notes.read) == (20, 101)
    texts = [record.text for record in read_records(tmp_path / "a.jsonl")]
    assert set(texts) <= {text["text"].strip() for text in DEV} and len(set(texts)) == 20


@pytest.mark.parametrize(
    ("name", "choice", "message"),
    [
        ("a.json", {}, "'cmeee' cannot hold unknown spans"),
        ("notes.jsonl", {}, "notes.jsonl exists"),
        ("a.txt", {}, "the suffix tells no format"),
        ("a.jsonl", {"sure": 0.2, "unlikely": 0.3}, "--unlikely 0.3 and --sure 0.2"),
        ("a.jsonl", {"unlikely": 0.0}, "must be from 0.02 to 1"),
        ("a.jsonl", {"weight": -1.0}, "--weight: the weight of a text"),
    ],
)
def test_what_cannot_be(model, notes, tmp_path, name, choice, message):
    before = sorted(tmp_path.iterdir())
    with pytest.raises(MedflatError, match=message):
        go(model, notes, tmp_path / name, CHOICE.model_copy(update=choice))
    assert sorted(tmp_path.iterdir()) == before


def test_notes_of_which_nothing_is_left(model, tmp_path):
    notes = tmp_path / "notes.jsonl"
    notes.write_text('{"text": "123"}\n{"text": null}\n', encoding="utf8")
    with pytest.raises(MedflatError, match=r"nothing is left .* 1 with too few letters.*line 2: field 'text' must be"):
        go(model, notes, tmp_path / "a.jsonl")
    assert list(tmp_path.iterdir()) == [notes]
    with pytest.raises(MedflatError, match="cannot be piped"):
        go(model, "-", tmp_path / "a.jsonl")


def test_a_folder_of_something_else_is_left_alone(model, notes, tmp_path):
    strange = tmp_path / "a.jsonl.run" / "mine.txt"
    strange.parent.mkdir()
    strange.touch()
    for force in (False, True):
        with pytest.raises(MedflatError, match="holds something else, such as 'mine"):
            go(model, notes, tmp_path / "a.jsonl", force=force)
    assert strange.exists()
    with pytest.raises(MedflatError, match="lies in the input folder"):
        go(model, tmp_path, tmp_path / "b.jsonl")


def test_a_full_disk_leaves_the_old_output(model, notes, tmp_path, monkeypatch):
    output = tmp_path / "a.jsonl"
    output.write_text("old", encoding="utf8")

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run_module, "write_records", full)
    with pytest.raises(OSError, match="No space left"):
        go(model, notes, output, force=True)
    assert output.read_text(encoding="utf8") == "old"
    monkeypatch.undo()
    assert go(model, notes, output).texts == 40
