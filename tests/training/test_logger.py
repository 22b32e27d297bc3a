import io
import json

import numpy as np
import pytest

from spacy_medflat.training.logger import create_console_logger

from .victims import attack_it, victim


def info(step, losses, scores=None):
    return {
        "epoch": 1,
        "step": step,
        "losses": losses,
        "other_scores": scores or {"spans_sc_f": 0.5},
        "score": 0.5,
        "seconds": 3,
        "words": 70,
        "checkpoints": [],
    }


def test_the_table_has_both_losses():
    nlp = attack_it(victim("medflat_ner"))
    stdout = io.StringIO()
    log, finish = create_console_logger()(nlp, stdout, io.StringIO())
    log(None)
    log(info(1, {"medflat_ner": 12.5}))
    log(info(2, {"medflat_ner": 12.5, "medflat_ner_adversarial": 13.25}))
    finish()
    header, _, first, second = stdout.getvalue().splitlines()
    assert "LOSS MEDFL..." in header and "LOSS ADV M..." in header
    assert first.split()[:5] == ["1", "1", "12.50", "nan", "50.00"]
    assert second.split()[:5] == ["1", "2", "12.50", "13.25", "50.00"]


def test_without_attack_the_table_is_spacys():
    stdout = io.StringIO()
    create_console_logger()(victim("medflat_ner"), stdout, io.StringIO())
    assert "ADV" not in stdout.getvalue()


def test_the_file_is_json_and_is_continued(tmp_path):
    path = tmp_path / "logs" / "log.jsonl"
    nlp = victim("medflat_ner")
    for step in (1, 2):
        log, finish = create_console_logger(console_output=False, output_file=path)(nlp, io.StringIO(), io.StringIO())
        scores = {"f": np.float32(0.25), "bad": float("nan"), "per_type": {"病": {"p": 0.5}}, "other": object}
        log(info(step, {"medflat_ner": np.float64(1.5)}, scores))
        finish()
    first, second = (json.loads(line) for line in path.read_text(encoding="utf8").splitlines())
    assert (first["step"], second["step"]) == (1, 2)
    assert first["losses"] == {"medflat_ner": 1.5}
    assert first["scores"]["f"] == 0.25 and first["scores"]["bad"] is None
    assert first["scores"]["per_type"] == {"病": {"p": 0.5}}
    assert {"epoch", "seconds", "words", "score"} <= first.keys()
    assert 0 < second["started"] - first["started"] < 60


def test_bad_progress_bar():
    with pytest.raises(ValueError, match="epoch"):
        create_console_logger(progress_bar="epoch")(victim("medflat_ner"), io.StringIO(), io.StringIO())
