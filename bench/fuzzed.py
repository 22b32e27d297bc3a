"""Requests at random, from right ones to bytes that are no HTTP, and what a service answers to each."""

import json
import random
import socket
import time
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

# Answers that a service may give when it is at its limits; any other from 500 on is a defect.
ALLOWED = frozenset({503, 504, 507})
_ODD = "咳嗽患者右肺上叶腺癌阿司匹林 \t\n\r\x00\x7f\u00a0\u2028\u202e\ufeff𠮷👩‍⚕️é<script>alert(1)</script>"
_ODD += "&\"'\\{}[]0123456789.%/"
_PATHS = [
    "/../etc/passwd",
    "/page/../run.py",
    "/page/..%2f..%2fetc/passwd",
    "/page/%00",
    "//",
    "/page/" + "a" * 5000,
    "/.git/config",
]
_PATHS += [
    "/page/%2e%2e/%2e%2e/etc/passwd",
    "/page/..\\..\\x",
    "/annotate/../health",
    "/%ff%fe",
    "/page/index.html",
    "/",
    "/docs",
]
_ROUTES = [
    "/annotate",
    "/lexicon",
    "/corrections",
    "/export?format=jsonl",
    "/export?format=brat",
    "/export?format=doccano",
]
_ROUTES += ["/export?format=labelstudio", "/export?format=../x", "/export"]


class Shot(NamedTuple):
    """What is sent.

    parts (list of bytes): one after the other.
    pause (float): seconds between them.
    hang_up (bool): close the connection, and wait for no answer.
    """

    parts: list[bytes]
    pause: float = 0.0
    hang_up: bool = False


def shots(count: int, seed: int = 0, largest: int = 50_000_000) -> Iterator[Shot]:
    """Requests at random; the same seed gives the same ones.

    largest (int): bytes of the largest body, which is rare.
    """
    draw = random.Random(seed)
    kinds = [
        _right,
        _wrong_values,
        _any_json,
        _broken,
        _paths,
        _words,
        _records,
        _headers,
        _no_http,
        _large,
        _impatient,
    ]
    weights = [20, 15, 10, 10, 8, 12, 12, 8, 5, 0.3, 6]
    for _ in range(count):
        (kind,) = draw.choices(kinds, weights)
        yield _large(draw, largest) if kind is _large else kind(draw)


