"""`medflat select`: notes to tasks, and back through `convert`."""

import json

import pytest
from typer.testing import CliRunner

from spacy_medflat.cli import medflat_cli
from spacy_medflat.corpus.formats.registry import read_records
from spacy_medflat.selection.tasks import TOOLS

from ..pipelines import SENTENCES, cnn_pipeline, train, transformer_pipeline, write_recipe
from ..selection.notes import documents


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    nlp = cnn_pipeline()
    train(nlp, 40)
    path = tmp_path_factory.mktemp("model")
    nlp.to_disk(path)
    return path


@pytest.fixture
def notes(tmp_path):
    path = tmp_path / "notes.jsonl"
    rows = [{"id": f"n{i}", "text": note.text, "ward": i % 4} for i, note in enumerate(documents(30))]
    rows += [{"id": f"s{i}", "text": f"{text}，复查"} for i, (text, _) in enumerate(SENTENCES)]
    path.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), encoding="utf8")
    return path


def run(*arguments, text=None):
    command = [str(argument) for argument in arguments]
    return CliRunner().invoke(medflat_cli, command, input=text, env={"COLUMNS": "200"})


@pytest.mark.parametrize("tool", TOOLS)
def test_notes_become_tasks_and_come_back(tool, model, notes, tmp_path):
    output = tmp_path / f"todo{TOOLS[tool].suffix}"
    report = tmp_path / "report.json"
    result = run("select", model, notes, "--count", "8", "-o", output, "--to", tool, "--report", report)
    assert result.exit_code == 0, result.output
    assert "8 notes of 35 with" in result.stdout and TOOLS[tool].hint in result.stdout
    back = run("convert", output, tmp_path / "back.jsonl", "--from", tool)
    assert back.exit_code == 0, back.output
    records = list(read_records(tmp_path / "back.jsonl"))
    chosen = json.loads(report.read_text(encoding="utf8"))["chosen"]
    assert sorted(record.id for record in records) == sorted(note["id"] for note in chosen)
    assert sum(len(record.entities) for record in records) == sum(note["suggestions"] for note in chosen) > 0
    given = {row["id"]: row["text"] for row in map(json.loads, notes.read_text(encoding="utf8").splitlines())}
    assert all(record.text == given[record.id] for record in records)


def test_the_next_hundred_leaves_out_the_last_one(model, notes, tmp_path):
    seen = set()
    done = []
    for number in range(5):
        output = tmp_path / f"{number}.jsonl"
        result = run(
            "select", model, notes, "--count", "8", "-o", output, *(p for d in done for p in ("--labelled", d))
        )
        assert result.exit_code == 0, result.output
        texts = {record.text for record in read_records(output, "doccano")}
        assert not texts & seen
        seen |= texts
        done.append(output)
        if number == 4:
            assert "only 3 notes can be chosen, of 8 notes that are wanted" in result.stderr
    assert len(seen) == 35
    result = run("select", model, notes, "-o", tmp_path / "x.jsonl", *(p for d in done for p in ("--labelled", d)))
    assert result.exit_code == 1 and "none of 35 notes is left: 35 the same as a labelled one" in result.stderr
    assert not (tmp_path / "x.jsonl").exists()


def test_without_a_pipeline_from_a_pipe(tmp_path):
    lines = "".join(f"{note.text}\n" for note in documents(20))
    result = run("select", "blank", "-", "--count", "5", "-o", tmp_path / "todo", "--from", "lines", text=lines)
    assert result.exit_code == 0, result.output
    assert len(list((tmp_path / "todo").glob("*.txt"))) == 5 and "with 0 suggestions" in result.stdout


def test_at_random_with_a_seed(model, notes, tmp_path):
    texts = []
    for number, seed in enumerate(["1", "1", "2"]):
        output = tmp_path / f"{number}.jsonl"
        assert run("select", model, notes, "--random", "--seed", seed, "--count", "6", "-o", output).exit_code == 0
        texts.append(output.read_text(encoding="utf8"))
    assert texts[0] == texts[1] != texts[2]


def test_what_is_left_out_is_shown_with_its_first_place(model, tmp_path):
    notes = tmp_path / "notes.jsonl"
    good = [json.dumps({"text": note.text}, ensure_ascii=False) for note in documents(3)]
    odd = ["{", '{"text": null}', '{"text": "12.5"}', good[0]]
    notes.write_text("".join(f"{line}\n" for line in [*good, *odd]), encoding="utf8")
    result = run("select", model, notes, "-o", tmp_path / "todo.jsonl", "--count", "3")
    assert result.exit_code == 0, result.output
    for line in ("cannot be read", "no letters in it", "the same as another one of the pool"):
        assert line in result.stdout
    assert "notes.jsonl line 4 column 2: not JSON" in result.stdout and "notes.jsonl line 6" in result.stdout


