import json

import pytest

from spacy_medflat.corpus.check import read_checked
from spacy_medflat.corpus.formats.prodigy import read_prodigy, write_prodigy
from spacy_medflat.corpus.record import Entity
from spacy_medflat.errors import MedflatError

from ..helpers import tumour, write

SPAN = {"start": 0, "end": 2, "label": "bod", "token_start": 0, "token_end": 1, "score": 0.9}
TASK = {
    "text": "右肺上叶",
    "spans": [SPAN],
    "meta": {"source": "ward 3"},
    "tokens": [{"text": "右", "start": 0, "end": 1, "id": 0}],
    "_input_hash": 1,
    "_task_hash": -2,
    "answer": "accept",
}


def tasks(path, *values):
    return write(path, "".join(f"{json.dumps(value)}\n" for value in values))


def test_what_is_written_is_what_was_read(tmp_path):
    (record,) = read_prodigy(tasks(tmp_path / "a.jsonl", TASK))
    assert record.entities == [Entity(0, 2, "bod")] and record.entities[0].score == 0.9
    assert record.entities[0].meta == {"token_start": 0, "token_end": 1}
    assert record.meta["answer"] == "accept" and record.meta["_task_hash"] == -2 and not record.problems
    assert write_prodigy([record], tmp_path / "b.jsonl") == []
    assert json.loads((tmp_path / "b.jsonl").read_text(encoding="utf8")) == TASK


@pytest.mark.parametrize("answer", ["reject", "ignore"])
def test_what_is_not_accepted_is_no_gold(answer, tmp_path):
    path = tasks(tmp_path / "a.jsonl", TASK, {**TASK, "answer": answer})
    clean, report = read_checked(path, strict=True)
    assert len(list(clean)) == 1 and (report.texts_read, report.texts) == (2, 1)
    (problem,) = report.problems["rejected"]
    assert str(problem) == f"a.jsonl line 2: rejected: answer {answer!r}, spans: 1"
    assert len(list(read_prodigy(path))) == 1


def test_other_answers_and_spans_are_refused(tmp_path):
    for odd in ({"answer": "maybe"}, {"spans": [{"start": 0, "label": "bod"}]}, {"spans": [[0, 1, "bod"]]}):
        with pytest.raises(MedflatError, match=r"a.jsonl line 1: not a Prodigy record"):
            list(read_prodigy(tasks(tmp_path / "a.jsonl", {**TASK, **odd})))


def test_a_task_has_no_more_than_is_known(tmp_path):
    write_prodigy([tumour(id="n1")], tmp_path / "a.jsonl")
    assert list(json.loads((tmp_path / "a.jsonl").read_text(encoding="utf8"))) == ["id", "text", "spans"]
