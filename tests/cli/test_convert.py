import json

import pytest

from spacy_medflat.cli.convert import convert
from spacy_medflat.corpus.formats.registry import read_records, write_records
from spacy_medflat.corpus.record import Entity, Record

from ..corpus.helpers import content, tumour, write
from .apps import run


@pytest.fixture
def source(tmp_path):
    records = [tumour(), Record("肺癌", [Entity(0, 2, "dis"), Entity(1, 1, "dis")])]
    write_records(records, tmp_path / "train.json", "cmeee")
    return tmp_path / "train.json"


def test_to_docbin_by_suffix(source, tmp_path):
    result = run(convert, source, tmp_path / "new" / "train.spacy")
    assert result.exit_code == 0
    assert "4 of 5 read" in result.stdout
    assert "train.json record 2: 'dis' 1-1 ''" in result.stdout
    assert content(read_records(tmp_path / "new" / "train.spacy")) == [
        (tumour().text, tumour().entities),
        ("肺癌", [Entity(0, 2, "dis")]),
    ]


def test_all_options(source, tmp_path):
    out, report = tmp_path / "out", tmp_path / "report.json"
    result = run(
        convert, source, out, "--from", "cmeee", "--to", "docbin", "--spans-key", "gold",
        "--labels", "dis, bod", "--report", report, "--lang", "zh",
    )  # fmt: skip
    assert result.exit_code == 0
    (first, _) = read_records(out, "docbin", "gold")
    assert [e.label for e in first.entities] == ["dis", "bod"]
    problems = json.loads(report.read_text(encoding="utf-8"))["problems"]
    assert {kind: found["count"] for kind, found in problems.items()} == {
        "empty_or_reversed": 1,
        "unknown_label": 1,
    }


def test_the_first_texts(source, tmp_path):
    result = run(convert, source, tmp_path / "first.json", "--limit", "1")
    assert result.exit_code == 0 and "2 of" not in result.stdout.splitlines()[0]
    assert [record.text for record in read_records(tmp_path / "first.json")] == [tumour().text]


def test_to_a_brat_folder(source, tmp_path):
    assert run(convert, source, tmp_path / "brat", "--to", "brat").exit_code == 0
    assert (tmp_path / "brat" / "000001.ann").read_text(encoding="utf-8").startswith("T1\tdis 0 6\t右肺上叶腺癌\n")


@pytest.mark.parametrize(
    ("content_", "arguments", "message"),
    [
        ('[{"text": "肺"', [], "bad.json line 1 column 14: not JSON"),
        (b"[\xff]", [], "not UTF-8"),
        ("", [], "the file is empty"),
        ('[{"text": 3}]', [], "bad.json record 1: not a CMeEE record: text"),
        ('[{"text": "肺"}]', ["--from", "xml"], "unknown format 'xml'"),
        ('[{"text": "肺"}]', ["--to", "xml"], "unknown format 'xml'"),
        ('[{"text": "肺"}]', ["--lang", "klingon"], "no language 'klingon'"),
        (
            '[{"text": "肺", "entities": [{"start_idx": 0, "end_idx": 5, "type": "bod"}]}]',
            ["--strict"],
            "bad.json record 1: out_of_text: 'bod' 0-6 '肺'",
        ),
        (
            '[{"text": "肺  ", "entities": [{"start_idx": 0, "end_idx": 1, "type": "bod"}]}]',
            ["--strict"],
            "unaligned",
        ),
    ],
)
def test_failure_is_one_line_and_leaves_the_output_alone(content_, arguments, message, tmp_path):
    bad = write(tmp_path / "bad.json", content_)
    out = write(tmp_path / "out.spacy", "old")
    result = run(convert, bad, out, *arguments)
    assert result.exit_code == 1
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert out.read_text() == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bad.json", "out.spacy"]


def test_a_submission_is_checked_before_it_is_written(source, tmp_path):
    test = write(tmp_path / "test.json", json.dumps([{"text": tumour().text}, {"text": "肺癌"}]))
    out = tmp_path / "CMeEE_test.json"
    result = run(convert, source, out, "--submission", test)
    assert (result.exit_code, out.exists()) == (1, False)
    assert "train.json record 2: empty_or_reversed" in result.stderr
    write_records([tumour(), Record("肺癌", [Entity(0, 2, "dis")])], source, "cmeee")
    assert run(convert, source, out, "--submission", test).exit_code == 0
    assert out.read_text(encoding="utf-8") == source.read_text(encoding="utf-8")
    test.write_text(json.dumps([{"text": tumour().text}]), encoding="utf-8")
    result = run(convert, source, tmp_path / "other.json", "--submission", test)
    assert result.exit_code == 1 and "other.json record 2: one text too many; test.json has 1" in result.stderr
    assert not (tmp_path / "other.json").exists()


def test_paths_that_do_not_fit(source, tmp_path):
    for arguments, message in [
        ((tmp_path / "none.json", tmp_path / "a.spacy"), "no such file or folder"),
        ((source, tmp_path / "a.xyz"), "the suffix tells no format"),
        ((source, tmp_path, "--to", "brat"), "this folder is not empty"),
        ((tmp_path, tmp_path / "a.spacy"), "no .txt file"),
    ]:
        result = run(convert, *arguments)
        assert (result.exit_code, message in result.stderr) == (1, True), result.output


def test_half_a_surrogate_pair_is_reported(tmp_path):
    source = write(tmp_path / "a.json", '[{"text": "\\ud83d"}, {"text": "肺"}]')
    result = run(convert, source, tmp_path / "a.spacy")
    assert result.exit_code == 0
    assert "surrogate 1" in result.stdout
    assert content(read_records(tmp_path / "a.spacy")) == [("肺", [])]