def test_brat_warns_of_emoji(model, tmp_path):
    notes = tmp_path / "notes.txt"
    notes.write_text("👩右肺上叶腺癌术后\n", encoding="utf8")
    result = run("select", model, notes, "-o", tmp_path / "todo", "--from", "lines", "--count", "1")
    assert result.exit_code == 0 and "1 note with emoji or rare characters" in result.stderr
    result = run("select", model, notes, "-o", tmp_path / "todo.json", "--from", "lines", "--count", "1")
    assert "emoji" not in result.stderr and '<Label value="bod"/>' in result.stdout


def test_lines_in_a_text_file_are_told_how(model, tmp_path):
    notes = tmp_path / "notes.txt"
    notes.write_text("".join(f"{note.text}\n" for note in documents(30)), encoding="utf8")
    command = ["select", model, notes, "-o", tmp_path / "todo.jsonl", "--count", "3"]
    result = run(*command, "--max-length", "100")
    assert result.exit_code == 1 and "none of 1 note is left: 1 longer than" in result.stderr
    assert "add --from lines" in result.stderr
    result = run(*command, "--from", "lines")
    assert result.exit_code == 0 and "--from lines" not in result.stderr, result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no_such_model", "{notes}", "-o", "{out}"], "no pipeline 'no_such_model'"),
        (["{model}", "none.jsonl", "-o", "{out}"], "none.jsonl: no such file or folder"),
        (["{model}", "{notes}", "-o", "{notes}"], "is one of the inputs"),
        (["{model}", "{folder}", "-o", "{folder}/out.jsonl"], "lies in the input folder"),
        (["{model}", "{notes}", "-o", "{out}", "--labelled", "{out}"], "is one of the inputs"),
        (["{model}", "{notes}", "-o", "{out}", "--labelled", "none.jsonl"], "none.jsonl: no such file"),
        (["{model}", "{notes}", "-o", "{out}", "--to", "excel"], "unknown tool 'excel'"),
        (["{model}", "{notes}", "-o", "{full}", "--to", "brat"], "this folder is not empty"),
        (["{model}", "{notes}", "-o", "{out}", "--text-field", "report"], "no field 'report'"),
        (["{model}", "{notes}", "-o", "{out}", "--encoding", "utf9"], "unknown encoding 'utf9'"),
        (["{model}", "{notes}", "-o", "{out}", "--mixed-precision"], "has a mixed precision"),
        (["{model}", "{numbers}", "-o", "{out}", "--from", "lines"], "none of 2 notes is left: 2 no letters in it"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_1(arguments, message, model, notes, tmp_path):
    for name in ("folder", "full"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text("肺", encoding="utf8")
    (tmp_path / "numbers.txt").write_text("12\n34.5\n", encoding="utf8")
    places = {
        "model": model,
        "notes": notes,
        "out": tmp_path / "todo.jsonl",
        "folder": tmp_path / "folder",
        "full": tmp_path / "full",
        "numbers": tmp_path / "numbers.txt",
    }
    before = notes.read_bytes()
    result = run("select", *(argument.format(**places) for argument in arguments))
    assert result.exit_code == 1, result.output
    assert message in result.stderr.replace("\n", " ") and "Traceback" not in result.output
    assert not (tmp_path / "todo.jsonl").exists() and notes.read_bytes() == before


def test_a_full_disk_leaves_what_was_there(model, notes, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    (tmp_path / "todo.jsonl").write_text("old")
    monkeypatch.setattr("spacy_medflat.selection.tasks.write_records", full)
    result = run("select", model, notes, "-o", tmp_path / "todo.jsonl", "--count", "3")
    assert result.exit_code == 1 and "No space left on device" in result.stderr
    assert (tmp_path / "todo.jsonl").read_text() == "old"


def test_in_half_precision(notes, tmp_path):
    nlp = transformer_pipeline(write_recipe(tmp_path / "encoder"))
    train(nlp, 1)
    nlp.to_disk(tmp_path / "model")
    result = run("select", tmp_path / "model", notes, "-o", tmp_path / "a.jsonl", "--count", "3", "--mixed-precision")
    assert result.exit_code == 0, result.output
