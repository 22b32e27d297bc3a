"""What is checked before a request reaches its route, as ASGI middleware: who asks, from where, and how much."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from .answers import ServeError, busy, error_answer, too_large
from .settings import Limits

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Versions = Callable[[], Mapping[str, Any]]

# So much of a body that is not wanted is read and thrown away, so that its sender comes to read the answer.
_DRAINED_BYTES = 2**28
_DRAINED_SECONDS = 10.0
# Bodies that are held at once, in bodies of the largest size.
_BODIES = 8
_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def is_open(path: str) -> bool:
    """Whether it needs no token: the page, which asks for one, and whether the service lives."""
    return path in ("/", "/health") or path.startswith("/page/")


class Doors:
    """Refuses a request by another name or from another page, without the token, or with a body that is no JSON."""

    def __init__(self, app: App, host_names: frozenset[str], token: str | None, versions: Versions):
        """app (callable): what comes after.

        host_names (frozenset of str): by which the service may be called; `*` for any.
        token (str or None): what a request must carry.
        versions (callable): for answers.
        """
        self._app, self._hosts, self._versions = app, host_names, versions
        self._token = None if token is None else token.encode("ascii")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            self._check(scope)
        except ServeError as error:
            await drain(scope, receive)
            await refuse(error, self._versions(), send)
            return
        await self._app(scope, receive, send)

    def _check(self, scope: Scope) -> None:
        path, host = scope["path"], header(scope, b"host").lower()
        # Probes call a container by its address, and learn nothing else.
        if path != "/health" and "*" not in self._hosts and _name_of(host) not in self._hosts:
            raise ServeError(403, "wrong_host", "the service has another name; start it with --allow-host NAME")
        origin = header(scope, b"origin").lower()
        if scope["method"] in _CHANGING and origin and origin.partition("://")[2] != host:
            raise ServeError(403, "wrong_origin", "a page of another address may not use the service")
        if self._token is not None and not is_open(path) and not self._knows(header(scope, b"authorization")):
            raise ServeError(401, "wrong_token", "send the header 'Authorization: Bearer TOKEN' with the right token")
        if scope["method"] in _CHANGING and header(scope, b"content-type").split(";")[0].strip().lower() != _JSON:
            raise ServeError(415, "wrong_type", f"send JSON, with the header 'Content-Type: {_JSON}'")

    def _knows(self, authorization: str) -> bool:
        scheme, _, given = authorization.partition(" ")
        assert self._token is not None
        # Compared in a time that does not tell how much of it is right.
        return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode("latin-1"), self._token)


_JSON = "application/json"


class Bodies:
    """Reads the body of a request before its route does: in time, and no more than is allowed."""

    def __init__(self, app: App, limits: Limits, versions: Versions):
        """app (callable): what comes after. limits (Limits): `body_bytes`, `body_seconds`."""
        self._app, self._limits, self._versions = app, limits, versions
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its body, or answer it."""
        if scope["type"] != "http" or not has_body(scope):
            await self._app(scope, receive, send)
            return
        body = bytearray()
        try:
            try:
                whole = await asyncio.wait_for(self._read(scope, receive, body), self._limits.body_seconds)
            except asyncio.TimeoutError:
                message = f"the body did not arrive within {self._limits.body_seconds:g} seconds"
                raise ServeError(408, "too_slow", message) from None
            if whole:
                await self._app(scope, _with_body(bytes(body), receive), send)
        except ServeError as error:
            size = len(body)
            self._held -= size
            body.clear()
            if error.status != 408:
                await drain(scope, receive)
            await refuse(error, self._versions(), send)
        finally:
            self._held -= len(body)

    async def _read(self, scope: Scope, receive: Receive, body: bytearray) -> bool:
        """Read the body. RETURNS (bool): whether the client stayed until its end."""
        most = self._limits.body_bytes
        message = f"the body has more than {most:,} bytes; send fewer texts at once"
        length = header(scope, b"content-length")
        if length.isdigit() and int(length[:20]) > most:
            raise too_large(message)
        while True:
            part = await receive()
            if part["type"] == "http.disconnect":
                return False
            data = part.get("body", b"")
            if len(body) + len(data) > most:
                raise too_large(message)
            if self._held + len(data) > _BODIES * most:
                raise busy("the bodies of other requests fill the memory; ask again in a moment")
            self._held += len(data)
            body += data
            if not part.get("more_body"):
                return True


def _with_body(body: bytes, receive: Receive) -> Receive:
    given = False

    async def replay() -> dict[str, Any]:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def header(scope: Scope, name: bytes) -> str:
    """A header of a request; empty if it has none."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def has_body(scope: Scope) -> bool:
    """Whether a request says that it has a body."""
    return header(scope, b"content-length") not in ("", "0") or bool(header(scope, b"transfer-encoding"))


async def drain(scope: Scope, receive: Receive) -> None:
    """Read what is left of a body and forget it, for a while; not if its sender waits for a word first."""
    if not has_body(scope) or header(scope, b"expect"):
        return

    async def read() -> None:
        left = _DRAINED_BYTES
        while left > 0:
            part = await receive()
            if part["type"] == "http.disconnect" or not part.get("more_body"):
                return
            left -= len(part.get("body", b""))

    try:
        await asyncio.wait_for(read(), _DRAINED_SECONDS)
    except asyncio.TimeoutError:
        return


async def refuse(error: ServeError, versions: Mapping[str, Any], send: Send) -> None:
    """Answer with an error, and end the connection: what is left of the request is not wanted."""
    status, headers, body = error_answer(error, versions)
    headers |= {"content-length": str(len(body)), "connection": "close"}
    encoded = [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})


def _name_of(host: str) -> str:
    """A header `Host` without its port."""
    name, colon, port = host.rpartition(":")
    return name if colon and (port.isdigit() or not port) and not name.endswith(":") else host
