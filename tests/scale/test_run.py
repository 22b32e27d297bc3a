"""Whole runs in one process: what comes out, how they resume, and how they refuse."""

import errno
import gzip
import json
import os
import shutil
from pathlib import Path

import pytest

from spacy_medflat.corpus.formats.brat import read_brat
from spacy_medflat.corpus.formats.docbin import read_docbin
from spacy_medflat.errors import MedflatError
from spacy_medflat.scale.run_folder import PartsFolder

from .archives import expected, read_lines, rows, run, spans_of, write_lines
from .faults import BAD

pytestmark = pytest.mark.usefixtures("fast")


@pytest.fixture
def archive(tmp_path):
    return write_lines(tmp_path / "notes.jsonl", rows(20))


def files_of(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_order_fields_and_entities(archive, ruler, tmp_path):
    outcome = run(archive, tmp_path / "out.jsonl", ruler)
    found = read_lines(tmp_path / "out.jsonl")
    assert [{key: value for key, value in row.items() if key != "entities"} for row in found] == rows(20)
    assert all(spans_of(row) == expected(row["text"]) for row in found)
    assert all(e["text"] == row["text"][e["start"] : e["end"]] for row in found for e in row["entities"])
    assert [*found[0]] == ["id", "text", "ward", "entities"]
    summary = outcome.summary
    assert (summary.documents, summary.failed, summary.parts) == (20, 0, 7)
    assert summary.entities == sum(len(row["entities"]) for row in found) > 0
    assert sorted(path.name for path in outcome.folder.iterdir()) == ["_manifest.json", "_summary.json"]


def test_a_folder_gets_parts_that_are_the_joined_file(archive, ruler, tmp_path):
    run(archive, tmp_path / "out.jsonl", ruler)
    run(archive, tmp_path / "out", ruler)
    parts = sorted((tmp_path / "out").glob("part-*.jsonl"))
    assert [part.name for part in parts][::6] == ["part-000001.jsonl", "part-000007.jsonl"]
    assert b"".join(part.read_bytes() for part in parts) == (tmp_path / "out.jsonl").read_bytes()
    again = run(tmp_path / "out", tmp_path / "again.jsonl", ruler, fields={"entities": "second"})
    assert again.summary.documents == 20
    assert all(row["entities"] == row["second"] for row in read_lines(tmp_path / "again.jsonl"))


def test_packed_docbin_and_brat(archive, ruler, tmp_path):
    run(archive, tmp_path / "out.jsonl", ruler)
    run(archive, tmp_path / "out.jsonl.gz", ruler)
    assert gzip.decompress((tmp_path / "out.jsonl.gz").read_bytes()) == (tmp_path / "out.jsonl").read_bytes()
    run(archive, tmp_path / "out.spacy", ruler)
    records = list(read_docbin(tmp_path / "out.spacy"))
    assert [(r.id, r.text, r.meta["ward"]["nr"]) for r in records] == [
        (row["id"], row["text"], row["ward"]["nr"]) for row in rows(20)
    ]
    assert all({(e.start, e.end, e.label) for e in r.entities} == expected(r.text) for r in records)
    outcome = run(archive, tmp_path / "brat", ruler, target="brat")
    texts = [record.text for record in read_brat(tmp_path / "brat")]
    assert sorted(texts) == sorted(row["text"] for row in rows(20))
    assert all(
        {(e.start, e.end, e.label) for e in r.entities} == expected(r.text) for r in read_brat(tmp_path / "brat")
    )
    # The nested field of each, and in each of the 7 parts an identifier that comes twice.
    assert outcome.summary.left_out == {"dropped_meta": 20 + 7}


class Interruption(BaseException):
    pass


@pytest.mark.parametrize("target", ["out.jsonl", "out", "out.spacy", "brat"])
def test_interrupted_at_any_step_and_resumed(target, ruler, tmp_path, monkeypatch):
    archive = write_lines(tmp_path / "notes.jsonl", [*rows(5), "{broken", *rows(2)])
    settings = {"target": "brat"} if target == "brat" else {}

    def outputs(place):
        return {name: data for name, data in files_of(place).items() if not name.endswith("_manifest.json")}

    run(archive, tmp_path / "whole" / target, ruler, **settings)
    whole = outputs(tmp_path / "whole")
    assert any(name.endswith("_errors.jsonl") for name in whole)
    replace = Path.replace
    for step in range(100):
        place = tmp_path / f"step-{step}"
        count = iter(range(1000))

        def interrupt(path, to, count=count, step=step):
            if next(count) == step:
                raise Interruption
            return replace(path, to)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", interrupt)
            try:
                run(archive, place / target, ruler, **settings)
            except Interruption:
                pass
            else:
                break
        outcome = run(archive, place / target, ruler, **settings)
        assert outcome.summary.documents == 7 and outcome.resumed <= 7
        assert outputs(place) == whole, step
        shutil.rmtree(place)
    # Manifest, three parts with their receipts, errors and summary.
    assert step >= 9


def test_what_is_done_is_not_annotated_again(archive, faulty, tmp_path, monkeypatch):
    def stop(state):
        if state.documents >= 9:
            raise Interruption

    with pytest.raises(Interruption):
        run(archive, tmp_path / "out.jsonl", faulty, progress=stop)
    states = []
    outcome = run(archive, tmp_path / "out.jsonl", faulty, progress=states.append)
    assert outcome.resumed == 9
    assert [state.documents for state in states] == [12, 15, 18, 20]
    assert states[-1].position == states[-1].total == archive.stat().st_size
    assert len(read_lines(tmp_path / "out.jsonl")) == 20


def test_a_run_that_an_earlier_version_began_is_resumed(ruler, tmp_path):
    archive = write_lines(tmp_path / "notes.jsonl", ["{broken", *rows(8)])
    run(archive, tmp_path / "whole.jsonl", ruler)

    def stop(state):
        raise Interruption

    with pytest.raises(Interruption):
        run(archive, tmp_path / "out.jsonl", ruler, progress=stop)
    folder = tmp_path / "out.jsonl.run"
    manifest = json.loads((folder / "_manifest.json").read_text("utf-8"))
    # As the first version wrote them; only what depends on the machine is of this one.
    earlier = {
        "inputs": {name: manifest["inputs"][name] for name in ("paths", "files", "bytes", "digest")},
        "kind": None,
        "model": {name: manifest["model"][name] for name in ("name", "digest", "code")},
        "target": "jsonl",
        "joined": True,
        "fields": {"text": "text", "id": "id", "entities": "entities"},
        "spans_key": None,
        "mixed_precision": False,
        "batch_size": 64,
        "buffer": 3,
        "versions": manifest["versions"],
    }
    receipt = {
        "documents": 2,
        "entities": 4,
        "failures": [[None, f"{archive} line 1", "as an earlier version put it"]],
        "left_out": {},
        "digest": None,
    }
    assert manifest == {**earlier, "encoding": None, "lowest": None}
    assert json.loads((folder / "_receipts" / "000001.json").read_text("utf-8")).keys() == receipt.keys()
    (folder / "_manifest.json").write_text(json.dumps(earlier), "utf-8")
    (folder / "_receipts" / "000001.json").write_text(json.dumps(receipt), "utf-8")
    outcome = run(archive, tmp_path / "out.jsonl", ruler, buffer=0)
    assert (outcome.resumed, outcome.summary.documents, outcome.summary.failed) == (2, 8, 1)
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    (error,) = read_lines(folder / "_errors.jsonl")
    assert error == {"id": None, "place": f"{archive} line 1", "reason": "as an earlier version put it"}


def test_a_complete_run_is_not_done_again(archive, ruler, tmp_path):
    run(archive, tmp_path / "out.jsonl", ruler)
    before = files_of(tmp_path)
    outcome = run(archive, tmp_path / "out.jsonl", ruler)
    assert outcome.already_complete and outcome.summary.documents == 20
    assert files_of(tmp_path) == before
    (tmp_path / "out.jsonl").unlink()
    with pytest.raises(MedflatError, match="was complete and is gone; start anew with --force"):
        run(archive, tmp_path / "out.jsonl", ruler)
    assert not run(archive, tmp_path / "out.jsonl", ruler, force=True).already_complete
    assert files_of(tmp_path) == before


def test_another_run_is_refused_and_forced(archive, ruler, faulty, tmp_path):
    output = tmp_path / "out.jsonl"
    run(archive, output, ruler)
    old = output.read_bytes()
    for changes, message in [
        ({"buffer": 4}, "buffer was 3, now 4"),
        ({"batch_size": 7}, "batch_size was 64, now 7"),
        ({"spans_key": "other"}, "spans_key was None, now 'other'"),
        ({"fields": {"text": "ward"}}, "fields was"),
    ]:
        with pytest.raises(MedflatError, match=f"belongs to another run: {message}"):
            run(archive, output, ruler, **changes)
    with pytest.raises(MedflatError, match="belongs to another run: model was"):
        run(archive, output, faulty)
    write_lines(archive, rows(5))
    with pytest.raises(MedflatError, match="belongs to another run: inputs was"):
        run(archive, output, ruler)
    assert output.read_bytes() == old
    # What is not given is taken from the earlier run.
    write_lines(archive, rows(5))
    assert run(archive, output, ruler, force=True, buffer=4).summary.documents == 5
    assert run(archive, output, ruler, buffer=0).already_complete


def test_the_weights_are_part_of_the_model(archive, ruler, tmp_path):
    model = tmp_path / "model"
    shutil.copytree(ruler, model)
    run(archive, tmp_path / "out.jsonl", model)
    (patterns,) = model.glob("span_ruler/patterns")
    patterns.write_bytes(patterns.read_bytes().replace(b"sym", b"dis"))
    with pytest.raises(MedflatError, match="model was"):
        run(archive, tmp_path / "out.jsonl", model)


def test_nothing_of_others_is_touched(archive, ruler, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("x")
    for force in (False, True):
        with pytest.raises(MedflatError, match="this folder is not empty"):
            run(archive, tmp_path / "mine", ruler, force=force)
    (tmp_path / "old.jsonl").write_text("x")
    with pytest.raises(MedflatError, match="this file exists; give another name, or replace it with --force"):
        run(archive, tmp_path / "old.jsonl", ruler)
    assert (tmp_path / "old.jsonl").read_text() == "x"
    for output in (archive, tmp_path / "mine"):
        with pytest.raises(MedflatError, match=r"is one of the inputs|lies in the input folder"):
            run([archive, tmp_path / "mine"], output, ruler, force=True)
    run(archive, tmp_path / "out", ruler)
    (tmp_path / "out" / "letter.txt").write_text("x")
    run(archive, tmp_path / "out", ruler, force=True)
    assert (tmp_path / "out" / "letter.txt").exists()


def test_bad_records_and_failing_texts_are_listed(faulty, tmp_path):
    bad_key = json.dumps({"id": "key", "text": "肺", "entities": [{"start": 0, "end": 1, "label": "bod"}]})
    lines = [
        '{"id": 1, "text": "咳嗽"}',
        "{broken",
        '{"id": "t"}',
        '{"id": 7, "text": 7}',
        '{"text": "\\ud83d"}',
        bad_key,
    ]
    archive = write_lines(tmp_path / "notes.jsonl", [*lines, "[]", {"id": "b", "text": f"咳嗽{BAD}"}, *rows(3)])
    archive.write_bytes(archive.read_bytes() + b'{"id": "u", "text": "\xb7\xce"}\n')
    outcome = run(archive, tmp_path / "out.jsonl", faulty, buffer=100)
    assert [row["id"] for row in read_lines(tmp_path / "out.jsonl")] == [1, "n0", "n0", "n1"]
    assert (outcome.summary.documents, outcome.summary.failed) == (4, 8)
    errors = read_lines(outcome.folder / "_errors.jsonl")
    assert [error["place"].rsplit(maxsplit=1)[1] for error in errors] == ["2", "3", "4", "5", "6", "7", "8", "12"]
    assert [error["id"] for error in errors] == [None, "t", 7, None, "key", None, "b", None]
    for error, reason in zip(
        errors,
        ["not JSON", "no field 'text'; it has 'id'", "must be a string, but it is 7", "half a surrogate pair",
         "has a field 'entities' already", "not an object", "RuntimeError: ", "not UTF-8"],
        strict=True,
    ):  # fmt: skip
        assert reason in error["reason"], error


@pytest.mark.parametrize("nothing", [[], None])
@pytest.mark.parametrize("target", ["jsonl", "parquet"])
def test_an_empty_field_of_entities_is_filled(nothing, target, ruler, tmp_path):
    read = read_lines
    if target == "parquet":
        parquet = pytest.importorskip("pyarrow.parquet", reason="Parquet needs pyarrow")
        read = lambda path: parquet.read_table(path).to_pylist()  # noqa: E731
    archive = write_lines(tmp_path / "notes.jsonl", [{"entities": nothing, **row} for row in rows(3)])
    output = tmp_path / f"out.{target}"
    outcome = run(archive, output, ruler)
    assert (outcome.summary.documents, outcome.summary.failed) == (3, 0)
    found = read(output)
    assert any(row["entities"] for row in found)
    assert all(spans_of(row) == expected(row["text"]) for row in found)


@pytest.mark.parametrize("step", ["write_bytes", "replace"])
def test_a_full_disk_is_one_message_and_what_is_done_stays(step, archive, ruler, tmp_path, monkeypatch):
    whole = tmp_path / "whole.jsonl"
    run(archive, whole, ruler)
    written = PartsFolder.write

    def write(folder, part):
        if part.number == 4:
            monkeypatch.setattr(Path, step, full)
        written(folder, part)

    def full(path, *_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    with monkeypatch.context():
        monkeypatch.setattr(PartsFolder, "write", write)
        with pytest.raises(MedflatError, match=r"No space left on device \(texts done: 9; they stay"):
            run(archive, tmp_path / "out.jsonl", ruler)
        monkeypatch.undo()
    assert run(archive, tmp_path / "out.jsonl", ruler).resumed == 9
    assert (tmp_path / "out.jsonl").read_bytes() == whole.read_bytes()


def test_a_file_that_cannot_be_read_on(ruler, tmp_path):
    good = write_lines(tmp_path / "a.jsonl", rows(6))
    cut = tmp_path / "b.jsonl.gz"
    cut.write_bytes(gzip.compress(good.read_bytes())[:-20])
    with pytest.raises(MedflatError, match=r"b.jsonl.gz: damaged or cut off.*\(texts done: 9; they stay"):
        run([good, cut], tmp_path / "out.jsonl", ruler)
    assert not (tmp_path / "out.jsonl").exists()


def test_long_and_no_texts(ruler, tmp_path):
    long = {"id": "long", "text": "右肺上叶腺癌，" * 7143 + "咳嗽"}
    run(write_lines(tmp_path / "long.jsonl", [*rows(2), long]), tmp_path / "out.jsonl", ruler)
    found = read_lines(tmp_path / "out.jsonl")[2]
    assert len(found["text"]) > 50_000 and spans_of(found) == expected(found["text"])
    for name in ("none.jsonl", "none.spacy", "none.jsonl.gz"):
        assert run(write_lines(tmp_path / "empty.jsonl", []), tmp_path / name, ruler).summary.documents == 0
    assert (tmp_path / "none.jsonl").read_bytes() == b""


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"target": "xml"}, "unknown output format 'xml'; known are jsonl"),
        ({"target": "docbin"}, "this name is for jsonl, not docbin"),
        ({"kind": "xml"}, "unknown kind of input 'xml'"),
        ({"engine": "spark"}, "unknown engine 'spark'; known are local, ray"),
        ({"spans_key": "none"}, "the pipeline writes no span group 'none'; it writes 'sc': see --spans-key"),
    ],
)
def test_settings_that_do_not_fit(settings, message, archive, ruler, tmp_path):
    with pytest.raises(MedflatError, match=message):
        run(archive, tmp_path / "out.jsonl", ruler, **settings)
    with pytest.raises(MedflatError, match="no pipeline 'no_such_model'"):
        run(archive, tmp_path / "out.jsonl", Path("no_such_model"))


