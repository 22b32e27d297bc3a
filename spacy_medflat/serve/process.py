"""One worker process as the service sees it: started, asked, ended."""

import asyncio
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Any

# What a process runs: it sends one message when it is ready, then one answer to each message.
Target = Callable[[Connection, Any], None]


class WorkerDied(Exception):  # noqa: N818 (it says what happened; it is no error of the caller's)
    """The process ended before it answered."""


class WorkerTooSlow(WorkerDied):
    """The process was killed because its answer took too long."""


class WorkerProcess:
    """A process that answers one message at a time; others wait for their turn, in order."""

    def __init__(self, target: Target, argument: Any):
        """Nothing is started yet.

        target (callable): what the process runs, importable.
        argument (Any): its second argument; the first is the connection.
        """
        self._target, self._argument = target, argument
        # One asks, one waits for the end.
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="medflat-worker")
        self._lock = asyncio.Lock()
        self._process: Any = None
        self._connection: Connection | None = None

    @property
    def pid(self) -> int | None:
        """Of the process; None if none was started."""
        return None if self._process is None else self._process.pid

    async def start(self) -> Any:
        """Start a process and wait until it is ready.

        RETURNS (Any): what it said when it was.
        RAISES (WorkerDied): it ended before.
        """
        async with self._lock:
            return await self._in_thread(self._start)

    async def ask(self, message: Any, seconds: float | None = None) -> Any:
        """Send a message and wait for its answer. When it takes too long, the process is killed.

        seconds (float or None): how long the process may take.
        RAISES (WorkerTooSlow): it took longer.
        RAISES (WorkerDied): the process ended.
        """
        async with self._lock:
            return await self._in_thread(self._exchange, message, seconds=seconds)

    async def ended(self) -> None:
        """Wait until the process that was started last has ended."""
        with suppress(ValueError, AttributeError):
            await asyncio.get_running_loop().run_in_executor(self._threads, wait, [self._process.sentinel])

    def kill(self) -> None:
        """End the process at once. Who waits for an answer gets `WorkerDied`."""
        process = self._process
        # One that was closed meanwhile has ended.
        with suppress(ValueError, AttributeError):
            process.kill()

    async def close(self) -> None:
        """End the process, and leave nothing of it."""
        self.kill()
        async with self._lock:
            await self._in_thread(self._clear)
        self._threads.shutdown(wait=False)

    async def _in_thread(self, function: Callable[..., Any], *arguments: Any, seconds: float | None = None) -> Any:
        answer = asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)
        try:
            await asyncio.wait([answer], timeout=seconds)
        finally:
            # Nobody waits any longer, but the thread does. The connection is free only when it is done.
            if late := not answer.done():
                self.kill()
                await asyncio.wait([answer])
                answer.exception()
        if late:
            raise WorkerTooSlow
        return answer.result()

    def _start(self) -> Any:
        self._clear()
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=self._target, args=(theirs, self._argument), daemon=True)
        process.start()
        # Only the process holds its end now, so that ours ends with it.
        theirs.close()
        self._process, self._connection = process, ours
        return self._receive()

    def _exchange(self, message: Any) -> Any:
        if self._connection is None:
            raise WorkerDied
        try:
            self._connection.send(message)
        except OSError as error:
            raise WorkerDied from error
        return self._receive()

    def _receive(self) -> Any:
        assert self._connection is not None
        try:
            return self._connection.recv()
        except (EOFError, OSError) as error:
            raise WorkerDied from error

    def _clear(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process.close()
            self._process = None