def fire(port: int, shot: Shot, seconds: float = 120.0) -> tuple[int, bytes]:
    """Send it. RETURNS (int, bytes): status and body of the answer; 0 if there is none."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        try:
            for part in shot.parts:
                connection.sendall(part)
                time.sleep(shot.pause)
            while not shot.hang_up and (part := connection.recv(2**16)):
                received += part
        except (ConnectionError, TimeoutError):
            pass
    head, _, body = received.partition(b"\r\n\r\n")
    words = head.split(None, 2)
    return (int(words[1]) if len(words) > 1 and words[1].isdigit() else 0), body


def wrong_with(shot: Shot, status: int, body: bytes) -> str | None:
    """What is wrong with an answer; None if nothing is."""
    if shot.hang_up:
        return None
    if status == 0:
        return "no answer"
    if status >= 500 and status not in ALLOWED:
        return f"status {status}"
    if status >= 400 and body.startswith(b"{") and not json.loads(body)["error"]["code"]:
        return "an error without a code"
    return None


def request(method: str, path: str, body: bytes | None = None, **headers: str) -> bytes:
    """A request as bytes."""
    fields = {"Host": "localhost", "Connection": "close", "Content-Type": "application/json", **headers}
    if body is not None:
        fields.setdefault("Content-Length", str(len(body)))
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1", "replace") + (body or b"")


def _text(draw: random.Random, longest: int = 200) -> str:
    return "".join(draw.choices(_ODD, k=draw.randint(0, longest)))


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=random.random() < 0.5).encode("utf-8", "surrogatepass")


def _value(draw: random.Random, depth: int = 0) -> Any:
    kinds: list[Any] = [None, True, False, 0, -1, 10**400, 1e308, float("nan"), float("-inf"), 0.5, "", "\ud800"]
    if depth > 4 or draw.random() < 0.5:
        return draw.choice([*kinds, _text(draw, 30)])
    if draw.random() < 0.5:
        return [_value(draw, depth + 1) for _ in range(draw.randint(0, 4))]
    names = ["text", "texts", "id", "floor", "words", "labels", "word", "type", "records", "entities", "start", "end"]
    return {draw.choice([*names, "label", "x"]): _value(draw, depth + 1) for _ in range(draw.randint(0, 4))}


def _right(draw: random.Random) -> Shot:
    texts = [draw.choice([_text(draw), {"id": _text(draw, 9), "text": _text(draw)}]) for _ in range(draw.randint(0, 5))]
    body = {"texts": texts, "floor": draw.choice([None, 0, 0.05, 1]), "words": draw.random() < 0.5}
    return Shot([request("POST", "/annotate", _json(body))])


def _wrong_values(draw: random.Random) -> Shot:
    body: dict[str, Any] = {"text": _text(draw), "floor": 0.1, "words": True, "labels": ["sym"]}
    body[draw.choice([*body, "texts", "other"])] = _value(draw)
    if draw.random() < 0.5:
        body.pop("text", None)
        body["texts"] = [_text(draw), _value(draw)]
    return Shot([request("POST", "/annotate", _json(body))])


def _any_json(draw: random.Random) -> Shot:
    return Shot([request(draw.choice(["POST", "DELETE", "PUT"]), draw.choice(_ROUTES), _json(_value(draw)))])


def _broken(draw: random.Random) -> Shot:
    body = bytearray(_json({"texts": [_text(draw), _text(draw)]}))
    for _ in range(draw.randint(1, 5)):
        place = draw.randrange(len(body))
        body[place : place + draw.randint(0, 3)] = draw.randbytes(draw.randint(0, 3))
        body = body or bytearray(b"{")
    deep = b'{"text":' * 5000 + b"[" * draw.randint(0, 100_000)
    number = b'{"text":"a","floor":' + b"9" * draw.randint(1, 20_000) + b"}"
    return Shot([request("POST", draw.choice(_ROUTES), draw.choice([bytes(body), bytes(body), deep, number, b""]))])


def _paths(draw: random.Random) -> Shot:
    path = draw.choice([*_PATHS, f"/page/{quote(_text(draw, 20))}", f"/{quote(_text(draw, 20))}"])
    return Shot([request(draw.choice(["GET", "GET", "HEAD", "OPTIONS", "TRACE", "X"]), path)])


def _words(draw: random.Random) -> Shot:
    word = draw.choice([_text(draw, 10), "词" * 1000, "<b>甲</b>", "甲乙丙", "\ud800", ""])
    if draw.random() < 0.4:
        query = f"query={quote(word.encode('utf-8', 'replace'))}&offset={draw.choice([0, -1, 10**20, 'x'])}&limit=9"
        return Shot([request("GET", f"/lexicon?{query}")])
    if draw.random() < 0.3:
        return Shot([request("DELETE", "/lexicon", _json({"words": [word, "甲乙丙"]}))])
    kind = draw.choice(["sym", "none", "", "x", "<i>", 1])
    return Shot([request("POST", "/lexicon", _json({"words": [{"word": word, "type": kind}]}))])


def _records(draw: random.Random) -> Shot:
    text = _text(draw, 40)

    def span() -> dict[str, Any]:
        start = draw.choice([draw.randint(0, 45), -1, 10**30])
        return {
            "start": start,
            "end": draw.choice([draw.randint(0, 45), None]),
            "label": draw.choice(["sym", "a b", "<b>", ""]),
        }

    good = {"start": 0, "end": max(1, len(text)), "label": draw.choice(["sym", "two words", "<b>"])}
    spans = [draw.choice([good, good, span()]) for _ in range(draw.randint(0, 3))]
    record = {"id": draw.choice([_text(draw, 9), "../../x", None]), "text": text, "entities": spans, "unknown": []}
    return Shot([request("POST", draw.choice(_ROUTES[2:]), _json({"records": [record] * draw.randint(0, 3)}))])


def _headers(draw: random.Random) -> Shot:
    odd = draw.choice(
        ["", "evil.example", "null", "http://[", "x" * 3000, "127.0.0.1:x", "\xff", "chunked", "-1", "1e9", "bytes"]
    )
    name = draw.choice(
        ["Host", "Origin", "Content_Type", "Authorization", "Content_Length", "Transfer_Encoding", "Expect"]
    )
    body = request("POST", "/annotate", b'{"text":"a"}', **{name: odd})
    # A length that is not the body's would be waited for.
    return Shot([body], hang_up=name in ("Content_Length", "Transfer_Encoding"))


def _no_http(draw: random.Random) -> Shot:
    return Shot([draw.randbytes(draw.randint(1, 300)) + b"\r\n\r\n"], hang_up=True)


def _large(draw: random.Random, largest: int = 50_000_000) -> Shot:
    body = draw.choice(
        [
            lambda: bytes(largest),
            lambda: _json({"texts": ["a"] * 10_000}),
            lambda: _json({"text": "咳" * 1_000_000}),
            lambda: b'{"texts":[' + b"1," * 500_000 + b"1]}",
        ]
    )()
    return Shot([request("POST", "/annotate", body)])


def _impatient(draw: random.Random) -> Shot:
    whole = request("POST", "/annotate", _json({"text": "咳嗽" * 50}))
    cut = draw.randrange(len(whole))
    if draw.random() < 0.6:
        return Shot([whole[:cut]], hang_up=True)
    step = max(1, len(whole) // 5)
    return Shot([whole[i : i + step] for i in range(0, len(whole), step)], pause=0.02)
