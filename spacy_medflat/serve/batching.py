"""Texts of many requests together in batches: nobody waits for a batch to fill, and no request keeps others out."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from .answers import ServeError, busy
from .messages import Outcome, TextJob
from .settings import Limits

Run = Callable[[list[TextJob]], Awaitable[Sequence[Outcome]]]


_SHARE_OF_PAUSE = 0.1
# Seconds.
_LONGEST_PAUSE = 0.1


class _Waiting(NamedTuple):
    job: TextJob
    done: asyncio.Future[Outcome]


class Batcher:
    """Gives the texts that wait to whoever runs batches, one from each request in turn.

    While a batch is read, the texts that arrive make the next one: with little to do a text goes alone and at once,
    with much to do batches are full. Clients that wait for their answers before they ask again all come back just after
    a batch; so the next one waits for as many texts as the last one had, but no longer than a tenth of its time.

    waiting_texts, waiting_characters (int): of texts without an outcome, those that are being read included.
    """

    def __init__(self, run: Run, runners: int, limits: Limits, on_batch: Callable[[int], None] = lambda texts: None):
        """Make a batcher; `start` it in a running loop.

        run (callable): reads a batch; whatever it raises is the outcome of all its texts.
        runners (int): how many batches may be read at once.
        limits (Limits): `batch_texts`, `batch_characters`, `waiting_characters`.
        on_batch (callable): is told how many texts a batch has.
        """
        self._run, self._runners, self._limits, self._on_batch = run, runners, limits, on_batch
        self._requests: deque[deque[_Waiting]] = deque()
        self._filled = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._stopped: ServeError | None = None
        self.waiting_texts = self.waiting_characters = 0

    def start(self) -> None:
        """Begin to run batches."""
        self._tasks = [asyncio.create_task(self._serve()) for _ in range(self._runners)]

    async def read(self, jobs: Sequence[TextJob]) -> list[Outcome]:
        """The outcomes of the texts of a request, in their order. If this is cancelled, those not begun are dropped.

        RAISES (ServeError): too much waits already, or the service stops.
        """
        characters = sum(len(job.text) for job in jobs)
        if self._stopped:
            raise self._stopped
        if self.waiting_characters + characters > self._limits.waiting_characters and self.waiting_texts:
            raise busy(
                f"{self.waiting_characters:,} characters wait already, and at most "
                f"{self._limits.waiting_characters:,} may; ask again in a moment"
            )
        loop = asyncio.get_running_loop()
        waiting = [_Waiting(job, loop.create_future()) for job in jobs]
        if waiting:
            self._requests.append(deque(waiting))
            self._filled.set()
        self.waiting_texts += len(jobs)
        self.waiting_characters += characters
        try:
            return list(await asyncio.gather(*(one.done for one in waiting)))
        finally:
            self.waiting_texts -= len(jobs)
            self.waiting_characters -= characters

    async def stop(self, error: ServeError) -> None:
        """Run no more batches. What waits, and what comes, gets this error."""
        self._stopped = error
        for request in self._requests:
            for one in request:
                _fail(one.done, error)
        self._requests.clear()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _next(self) -> list[_Waiting]:
        """Take a batch out of what waits: empty if nothing does."""
        batch: list[_Waiting] = []
        characters = 0
        while self._requests and len(batch) < self._limits.batch_texts:
            request = self._requests.popleft()
            while request and request[0].done.done():
                request.popleft()
            if not request:
                continue
            length = len(request[0].job.text)
            if batch and characters + length > self._limits.batch_characters:
                self._requests.appendleft(request)
                break
            batch.append(request.popleft())
            characters += length
            if request:
                self._requests.append(request)
        if not self._requests:
            self._filled.clear()
        return batch

    async def _serve(self) -> None:
        texts, pause = 0, 0.0
        loop = asyncio.get_running_loop()
        while True:
            await self._filled.wait()
            end = loop.time() + pause
            while sum(map(len, self._requests)) < texts and loop.time() < end:
                await asyncio.sleep(pause / 10)
            batch = self._next()
            if batch:
                begin = loop.time()
                await self._read(batch)
                texts, pause = len(batch), min(_LONGEST_PAUSE, _SHARE_OF_PAUSE * (loop.time() - begin))

    async def _read(self, batch: list[_Waiting]) -> None:
        self._on_batch(len(batch))
        try:
            outcomes = await self._run([one.job for one in batch])
        except asyncio.CancelledError:
            for one in batch:
                _fail(one.done, self._stopped or asyncio.CancelledError())
            raise
        except Exception as error:
            for one in batch:
                _fail(one.done, error)
            return
        for one, outcome in zip(batch, outcomes, strict=True):
            if not one.done.done():
                one.done.set_result(outcome)


def _fail(done: asyncio.Future[Outcome], error: BaseException) -> None:
    if not done.done():
        done.set_exception(error)
        # The request may have gone meanwhile; then nobody asks for it.
        done.exception()
