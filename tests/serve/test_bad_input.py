"""What a client may send by mistake or on purpose: each is answered with its code, and the service lives."""

import asyncio
import json

import httpx
import pytest

from spacy_medflat.serve.app import make_app
from spacy_medflat.serve.settings import Limits

from .fakes import JSON, PAGE, FakeWorkers, ask, error_of, make_service, talk

DEEP = b'{"text": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"


def send(content, path="/annotate", **settings):
    return ask("POST", path, content=content, **settings)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"text",
        b'{"text": "a"',
        b'{"text": "\xff\xfe"}',
        b"\x00\x01",
        DEEP,
        b'{"floor": ' + b"9" * 9999 + b"}",
    ],
)
def test_what_is_no_json_or_utf8(content):
    status, code = error_of(send(content))
    assert (status, code) == ((422, "invalid") if not content else (400, "bad_request"))


@pytest.mark.parametrize(
    "body",
    [
        [],
        "a",
        1,
        None,
        {},
        {"text": None},
        {"text": 1},
        {"text": ["a"]},
        {"text": "a", "texts": []},
        {"texts": "a"},
        {"texts": [1]},
        {"texts": [{"id": "n1"}]},
        {"texts": [{"id": 1, "text": "a"}]},
        {"texts": [{"id": "x" * 201, "text": "a"}]},
        {"text": "a", "floor": "0.1"},
        {"text": "a", "floor": -0.1},
        {"text": "a", "floor": 1e999},
        {"text": "a", "floor": True},
        {"text": "a", "words": "yes"},
        {"text": "a", "words": 1},
        {"text": "a", "labels": "sym"},
        {"text": "a", "labels": ["xyz"]},
        {"text": "a", "threshold": 0.5},
        {"text": "\ud800"},
        {"texts": [{"id": "\udfff", "text": "a"}]},
    ],
)
def test_wrong_types_and_values(body):
    answer = send(json.dumps(body).encode())
    assert error_of(answer) == (422, "invalid")
    assert len(answer.content) < 1000


@pytest.mark.parametrize(
    "span",
    [
        {"start": 1, "end": 1, "label": "sym"},
        {"start": 1, "end": 3, "label": "sym"},
        {"start": -1, "end": 1, "label": "sym"},
        {"start": 0, "end": 10**30, "label": "sym"},
        {"start": 0.0, "end": 1, "label": "sym"},
        {"start": 0, "end": 1, "label": ""},
        {"start": 0, "end": 1, "label": "s\nym"},
        {"start": 0, "end": 1, "label": "s" * 101},
        {"start": 0, "end": 1},
        {"start": 0, "end": 1, "label": "sym", "score": 1},
    ],
)
def test_spans_that_are_none(span, tmp_path):
    path = tmp_path / "corrections.jsonl"
    for field in ("entities", "unknown"):
        body = json.dumps({"records": [{"text": "咳嗽", field: [span]}]}).encode()
        assert error_of(send(body, "/corrections", corrections=path)) == (422, "invalid")
        assert error_of(send(body, "/export")) == (422, "invalid")
    assert path.read_bytes() == b""
    assert error_of(send(b'{"records": []}', "/export?format=../../etc/passwd")) == (422, "invalid")


def test_more_than_the_limits():
    limits = Limits(texts=3, text_characters=10, request_characters=20)
    for texts in (["a"] * 4, ["a" * 11], ["a" * 9] * 3):
        assert error_of(send(json.dumps({"texts": texts}).encode(), limits=limits)) == (413, "too_large")
        records = [{"text": text} for text in texts]
        assert error_of(send(json.dumps({"records": records}).encode(), "/export", limits=limits)) == (413, "too_large")
    assert send(json.dumps({"texts": ["a" * 10, "b" * 10, ""]}).encode(), limits=limits).status_code == 200


def test_ten_thousand_texts_a_megabyte_and_fifty():
    assert error_of(send(json.dumps({"texts": ["a"] * 10_000}).encode())) == (413, "too_large")
    assert error_of(send(json.dumps({"text": "a" * 1_000_000}).encode())) == (413, "too_large")
    assert send(json.dumps({"texts": ["a" * 1000] * 1000}).encode()).status_code == 200
    # Millions of wrong values are one error.
    assert error_of(send(b'{"texts": [' + b"1," * 2_000_000 + b"1]}")) == (422, "invalid")
    assert error_of(send(bytes(50_000_000))) == (413, "too_large")


PATHS = """
    /page/..%2f..%2fetc%2fpasswd /page/%2e%2e/run.py /page/ /page /static.py /page/index.html%00.js //etc/passwd
    /annotate/ /page/%ff /..;/x /page/index.html/ /page/INDEX.HTML
"""


