import json
import logging

import pytest
import spacy
from spacy.language import Language
from typer.testing import CliRunner

from spacy_medflat import int8
from spacy_medflat.cli import medflat_cli
from spacy_medflat.compression import choose, compress
from spacy_medflat.errors import EncoderError, MedflatError
from spacy_medflat.loading import model_identity

from ..pipelines import (
    DATA,
    LISTENER,
    SENTENCES,
    add_head,
    cnn_pipeline,
    flat_config,
    make_examples,
    spans_of,
    train,
    transformer_pipeline,
    write_recipe,
)

pytestmark = pytest.mark.skipif(not int8.has_int8_kernels(), reason="no x86 CPU with AVX2")
TEXTS = [text for text, _ in SENTENCES]


def run(*arguments):
    return CliRunner().invoke(medflat_cli, ["compress", *map(str, arguments)], env={"COLUMNS": "200"})


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    nlp = transformer_pipeline(write_recipe(folder / "encoder", hidden_size=128, intermediate_size=256))
    nlp.remove_pipe("medflat_ner")
    add_head(nlp, flat_config(LISTENER, spans_key=None))
    train(nlp, 40)
    nlp.to_disk(folder / "model")
    return folder / "model"


@pytest.fixture(scope="module")
def compressed(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("compressed")
    result = run(model, "-o", folder / "model", "--texts", DATA / "dev.json", "--report", folder / "report.json")
    assert result.exit_code == 0, result.output
    assert "layers in 8 bits" in result.output and "mean change of a score" in result.output
    return folder


def test_the_result_finds_the_same_is_smaller_and_has_the_same_config(model, compressed):
    before, after = spacy.load(model), spacy.load(compressed / "model")
    found = [spans_of(doc) for doc in before.pipe(TEXTS)]
    assert any(found)
    assert [spans_of(doc) for doc in after.pipe(TEXTS)] == found
    assert [spans_of(after(text)) for text in TEXTS] == found
    assert after.config.to_str() == before.config.to_str()
    assert model_identity(compressed / "model")[1] < 0.5 * model_identity(model)[1]


def test_it_is_saved_and_copied_as_any_other(compressed, tmp_path):
    nlp = spacy.load(compressed / "model")
    found = [spans_of(doc) for doc in nlp.pipe(TEXTS)]
    nlp.to_disk(tmp_path / "again")
    assert [spans_of(doc) for doc in spacy.load(tmp_path / "again").pipe(TEXTS)] == found
    assert [spans_of(doc) for doc in nlp.pipe(TEXTS, n_process=2)] == found


def test_the_report_says_what_was_measured(compressed):
    report = json.loads((compressed / "report.json").read_text(encoding="utf8"))
    assert report["bytes"]["after"] < report["bytes"]["before"]
    assert report["layers"] > 10 and report["kept"] == [] and report["change"] <= choose.TOLERANCE
    for reading in (report["before"], report["after"]):
        assert reading["characters_per_second"] > 0 and 0 <= reading["scores"]["f"] <= 1


def test_a_layer_that_changes_scores_stays_float32(model, tmp_path, monkeypatch):
    monkeypatch.setattr(compress, "choose_exceptions", lambda parts, read: choose.choose_exceptions(parts, read, 0.0))
    result = run(model, "-o", tmp_path / "model", "--texts", DATA / "dev.json", "--limit", "2")
    assert result.exit_code == 0, result.output
    assert "but not" in result.output
    assert [spans_of(doc) for doc in spacy.load(tmp_path / "model").pipe(TEXTS)]


def test_without_kernels_it_finds_the_same_with_one_warning(model, compressed, monkeypatch, caplog):
    monkeypatch.setattr(int8, "has_int8_kernels", lambda: False)
    int8._warn_once.cache_clear()
    with caplog.at_level(logging.WARNING, logger="spacy"):
        found = [spans_of(doc) for doc in spacy.load(compressed / "model").pipe(TEXTS)]
    assert found == [spans_of(doc) for doc in spacy.load(model).pipe(TEXTS)]
    assert len([record for record in caplog.records if "AVX2" in record.message]) == 1


def test_it_cannot_be_trained_on(compressed):
    nlp = spacy.load(compressed / "model")
    with pytest.raises(MedflatError, match="this pipeline is compressed"):
        nlp.update(make_examples(nlp), sgd=nlp.resume_training())
    other = transformer_pipeline(compressed / "model")
    with pytest.raises(EncoderError, match=r"is compressed, and its encoder cannot be trained"):
        other.initialize(lambda: make_examples(other))


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda folder, compressed: compressed / "model", "is compressed already; give the one it was made from"),
        (lambda folder, compressed: saved_cnn(folder), "has no character transformer to compress"),
        (lambda folder, compressed: folder / "nowhere", "no pipeline"),
    ],
)
def test_what_cannot_be_compressed_is_one_line(tmp_path, compressed, prepare, message):
    model = prepare(tmp_path, compressed)
    result = run(model, "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert message in result.output and result.output.count("\n") == 1
    assert not (tmp_path / "out").exists()


def saved_cnn(folder):
    nlp = cnn_pipeline()
    train(nlp, 1)
    nlp.to_disk(folder / "cnn")
    return folder / "cnn"


def test_a_cpu_without_kernels_is_one_line(model, tmp_path, monkeypatch):
    monkeypatch.setattr(compress, "has_int8_kernels", lambda: False)
    result = run(model, "-o", tmp_path / "out")
    assert result.exit_code == 1 and "needs an x86 CPU with AVX2" in result.output
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_is_there_or_within_the_input_is_one_line(model, compressed):
    digest = model_identity(model)
    for output in (compressed, model, model / "inside"):
        result = run(model, "-o", output)
        assert result.exit_code == 1 and result.output.count("\n") == 1, result.output
    assert model_identity(model) == digest


def test_an_interruption_leaves_nothing(model, tmp_path, monkeypatch):
    def interrupted(self, path, **_):
        path.mkdir()
        raise KeyboardInterrupt

    digest = model_identity(model)
    monkeypatch.setattr(Language, "to_disk", interrupted)
    result = run(model, "-o", tmp_path / "out")
    assert result.exit_code == 130 and "Nothing is written" in result.output
    assert list(tmp_path.iterdir()) == []
    assert model_identity(model) == digest