def test_no_texts(tmp_path):
    result = run(convert, write(tmp_path / "a.json", "[]"), tmp_path / "a.spacy")
    assert result.exit_code == 0
    assert content(read_records(tmp_path / "a.spacy")) == []


def test_help_names_the_formats():
    assert "docbin" in run(convert, "--help").stdout


LINE = '{"text": "肺癌", "entities": [{"start": 0, "end": 2, "label": "dis"}]}\n'


@pytest.mark.parametrize(
    ("broken", "detail"),
    [
        ('{"text": "肺', "a.jsonl line 2: column 10: not JSON"),
        ('{"text": 3}', "a.jsonl line 2: not a plain JSON-lines record: text"),
        ("[]", "a.jsonl line 2: not a plain JSON-lines record"),
        (b"\xb7\xce", "a.jsonl line 2: not UTF-8 (byte 0xb7)"),
        ("\x00", "a.jsonl line 2: column 1: not JSON"),
    ],
)
def test_a_broken_line_is_skipped_and_listed(broken, detail, tmp_path):
    broken = broken.encode() if isinstance(broken, str) else broken
    source = write(tmp_path / "a.jsonl", LINE.encode() + broken + b"\n" + LINE.replace("癌", "炎").encode())
    result = run(convert, source, tmp_path / "b.jsonl")
    assert result.exit_code == 0
    assert "2 of 3 read" in result.stdout and "unreadable 1" in result.stdout and detail in result.stdout
    assert len((tmp_path / "b.jsonl").read_text(encoding="utf-8").splitlines()) == 2
    strict = run(convert, source, tmp_path / "c.jsonl", "--strict")
    assert (strict.exit_code, (tmp_path / "c.jsonl").exists()) == (1, False)
    assert "a.jsonl line 2: unreadable: " in strict.stderr


def test_a_file_of_broken_lines_is_refused(tmp_path):
    result = run(convert, write(tmp_path / "a.jsonl", LINE.encode("utf-16")), tmp_path / "b.jsonl")
    assert result.exit_code == 1 and "a.jsonl line 1: not UTF-8" in result.stderr
    assert "none of 2 texts can be read" in result.stderr


def test_what_cannot_be_cut_says_so(tmp_path):
    for name, data, message in [
        ("a.json", '[{"text": "肺"},\n{"text"', "one JSON array is read as a whole or not at all"),
        ("a.json", b'[{"text": "\xff"}]', "one JSON array is read as a whole or not at all"),
        ("a.spacy", b"x", "a .spacy file is read as a whole or not at all"),
    ]:
        assert message in run(convert, write(tmp_path / name, data), tmp_path / "b.jsonl").stderr


def test_annotations_that_are_not_read_are_an_error(tmp_path):
    prodigy = LINE.replace("entities", "spans")
    source = write(tmp_path / "a.jsonl", prodigy)
    assert run(convert, source, tmp_path / "b.jsonl").exit_code == 0
    assert content(read_records(tmp_path / "b.jsonl")) == [("肺癌", [Entity(0, 2, "dis")])]
    for text, name, message in [
        (prodigy, "jsonl", "field 'spans' looks like annotations, but plain JSON-lines"),
        (LINE + LINE.replace("start", "start_idx"), "jsonl", "It looks like cmeee; name it with --from"),
        (LINE.replace("entities", "entites"), None, "if it is a misspelt 'entities', correct it"),
        (LINE.replace("}]}", '}], "label": [[0, 2, "dis"]]}'), None, "field 'label' looks like annotations"),
        ('{"text": "肺癌", "label": [[0, 2, "x"]], "entities": [{"start_offset": 0, "end_offset": 1, "label": "x"}]}',
         "doccano", "annotations in label and entities at once"),
    ]:  # fmt: skip
        result = run(convert, write(source, text), tmp_path / "c.jsonl", *(["--from", name] if name else []))
        assert (result.exit_code, message in result.stderr) == (1, True), result.output
        assert not (tmp_path / "c.jsonl").exists()


@pytest.mark.parametrize("text", ['{"text": "肺"}\n', ""])
def test_no_entity_at_all_is_a_warning(text, tmp_path):
    result = run(convert, write(tmp_path / "a.jsonl", text), tmp_path / "b.jsonl", "--strict")
    assert result.exit_code == 0 and "no_entities 1" in result.stdout


def test_one_folder_with_several_encodings(tmp_path):
    folder = tmp_path / "notes"
    write_records([Record("肺癌", [Entity(0, 2, "dis")], id="a"), Record("肺炎", id="b")], folder, "brat")
    write(folder / "c.txt", "胃癌".encode("gb18030"))
    write(folder / "d.txt", "胃癌")
    write(folder / "d.ann", "T1\tdis 0 2\t胃癌\nT2\tdis 0 2\t胃癌".encode("gb18030"))
    write(folder / "e.ann", "T1\tdis 0 2\t胃癌\n")
    write(folder / "f.txt", "肝癌")
    write(folder / "f.ann", "T1\tdis 0 2\t肝癌\nT2 dis\n")
    write(folder / "g.txt", "")
    result = run(convert, folder, tmp_path / "b.jsonl")
    assert result.exit_code == 0
    assert "4 of 7 read" in result.stdout and "unreadable 3" in result.stdout
    for detail in ("c.txt: line 1: not UTF-8", "d.txt: d.ann line 1: not UTF-8", "e.ann: annotations without a text",
                   "f.ann line 2: not a brat annotation"):  # fmt: skip
        assert detail in result.stdout
    assert len(list(read_records(tmp_path / "b.jsonl"))) == 4
    assert run(convert, folder, tmp_path / "c.jsonl", "--strict").exit_code == 1
