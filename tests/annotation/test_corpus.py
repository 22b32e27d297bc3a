"""The sources as they are, and the files made of them."""

import pytest
from typer.testing import CliRunner

from annotation.__main__ import app
from annotation.corpus import HELD_OUT, SOURCES, cmeee_texts, read_sources, source_files, split, write_corpus
from annotation.rules import find_faults, read_labels
from annotation.shared_runs import RunFinder, read_set_phrases
from spacy_medflat.corpus.formats.cmeee import read_cmeee


@pytest.fixture(scope="module")
def records():
    records, faults = read_sources(source_files())
    assert not faults
    return records


def test_no_line_has_an_error(records):
    settled = read_labels(SOURCES / "labels.tsv")
    assert not [f"{r.place}: {fault}" for r in records for fault in find_faults(r, settled) if fault.is_error]


def test_no_text_stands_twice(records):
    assert len({record.text for record in records}) == len(records)


def test_examples_of_the_guidelines_are_sound(tmp_path):
    guidelines = (SOURCES / "GUIDELINES.md").read_text(encoding="utf8")
    path = tmp_path / "examples.txt"
    path.write_text("\n".join(line for line in guidelines.splitlines() if "\t" in line), encoding="utf8")
    found, faults = read_sources([path])
    settled = read_labels(SOURCES / "labels.tsv")
    assert len(found) > 5 and not faults
    assert not [str(fault) for record in found for fault in find_faults(record, settled)]


def test_parts_divide_the_corpus_by_kind(records):
    train, dev = split(records)
    assert len(train) + len(dev) == len(records)
    assert not HELD_OUT & {record.meta["kind"] for record in train}
    assert {record.meta["kind"] for record in dev} > HELD_OUT & {record.meta["kind"] for record in records}
    assert split(records[::-1])[1] == dev[::-1]


def test_files_hold_what_the_sources_say(records, tmp_path):
    n_train, n_dev = write_corpus(records, tmp_path)
    read = [*read_cmeee(tmp_path / "train.json"), *read_cmeee(tmp_path / "dev.json")]
    assert n_train + n_dev == len(read) == len(records)
    assert {(r.text, r.meta["kind"], tuple(r.entities)) for r in read} == {
        (r.text, r.meta["kind"], tuple(r.entities)) for r in records
    }
    assert all(record.meta.keys() == {"kind", "department"} for record in read)


@pytest.mark.data
def test_nothing_is_shared_with_cmeee(records, data_dir, monkeypatch):
    monkeypatch.setenv("MEDFLAT_DATA", str(data_dir))
    finder = RunFinder(records, read_set_phrases(SOURCES / "set_phrases.txt"))
    assert not [(shared.record.place, shared.run, shared.place) for shared in finder.outside(cmeee_texts())]


def test_check_names_the_line_and_fails(tmp_path, monkeypatch):
    monkeypatch.delenv("MEDFLAT_DATA", raising=False)
    path = tmp_path / "textbook.txt"
    path.write_text("textbook\tpaediatrics\t{dis:麻疹}\ntextbook\tpaediatrics\t{dis:发热}\n", encoding="utf8")
    result = CliRunner().invoke(app, ["check", str(path), "--quiet"])
    assert result.exit_code == 1
    assert "textbook.txt:2: error: 'dis' 0-2 '发热': labels.tsv says sym" in result.output
    assert "2 sentences, 2 entities" in result.output
    path.write_text("textbook\tpaediatrics\t{dis:麻疹}\n", encoding="utf8")
    assert CliRunner().invoke(app, ["check", str(path)]).exit_code == 0
