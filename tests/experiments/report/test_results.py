import json
import shutil

import pytest

from spacy_medflat.errors import ExperimentError, MedflatError
from spacy_medflat.experiments.folder import RunFolder
from spacy_medflat.experiments.report.results import read_results, training_mentions
from spacy_medflat.experiments.scores import score

from ...pipelines import DATA
from .example_runs import write_experiments, write_run


def test_rows_seeds_and_what_is_not_there(results):
    assert [row.name for row in results.rows] == ["plain", "cut", "better", "large"]
    assert [[run.seed for run in row.runs] for row in results.rows] == [[0, 1], [0], [0, 1, 2], []]
    assert results.rows[3].note(messages=True) == "needs a GPU" and not results.rows[0].note(messages=True)
    assert (
        len(results.done) == 3 and len(results.texts) == 100 and ("咳嗽", "sym") in training_mentions(results.rows[0])
    )


def test_a_run_has_what_its_predictions_say(results):
    run = results.rows[2].runs[1]
    found = run.found()
    right = sum(len(g & set(f)) for g, f in zip(results.gold, found, strict=True))
    assert run.counts.sum(axis=0).tolist() == [right, sum(map(len, found)), sum(map(len, results.gold))]
    assert 0.8 < score(run.counts).f <= run.tuned < 1.0


def test_failed_and_unfinished_seeds_are_told(experiments, tmp_path):
    copy = shutil.copytree(experiments, tmp_path / "copy")
    for seed, message in ((0, "no file /somewhere"), (1, None)):
        folder = RunFolder.of(copy, "better", seed)
        folder.scores.unlink()
        if message:
            folder.failure.write_text(json.dumps({"message": message}), encoding="utf8")
    row = read_results(copy).rows[2]
    assert [run.seed for run in row.runs] == [2]
    assert row.note(messages=True) == "seed 0 failed: no file /somewhere; seed 1 not finished"
    assert row.note(messages=False) == "seed 0 failed; seed 1 not finished"


def test_a_failed_seed_that_the_matrix_does_not_name_is_told(experiments, tmp_path):
    copy = shutil.copytree(experiments, tmp_path / "copy")
    folder = RunFolder.of(copy, "better", 5)
    shutil.copytree(RunFolder.of(copy, "better", 0).path, folder.path)
    folder.scores.unlink()
    assert read_results(copy).rows[2].note(messages=True) == "seed 5 not finished"


def test_seeds_of_another_definition_are_refused(experiments, tmp_path):
    copy = shutil.copytree(experiments, tmp_path / "copy")
    write_run(copy, "cut", 1, 0.6, training__max_steps=8)
    with pytest.raises(
        ExperimentError, match=r"seed-0 and .*seed-1 are of different definitions: training\.max_steps:"
    ):
        read_results(copy)


def test_each_row_has_the_mentions_that_it_was_trained_on(tmp_path):
    folder = write_experiments(tmp_path / "out", {"few": (0.7, [0]), "all": (0.7, [0])})
    shutil.rmtree(folder / "few")
    write_run(folder, "few", 0, 0.7, corpora__train__limit=1)
    few, whole = map(training_mentions, read_results(folder).done)
    assert few < whole


def test_texts_that_changed_are_refused(tmp_path):
    dev = tmp_path / "dev.json"
    shutil.copy(DATA / "dev.json", dev)
    folder = write_experiments(tmp_path / "out", {"plain": (0.7, [0])}, dev=dev)
    content = json.loads(dev.read_text(encoding="utf8"))
    content[0]["entities"].pop()
    dev.write_text(json.dumps(content), encoding="utf8")
    with pytest.raises(ExperimentError, match="was scored on other texts"):
        read_results(folder)


def test_broken_folders(experiments, tmp_path):
    with pytest.raises(ExperimentError, match=r"experiments\.json: no such file"):
        read_results(tmp_path)
    with pytest.raises(ExperimentError, match="no run is done yet"):
        read_results(write_experiments(tmp_path / "none", {"plain": (0.7, [])}))
    copy = shutil.copytree(experiments, tmp_path / "copy")
    predictions = RunFolder.of(copy, "cut", 0).predictions
    predictions.write_text(predictions.read_text(encoding="utf8").split("\n", 1)[0] + "\n", encoding="utf8")
    with pytest.raises(ExperimentError, match=r"predictions\.jsonl has 1 texts, not 100"):
        read_results(copy)
    (copy / "experiments.json").write_text('{"matrix": 1}', encoding="utf8")
    with pytest.raises(
        MedflatError, match=r"experiments\.json: damaged.* \(matrix: input should be a valid string, got 1\)"
    ):
        read_results(copy)
