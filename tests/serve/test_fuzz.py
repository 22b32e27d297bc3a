"""Requests at random against the service: see `bench.fuzzed`. `python -m bench.serve fuzz` sends thousands."""

import asyncio
import threading

import pytest
import uvicorn

from bench.fuzzed import Shot, fire, request, shots, wrong_with
from spacy_medflat.serve.app import make_app
from spacy_medflat.serve.protocol import TimedProtocol
from spacy_medflat.serve.settings import Limits

from .fakes import PAGE, make_service


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    """A service over fake workers, in a thread, on a port of its own."""
    folder = tmp_path_factory.mktemp("fuzz")
    service = make_service(
        limits=Limits(body_seconds=2),
        corrections=folder / "corrections.jsonl",
        words=folder / "words.tsv",
    )
    app = make_app(service, PAGE)
    config = uvicorn.Config(app, port=0, http=TimedProtocol, ws="none", lifespan="off", log_level="error")
    server = uvicorn.Server(config)

    async def main():
        await service.start()
        await server.serve()

    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    while not server.started:
        pass
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(10)


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
