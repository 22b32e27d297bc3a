"""Who may ask, from where, and how much."""

import asyncio

import httpx
import pytest

from spacy_medflat.serve.app import make_app
from spacy_medflat.serve.settings import Limits

from .fakes import JSON, PAGE, FakeWorkers, ask, error_of, make_service, talk

TOKEN = "correct-horse-battery"
BODY = b'{"text": "a"}'


def post(headers=(), **settings):
    return ask("POST", "/annotate", content=BODY, headers=dict(headers), **settings)


def test_a_token_opens_all_and_without_it_only_the_page_is_open():
    right = {"authorization": f"Bearer {TOKEN}"}
    assert post(right, token=TOKEN).status_code == 200
    for wrong in ({}, {"authorization": TOKEN}, {"authorization": f"Basic {TOKEN}"}):
        answer = post(wrong, token=TOKEN)
        assert error_of(answer) == (401, "wrong_token") and answer.headers["www-authenticate"] == "Bearer"
    for near in (TOKEN[:-1], f"{TOKEN}x", TOKEN.upper(), "", "\xe4"):
        header = {"authorization": f"Bearer {near}".encode("latin-1")}
        assert error_of(post(header, token=TOKEN)) == (401, "wrong_token")
    for path in ("/", "/health"):
        assert ask("GET", path, token=TOKEN).status_code == 200
    for path in ("/pipeline", "/metrics", "/lexicon", "/openapi.json", "/nowhere"):
        assert ask("GET", path, token=TOKEN).status_code == 401


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "LOCALHOST:9", "[::1]:8000", "ward.example:8000"])
def test_names_by_which_it_may_be_called(host):
    assert ask("GET", "/pipeline", headers={"host": host}, allow_hosts=("ward.example",)).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.1:8000", "", "[::1", "localhost:x"])
def test_other_names_are_refused(host):
    assert error_of(ask("GET", "/pipeline", headers={"host": host})) == (403, "wrong_host")
    assert ask("GET", "/pipeline", headers={"host": host}, allow_hosts=("*",)).status_code == 200
    # Probes call a container by its address.
    assert ask("GET", "/health", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:8001", "http://[", "://", "\xff"])
def test_pages_of_others_change_nothing(origin):
    headers = {"origin": origin.encode("latin-1")}
    assert error_of(post(headers)) == (403, "wrong_origin")
    assert error_of(ask("DELETE", "/lexicon", content=b'{"words": []}', headers=headers)) == (403, "wrong_origin")
    answer = ask("GET", "/pipeline", headers=headers)
    assert answer.status_code == 200 and not [name for name in answer.headers if name.startswith("access-control")]


def test_the_own_page_may(tmp_path):
    assert post({"origin": "http://127.0.0.1:8000"}).status_code == 200
    assert ask("OPTIONS", "/annotate", headers={"origin": "https://evil.example"}).status_code == 405


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_only_json_is_taken(kind):
    assert error_of(post({"content-type": kind})) == (415, "wrong_type")
    assert post({"content-type": "application/json; charset=utf-8"}).status_code == 200


def streamed(parts, limits, headers=JSON, pause=0.0):
    async def body():
        for part in parts:
            await asyncio.sleep(pause)
            yield part

    async def conversation(client, service):
        return await client.post("/annotate", content=body(), headers=headers)

    return talk(conversation, limits=limits)


def test_a_body_is_counted_while_it_comes():
    limits = Limits(body_bytes=1000)
    assert streamed([BODY[:5], BODY[5:]], limits).status_code == 200
    answer = streamed([b" " * 400] * 3, limits)
    assert error_of(answer) == (413, "too_large") and answer.headers["connection"] == "close"
    assert error_of(ask("POST", "/annotate", content=b" " * 1001, limits=limits)) == (413, "too_large")
    assert ask("POST", "/annotate", content=BODY + b" " * 900, limits=limits).status_code == 200


def test_a_body_that_comes_too_slowly():
    assert error_of(streamed([b" "] * 50, Limits(body_seconds=0.1), pause=0.02)) == (408, "too_slow")


def test_the_bodies_of_all_together_are_limited():
    async def main():
        service = make_service(FakeWorkers(), limits=Limits(body_bytes=1000, body_seconds=2))
        await service.start()
        transport = httpx.ASGITransport(app=make_app(service, PAGE))
        gate = asyncio.Event()

        async def body():
            yield BODY + b" " * 900
            await gate.wait()
            yield b" "

        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            held = [asyncio.create_task(client.post("/annotate", content=body(), headers=JSON)) for _ in range(8)]
            await asyncio.sleep(0.1)
            late = await client.post("/annotate", content=BODY + b" " * 900, headers=JSON)
            assert error_of(late) == (429, "busy") and late.headers["retry-after"] == "1"
            gate.set()
            assert [(await task).status_code for task in held] == [200] * 8
            # What was held is let go.
            again = [client.post("/annotate", content=BODY + b" " * 900, headers=JSON) for _ in range(3)]
            assert [answer.status_code for answer in await asyncio.gather(*again)] == [200] * 3
        await service.stop()

    asyncio.run(main())
