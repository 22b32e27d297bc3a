import io
import json
import subprocess
import sys
from contextlib import contextmanager

import pytest
from typer.testing import CliRunner

from spacy_medflat.cli import medflat_cli
from spacy_medflat.cli.progress import texts_done
from spacy_medflat.scale.run import State
from spacy_medflat.scale.run_folder import PartsFolder

from ..scale.archives import read_lines, rows, save_ruler, write_lines


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save_ruler(tmp_path_factory.mktemp("model"))


@pytest.fixture
def archive(tmp_path):
    return write_lines(tmp_path / "notes.jsonl", rows(7))


def run(model, *arguments, text=None):
    command = ["annotate", *map(str, arguments), "--model", str(model), "--n-process", "1"]
    return CliRunner().invoke(medflat_cli, command, input=text, env={"COLUMNS": "200"})


@contextmanager
def interrupted_at(number, monkeypatch):
    """Ctrl-C when this part is to be written."""
    written = PartsFolder.write

    def write(folder, part):
        if part.number == number:
            raise KeyboardInterrupt
        written(folder, part)

    with monkeypatch.context() as patch:
        patch.setattr(PartsFolder, "write", write)
        yield


def test_annotate_and_once_more(model, archive, tmp_path):
    result = run(model, archive, "-o", tmp_path / "out.jsonl")
    assert result.exit_code == 0, result.output
    assert result.stdout == "" and f"7 texts with 28 entities in {tmp_path / 'out.jsonl'}\n" == result.stderr
    again = run(model, archive, "-o", tmp_path / "out.jsonl")
    assert again.exit_code == 0 and "Complete already: 7 texts" in again.stderr


def test_options_and_standard_input(model, tmp_path):
    lines = '{"nr": 1, "report": "咳嗽", "entities": "old"}\n{"nr": 2}\n'
    arguments = ["--text-field", "report", "--id-field", "nr", "--entities-field", "found", "--buffer", "1"]
    result = run(model, "-", "-o", tmp_path / "out", "--to", "jsonl", *arguments, text=lines)
    assert result.exit_code == 3, result.output
    assert f"1 text failed; see {tmp_path / 'out' / '_errors.jsonl'}" in result.stderr
    (row,) = read_lines(tmp_path / "out" / "part-000001.jsonl")
    assert row == {"nr": 1, "report": "咳嗽", "entities": "old", "found": row["found"]} and len(row["found"]) == 1
    assert [error["id"] for error in read_lines(tmp_path / "out" / "_errors.jsonl")] == [2]
    result = run(model, "-", "--from", "lines", "-o", tmp_path / "lines.jsonl", text="咳嗽\n右肺\n")
    assert [row["text"] for row in read_lines(tmp_path / "lines.jsonl")] == ["咳嗽", "右肺"]


def test_piped_texts_are_known_again(model, tmp_path, monkeypatch):
    lines = [f'{{"id": {i}, "text": "咳嗽"}}\n' for i in range(10)]
    output = tmp_path / "out.jsonl"
    assert run(model, "-", "-o", output, text="".join(lines)).exit_code == 0
    again = run(model, "-", "-o", output, text="".join(lines))
    assert again.exit_code == 0 and "Complete already: 10 texts" in again.stderr
    for other in (lines[:9], [*lines, lines[0]], [*lines[1:], lines[0]]):
        refused = run(model, "-", "-o", output, text="".join(other))
        assert refused.exit_code == 1 and "of standard input is not what it was" in refused.stderr
    with interrupted_at(4, monkeypatch):
        assert run(model, "-", "-o", tmp_path / "b.jsonl", "--buffer", "2", text="".join(lines)).exit_code == 130
    shorter = run(model, "-", "-o", tmp_path / "b.jsonl", text="".join(lines[:4]))
    assert shorter.exit_code == 1 and "the end after part 2 of standard input is not what it was" in shorter.stderr
    assert run(model, "-", "-o", tmp_path / "b.jsonl", text="".join(lines)).exit_code == 0
    assert (tmp_path / "b.jsonl").read_bytes() == output.read_bytes()


def test_a_wrong_setting_costs_nothing_that_was_there(model, archive, tmp_path):
    output = tmp_path / "out"
    assert run(model, archive, "-o", output).exit_code == 0
    before = {path.name: path.read_bytes() for path in output.iterdir()}
    for wrong in (["--spans-key", "snts"], ["--code", tmp_path / "none.py"]):
        assert run(model, archive, "-o", output, "--force", *wrong).exit_code == 1
        assert {path.name: path.read_bytes() for path in output.iterdir()} == before
    assert run(model, archive, "-o", tmp_path / "new", "--spans-key", "snts").exit_code == 1
    assert run(model, archive, "-o", tmp_path / "new", "--spans-key", "sc").exit_code == 0
    inside = run(model, output / "part-000001.jsonl", "-o", output, "--entities-field", "second", "--force")
    assert inside.exit_code == 1 and "lies where" in inside.stderr
    (output / "part-000001.jsonl").unlink()
    gone = run(model, archive, "-o", output)
    assert gone.exit_code == 1 and "lacks 1 of its 1 parts" in gone.stderr


def test_what_is_passed_over_and_what_is_not_written_is_said(model, tmp_path):
    folder = tmp_path / "ward"
    folder.mkdir()
    for name in ("a.txt", "B.TXT", "c.text", "d.text", "_hidden.text"):
        (folder / name).write_text("咳嗽", encoding="utf8")
    result = run(model, folder, "-o", tmp_path / "OUT.JSONL")
    assert result.exit_code == 0 and "2 files of unknown kind passed over (.text ×2)" in result.stderr
    assert [row["id"] for row in read_lines(tmp_path / "OUT.JSONL")] == ["B", "a"]
    wrong = run(model, folder, "-o", tmp_path / "out.json")
    assert wrong.exit_code == 1 and ".json is not written; name a folder, or a file in .jsonl" in wrong.stderr