@pytest.mark.parametrize("path", PATHS.split())
def test_paths_reach_no_file(path):
    async def conversation(client, service):
        request = client.build_request("GET", "/")
        # As it stands; see `test_run` for those that httpx would tidy up.
        request.url = request.url.copy_with(raw_path=path.encode())
        return await client.send(request)

    assert error_of(talk(conversation)) == (404, "not_found")


def test_markup_is_text():
    markup = "<script>alert(1)</script>&amp;\u202e\u0000"
    answer = send(json.dumps({"texts": [{"id": markup, "text": f"咳嗽{markup}"}]}).encode())
    assert answer.headers["content-type"] == "application/json" and answer.json()["results"][0]["id"] == markup
    record = {"id": markup, "text": markup, "entities": [{"start": 0, "end": 8, "label": "<b>"}]}
    for form in ("jsonl", "doccano", "labelstudio", "brat"):
        made = send(json.dumps({"records": [record]}).encode(), f"/export?format={form}")
        assert made.status_code == 200 and "text/html" not in made.headers["content-type"]


def test_words_of_any_kind_are_answered():
    for word in ("x" * 1000, "", " ", "a\nb", "\x00", "\u202e"):
        body = json.dumps({"words": [{"word": word, "type": "dru"}]}).encode()
        assert error_of(send(body, "/lexicon")) == (422, "invalid")
    assert error_of(send(b'{"words": [{"word": "a", "type": "<b>"}]}', "/lexicon")) == (422, "invalid")
    for query in ("limit=0", "limit=1001", "offset=-1", "offset=x", f"query={'x' * 201}"):
        assert error_of(ask("GET", f"/lexicon?{query}")) == (422, "invalid")
    assert ask("GET", "/lexicon?query=%ff&offset=999999999").json()["words"] == []


def test_other_methods_and_addresses():
    for method, path in (("PUT", "/annotate"), ("GET", "/annotate"), ("PATCH", "/lexicon"), ("TRACE", "/")):
        assert error_of(ask(method, path, headers=JSON)) == (405, "not_allowed")
    assert error_of(ask("GET", "/admin")) == (404, "not_found")


def test_a_full_disk_for_corrections(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("spacy_medflat.serve.corrections._append", full)
    answer = send(b'{"records": [{"text": "a"}]}', "/corrections", corrections=tmp_path / "corrections.jsonl")
    assert error_of(answer) == (507, "disk_full") and "No space left on device" in answer.json()["error"]["message"]


def test_more_than_may_wait_and_clients_that_hang_up():
    async def main():
        workers = FakeWorkers(asyncio.Event())
        limits = Limits(request_characters=100, waiting_characters=100, batch_texts=1)
        service = make_service(workers, limits=limits)
        await service.start()
        transport = httpx.ASGITransport(app=make_app(service, PAGE))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            tasks = [asyncio.create_task(client.post("/annotate", json={"text": "a" * 40})) for _ in range(2)]
            await asyncio.sleep(0.1)
            late = await client.post("/annotate", json={"text": "a" * 40})
            assert error_of(late) == (429, "busy") and late.headers["retry-after"]
            workers.hold.set()
            assert [(await task).status_code for task in tasks] == [200, 200]
            assert service.batcher.waiting_texts == 0
        await service.stop()

    asyncio.run(main())


def test_what_a_client_asked_for_that_hung_up_is_not_read():
    async def main():
        workers = FakeWorkers(asyncio.Event())
        service = make_service(workers, limits=Limits(batch_texts=1))
        await service.start()
        app = make_app(service, PAGE)
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "path": "/annotate",
            "raw_path": b"/annotate", "query_string": b"", "root_path": "", "scheme": "http", "client": None,
            "server": None,
            "headers": [(b"host", b"localhost"), (b"content-type", b"application/json"), (b"content-length", b"13")],
        }  # fmt: skip
        sent = []

        async def hung_up(body, after):
            parts = [{"type": "http.request", "body": body, "more_body": False}]

            async def receive():
                if parts:
                    return parts.pop()
                await asyncio.sleep(after)
                return {"type": "http.disconnect"}

            async def send(message):
                sent.append(message)

            await app(dict(scope), receive, send)

        stays = asyncio.create_task(hung_up(b'{"text": "a"}', 99))
        await asyncio.sleep(0.05)
        await hung_up(b'{"text": "b"}', 0.05)
        workers.hold.set()
        await stays
        assert [[job.text for job in batch] for batch in workers.batches] == [["a"]]
        assert service.batcher.waiting_characters == 0
        await service.stop()

    asyncio.run(main())
