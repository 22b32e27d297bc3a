"""HTTP as uvicorn reads it, with a limit on the time that a request's head may take."""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol


class TimedProtocol(H11Protocol):
    """Closes a connection on which a request does not arrive: its sender is gone, or keeps others out.

    uvicorn limits how long a connection may be idle between two requests, but not how slowly the head of one may come.
    Bodies have a limit of their own, see `guards.Bodies`.

    head_seconds (float): for a head.
    """

    head_seconds = 10.0

    def __init__(self, *arguments: Any, **named: Any):
        super().__init__(*arguments, **named)
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """A client has come."""
        super().connection_made(transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """A client has gone."""
        self._stop_watching()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Something of a request has come."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_watching()
        elif self._head_timer is None:
            self._watch()

    def _watch(self) -> None:
        self._head_timer = self.loop.call_later(self.head_seconds, self.transport.close)

    def _stop_watching(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