def test_two_runs_at_once_are_refused(archive, ruler, tmp_path):
    def second(state):
        with pytest.raises(MedflatError, match="another process is at work"):
            run(archive, tmp_path / "out.jsonl", ruler)

    assert run(archive, tmp_path / "out.jsonl", ruler, progress=second).summary.documents == 20


def test_a_run_that_does_not_begin_leaves_nothing(archive, tmp_path, ruler):
    before = files_of(tmp_path)
    parquet = {"kind": "parquet", "target": "parquet"}
    pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    with pytest.raises(MedflatError, match="not Parquet"):
        run(archive, tmp_path / "out", ruler, **parquet)
    assert files_of(tmp_path) == before and not (tmp_path / "out").exists()


def test_identifiers_that_no_file_can_hold(ruler, tmp_path):
    deep = '{"text": "肺", "deep": ' + "[" * 200 + "]" * 200 + "}"
    lines = ['{"text": "肝"}', '{"id": "\\ud83d", "text": "肺"}', '{"id": [1], "text": 3}', deep]
    outcome = run(write_lines(tmp_path / "notes.jsonl", lines), tmp_path / "out.jsonl", ruler)
    errors = read_lines(outcome.folder / "_errors.jsonl")
    assert [error["id"] for error in errors] == ["\\ud83d", "[1]", None]
    assert "more than 100 deep" in errors[2]["reason"]