def test_what_a_format_cannot_hold_is_counted(model, archive, tmp_path):
    result = run(model, archive, "-o", tmp_path / "brat", "--to", "brat")
    assert "The format could not hold: dropped_meta ×" in result.stderr


def test_ctrl_c_says_how_to_go_on(model, archive, tmp_path, monkeypatch):
    with interrupted_at(3, monkeypatch):
        stopped = run(model, archive, "-o", tmp_path / "out.jsonl", "--buffer", "2")
    assert stopped.exit_code == 130
    assert stopped.stderr == "Interrupted. What is done stays; the same command goes on.\n"
    resumed = run(model, archive, "-o", tmp_path / "out.jsonl", "--buffer", "2")
    assert resumed.exit_code == 0 and "4 of them were done before" in resumed.stderr
    assert len(read_lines(tmp_path / "out.jsonl")) == 7


def test_other_versions_are_a_warning(model, archive, tmp_path, monkeypatch):
    run(model, archive, "-o", tmp_path / "out.jsonl")
    manifest = tmp_path / "out.jsonl.run" / "_manifest.json"
    content = json.loads(manifest.read_text("utf-8"))
    content["versions"]["thinc"] = "1.0"
    manifest.write_text(json.dumps(content), "utf-8")
    result = run(model, archive, "-o", tmp_path / "out.jsonl")
    assert result.exit_code == 0 and "Warning: thinc was 1.0 when the run began" in result.stderr
    manifest.write_text("{", "utf-8")
    damaged = run(model, archive, "-o", tmp_path / "out.jsonl")
    assert damaged.exit_code == 1 and "_manifest.json: damaged, or of another version" in damaged.stderr
    assert run(model, archive, "-o", tmp_path / "out.jsonl", "--force").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{in}", "-o", "{in}"], "is one of the inputs"),
        (["none.jsonl", "-o", "{out}"], "none.jsonl: no such file or folder"),
        (["{in}", "-o", "{out}", "--to", "xml"], "unknown output format 'xml'"),
        (["{in}", "-o", "{out}", "--spans-key", "none"], "see --spans-key\n"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_1(arguments, message, model, archive, tmp_path):
    places = {"in": archive, "out": tmp_path / "out.jsonl"}
    result = run(model, *(argument.format(**places) for argument in arguments))
    assert result.exit_code == 1 and message in result.stderr
    assert result.stderr.count("\n") == 1
    assert len(read_lines(archive)) == 7


def test_a_run_in_which_every_text_fails_has_failed(model, tmp_path):
    archive = write_lines(tmp_path / "notes.jsonl", [{"body": "肺"}] * 2)
    assert run(model, archive, "-o", tmp_path / "out.jsonl").exit_code == 1


def test_progress_shows_rate_and_remaining_time_in_a_terminal_only(monkeypatch):
    for is_terminal in (True, False):
        screen = io.StringIO()
        screen.isatty = lambda is_terminal=is_terminal: is_terminal
        monkeypatch.setattr(sys, "stderr", screen)
        monkeypatch.setenv("COLUMNS", "200")
        monkeypatch.setenv("TERM", "xterm")
        with texts_done() as progress:
            progress(State(1000, 0, 50, 100))
            progress(State(1500, 3, 75, 100))
        shown = screen.getvalue()
        assert ("1,500 texts, " in shown and "a second, 3 failed" in shown) is is_terminal


@pytest.mark.parametrize(
    ("piped", "arguments", "code", "said"),
    [
        ("咳嗽\n右肺\n".encode(), [], 0, "standard input is read as one text a line"),
        ("咳嗽\n右肺\n".encode("gbk"), ["--encoding", "gbk"], 0, "2 texts with"),
        ("咳嗽，右肺上叶腺癌\n右肺上叶\n".encode("gbk"), [], 0, "2 texts with"),
        (b'{"text": "a"}\n{"text": "b"}\n', [], 0, "2 texts with"),
        (b'{"note": "a"}\n{"note": "b"}\n', [], 1, "standard input line 1: no field 'text'; it has 'note'"),
        ("咳嗽\n".encode(), ["--from", "jsonl"], 1, "standard input line 1 column 1: not JSON"),
    ],
)
def test_what_is_piped(model, tmp_path, monkeypatch, piped, arguments, code, said):
    monkeypatch.chdir(tmp_path)
    done = run(model, "-", "-o", "out.jsonl", *arguments, text=piped)
    assert done.exit_code == code and said in done.stderr, done.output
    if code == 0:
        assert len(read_lines(tmp_path / "out.jsonl")) == 2
    else:
        assert list(tmp_path.iterdir()) == []


def test_what_is_piped_to_a_process(model, tmp_path):
    command = [sys.executable, "-m", "spacy", "medflat", "annotate", "-", "-m", str(model), "-o", "out.jsonl"]
    piped = "咳嗽，右肺上叶腺癌\n右肺上叶\n".encode("gbk")
    done = subprocess.run(command, cwd=tmp_path, input=piped, capture_output=True, check=False)
    assert done.returncode == 0 and "2 texts with" in done.stderr.decode(), done.stderr.decode()
    assert len(read_lines(tmp_path / "out.jsonl")) == 2
