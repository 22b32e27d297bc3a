"""The outermost middleware: what is logged and counted of each request, headers of every answer, and defects."""

import logging
import traceback
from time import perf_counter
from typing import Any

from .answers import ServeError
from .guards import App, Receive, Scope, Send, Versions, refuse
from .metrics import Metrics

LOGGER = logging.getLogger("spacy_medflat.serve")
# Under which a route notes what the log is to say of its request.
NOTES = "medflat.notes"

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = [
    (b"content-security-policy", _POLICY.encode("ascii")),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
_NOT_KEPT = (b"cache-control", b"no-store")
# nginx's number for a client that went before it was answered.
_GONE = 499


class Observed:
    """Logs method, route, status, time, and how many texts and characters; never what they are."""

    def __init__(self, app: App, routes: frozenset[str], metrics: Metrics, versions: Versions):
        """app (callable): what comes after. routes (frozenset of str): paths that are named; others are `other`."""
        self._app, self._routes, self._metrics, self._versions = app, routes, metrics, versions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begin, status = perf_counter(), _GONE
        scope[NOTES] = {}

        async def send_with_headers(message: dict[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                own = {name for name, _ in message["headers"]}
                kept = [] if _NOT_KEPT[0] in own else [_NOT_KEPT]
                message = {**message, "headers": [*message["headers"], *_HEADERS, *kept]}
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except Exception as error:
            # Its message may have a text in it; the lines of code that led to it have none.
            where = "".join(traceback.format_tb(error.__traceback__))
            LOGGER.error("a defect of the service: %s\n%s", type(error).__name__, where)
            if status == _GONE:
                defect = ServeError(500, "defect", "the service has a defect; its log says where")
                await refuse(defect, self._versions(), send_with_headers)
        finally:
            self._note(scope, status, perf_counter() - begin)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        path, method = scope["path"], scope["method"]
        route = path if path in self._routes else "/page" if path.startswith("/page/") else "other"
        # Methods are whatever a client sends.
        method = method if method in ("GET", "POST", "DELETE", "HEAD", "OPTIONS") else "other"
        self._metrics.requests.labels(method, route, str(status)).inc()
        self._metrics.seconds.labels(route).observe(seconds)
        counts = "".join(f", {count:,} {name}" for name, count in scope[NOTES].items())
        level = logging.DEBUG if route == "/health" and status == 200 else logging.INFO
        LOGGER.log(level, "%s %s %d %.0f ms%s", method, route, status, 1000 * seconds, counts)
