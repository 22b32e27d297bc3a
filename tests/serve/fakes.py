"""A service without a pipeline: workers that answer at once, a page of one line, and a client that needs no network."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from spacy_medflat.serve.app import make_app
from spacy_medflat.serve.messages import Description, Outcome, TextFailure, TextJob
from spacy_medflat.serve.metrics import Metrics
from spacy_medflat.serve.protocol import TimedProtocol
from spacy_medflat.serve.service import Service
from spacy_medflat.serve.settings import Limits, ServeSettings
from spacy_medflat.serve.static import PageFile, read_page

HOME = "http://127.0.0.1:8000"
JSON = {"content-type": "application/json"}
DESCRIPTION = Description(
    name="zh_test",
    version="1.0",
    description="Finds nothing but what it is told.",
    language="zh",
    licence="MIT",
    sources=[{"name": "invented"}],
    components=["lattice", "medflat_ner"],
    labels=[("sym", 0.43), ("dru", 0.5)],
    nesting="all",
    facts=["assertion"],
    words=[("咳嗽", "sym"), ("咳", ""), ("阿司匹林", "dru"), ("CT", "")],
    user_words={},
    has_lattice=True,
)


class FakeWorkers:
    """Finds 咳嗽. A text with `boom` fails; `hold`, an event, keeps batches until it is set."""

    def __init__(self, hold: asyncio.Event | None = None):
        self.wanted = self.alive = 1
        self.hopeless = False
        self.batches: list[list[TextJob]] = []
        self.words: list[dict[str, str]] = []
        self.hold = hold

    async def read(self, jobs: list[TextJob]) -> list[Outcome]:
        self.batches.append(jobs)
        if self.hold:
            await self.hold.wait()
        return [_outcome(job) for job in jobs]

    async def use_words(self, words: dict[str, str]) -> None:
        self.words.append(words)


def _outcome(job: TextJob) -> Outcome:
    if "boom" in job.text:
        return TextFailure("failed", "the pipeline failed on this text (ValueError)")
    start = job.text.find("咳嗽")
    entity = {"start": start, "end": start + 2, "label": "sym", "text": "咳嗽", "score": 0.9, "above": True}
    return {"text_length": len(job.text), "entities": [entity] if start >= 0 else [], "milliseconds": 1.0}


def page_of(folder: Path, **files: str) -> dict[str, PageFile]:
    """Write a page and read it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "index.html").write_text("<!doctype html><title>spacy_medflat</title>", encoding="utf8")
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text, encoding="utf8")
    return read_page(folder)


PAGE = {"index.html": PageFile(b"<!doctype html>", "text/html; charset=utf-8", '"1"')}

Conversation = Callable[[httpx.AsyncClient, Service], Awaitable[Any]]


def make_service(
    workers: Any = None, description: Description = DESCRIPTION, limits: Limits | None = None, **settings: Any
) -> Service:
    """A service over fake workers."""
    told = ServeSettings(model="zh_test", limits=limits or Limits(), **settings)
    return Service(told, description, "0123456789abcdef", workers or FakeWorkers(), Metrics())


def talk(conversation: Conversation, *, page: dict[str, PageFile] = PAGE, **arguments: Any) -> Any:
    """Make a service, let a client talk to it, and stop it."""

    async def main() -> Any:
        service = make_service(**arguments)
        await service.start()
        transport = httpx.ASGITransport(app=make_app(service, page))
        try:
            async with httpx.AsyncClient(transport=transport, base_url=HOME) as client:
                return await conversation(client, service)
        finally:
            await service.stop()

    return asyncio.run(main())


@contextmanager
def serving(service: Service) -> Iterator[int]:
    """Serve it in a thread. YIELDS (int): the port."""
    app = make_app(service, PAGE)
    config = uvicorn.Config(app, port=0, http=TimedProtocol, ws="none", lifespan="off", log_level="error")
    server = uvicorn.Server(config)

    async def main() -> None:
        await service.start()
        await server.serve()
        await service.stop()

    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(10)


def ask(method: str, path: str, *, content: bytes | None = None, json: Any = None, **arguments: Any) -> httpx.Response:
    """One request to a service of its own; `headers` are added, the rest makes the service."""
    headers = {**(JSON if content is not None else {}), **arguments.pop("headers", {})}

    async def conversation(client: httpx.AsyncClient, service: Service) -> httpx.Response:
        return await client.request(method, path, content=content, json=json, headers=headers)

    return talk(conversation, **arguments)


def error_of(response: httpx.Response) -> tuple[int, str]:
    """Status and code of an answer, which must be an error as all are."""
    body = response.json()
    assert body["versions"]["pipeline"] == "zh_test 1.0" and body["error"]["message"], body
    return response.status_code, body["error"]["code"]
