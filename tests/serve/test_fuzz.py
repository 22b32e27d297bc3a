"""Requests at random against the service: see `bench.fuzzed`. `python -m bench.serve fuzz` sends thousands."""

import pytest

from bench.fuzzed import Shot, fire, request, shots, wrong_with
from spacy_medflat.serve.protocol import TimedProtocol
from spacy_medflat.serve.settings import Limits

from .fakes import make_service, serving


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fuzz")
    kept = {"corrections": folder / "corrections.jsonl", "words": folder / "words.tsv"}
    with serving(make_service(limits=Limits(body_seconds=2), **kept)) as port:
        yield port


def test_no_request_is_a_defect_and_the_service_lives(port):
    statuses = set()
    for shot in shots(400, seed=0, largest=20_000_000):
        status, body = fire(port, shot, 20)
        assert wrong_with(shot, status, body) is None, (shot.parts[0][:500], status, body[:500])
        statuses.add(status)
    assert statuses >= {200, 400, 403, 404, 405, 422}
    assert fire(port, Shot([request("POST", "/annotate", '{"text": "咳嗽"}'.encode())]))[0] == 200


def test_a_head_that_does_not_come_ends_the_connection(port, monkeypatch):
    monkeypatch.setattr(TimedProtocol, "head_seconds", 0.2)
    for data in (b"", b"GET / HTTP/1.1\r\nHost: loc"):
        assert fire(port, Shot([data]), 10) == (0, b"")
    status, _ = fire(port, Shot([b"GET / HTTP/1.1\r\n", b"Host: localhost\r\nConnection: close\r\n\r\n"], pause=0.05))
    assert status == 200
