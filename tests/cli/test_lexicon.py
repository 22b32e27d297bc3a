import pytest

from spacy_medflat.cli.lexicon import build, inspect
from spacy_medflat.corpus.formats.registry import write_records
from spacy_medflat.corpus.record import Record
from spacy_medflat.lattice.lexicon import read_lexicon

from ..corpus.helpers import tumour, write
from .apps import run


@pytest.fixture
def files(tmp_path):
    typed = write(tmp_path / "typed.tsv", "右肺上叶\tbod\n咳嗽\tsym\n肺\tbod\nCT\tequ\n")
    counted = write(tmp_path / "counted.tsv", "咳嗽\t90\n咳痰\t2\n上叶\t-\n")
    return typed, counted


def test_build(files, tmp_path):
    result = run(build, *files, tmp_path / "out.tsv", "--min-frequency", "3")
    assert result.exit_code == 0
    assert f"{files[0]}: 4 words" in result.stdout
    assert "together: 6 words, 1 not Chinese, 1 too short" in result.stdout and "out.tsv: 3 words" in result.stdout
    assert (tmp_path / "out.tsv").read_text(encoding="utf8") == (
        "word\ttype\tfrequency\n上叶\t-\t-\n右肺上叶\tbod\t-\n咳嗽\tsym\t90\n"
    )


def test_build_with_other_limits(files, tmp_path):
    drop = write(tmp_path / "drop.txt", "肺\n")
    options = ("--min-length", "1", "--max-length", "2", "--any-script", "--types", "bod, equ,sym", "--drop", drop)
    assert run(build, *files, tmp_path / "out.tsv.gz", *options).exit_code == 0
    assert sorted(read_lexicon(tmp_path / "out.tsv.gz")) == ["CT", "咳嗽"]


def test_build_replaces_nothing_unasked(files, tmp_path):
    before = files[1].read_bytes()
    forgotten = run(build, *files)
    assert forgotten.exit_code == 1 and "this file exists; give another OUT" in forgotten.output.replace("\n", "")
    assert files[1].read_bytes() == before
    assert run(build, files[0], files[1], tmp_path / "out.tsv").exit_code == 0
    assert run(build, files[0], tmp_path / "out.tsv").exit_code == 1
    assert run(build, files[0], tmp_path / "out.tsv", "--force").exit_code == 0


def test_inspect(files, tmp_path):
    write_records([tumour(), Record("无殊")], tmp_path / "dev.json", "cmeee")
    result = run(inspect, files[0], "--data", tmp_path / "dev.json", "--max-length", "3")
    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    assert "4 words, 1 not Chinese, 1 too long, 1 too short" in result.stdout
    assert ["bod", "2"] in lines and ["sym", "1"] in lines
    assert ["over", "3", "1"] in lines and ["2", "2"] in lines
    assert "words a character in 2 texts" in result.stdout
    assert ["sym", "1", "100.0%"] in lines and ["bod", "1", "0.0%"] in lines and ["all", "3", "33.3%"] in lines


def test_inspect_passes_over_what_utf8_cannot_hold(files, tmp_path):
    (tmp_path / "dev.json").write_text('[{"text": "\\ud83d"}, {"text": "咳嗽咳痰"}]', encoding="utf-8")
    result = run(inspect, files[1], "--data", tmp_path / "dev.json")
    assert result.exit_code == 0 and "words a character in 1 text" in result.stdout


def test_inspect_alone_and_without_entities(files, tmp_path):
    assert "words a character" not in run(inspect, files[1]).stdout
    write_records([Record("咳嗽咳痰")], tmp_path / "dev.json", "cmeee")
    result = run(inspect, files[1], "--data", tmp_path / "dev.json")
    assert "0.500 words a character in 1 text" in result.stdout and "no entities" in result.stdout


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("肺癌\n", ["--columns", "word,sense"], "the columns must be word, and at most once type and frequency"),
        ("肺癌\t3\n咳嗽\tx\n", [], "bad.tsv line 2: the frequency must be a whole number"),
        ("肺癌\n", ["--min-length", "9"], "min_length is 9 and max_length is 8"),
        ("肺\n", [], "none of the 1 words passes; nothing is written"),
        (b"\xff", [], "not UTF-8"),
    ],
)
def test_bad_input_is_one_line(content, options, message, tmp_path):
    path = write(tmp_path / "bad.tsv", content)
    result = run(build, path, tmp_path / "out.tsv", *options)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert message in result.stderr
    assert not (tmp_path / "out.tsv").exists()


def test_no_texts(files, tmp_path):
    write_records([], tmp_path / "dev.json", "cmeee")
    assert "no texts to count words in" in run(inspect, files[0], "--data", tmp_path / "dev.json").stderr
