import io
import pickle
import sys

import pytest

from spacy_medflat.errors import MedflatError
from spacy_medflat.scale import parts as module
from spacy_medflat.scale.parts import Parts
from spacy_medflat.scale.sources import find_sources

from .archives import rows, write_lines


def numbers(parts):
    return [(part.number, len(part.items)) for part in parts]


def test_parts_are_the_same_every_time_and_done_ones_are_passed_over(tmp_path):
    paths = [write_lines(tmp_path / name, rows(4)) for name in ("a.jsonl", "b.jsonl")]
    sources = find_sources(map(str, paths))
    parts = Parts(sources, 3)
    assert numbers(parts) == numbers(pickle.loads(pickle.dumps(parts))) == [(1, 3), (2, 3), (3, 2)]
    assert [item.place.rsplit("/")[-1] for item in list(parts)[1].items] == [
        "a.jsonl line 4",
        "b.jsonl line 1",
        "b.jsonl line 2",
    ]
    rest = list(Parts(sources, 3, {1: None, 3: None}))
    assert [part.items for part in rest] == [list(parts)[1].items]
    assert list(parts)[-1].position == sum(path.stat().st_size for path in paths)


def test_large_texts_end_a_part_early(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "PART_BYTES", 100)
    values = [{"text": "x" * size} for size in (5, 200, 5, 40, 40, 40)]
    for suffix, kind in ((".jsonl", "jsonl"), (".json", "json")):
        path = write_lines(tmp_path / f"a{suffix}", values if kind == "jsonl" else [str(values).replace("'", '"')])
        assert numbers(Parts(find_sources([str(path)]), 10))[0] == (1, 2)


def test_piped_texts_must_be_those_of_the_run_that_is_resumed(monkeypatch):
    def pipe(text):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        return find_sources(["-"], "lines")

    first, second = Parts(pipe("肺\n肝\n"), 1)
    assert [part.number for part in Parts(pipe("肺\n心\n"), 1, {1: first.digest})] == [2]
    assert first.digest != second.digest
    with pytest.raises(MedflatError, match="part 1 of standard input is not what it was"):
        list(Parts(pipe("肾\n肝\n"), 1, {1: first.digest}))
