"""The worker processes: started, fed, and started again when one dies."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from spacy.util import logger

from ..errors import MedflatError
from .messages import Description, Outcome, StartFailure, TextFailure, TextJob, UserWords
from .process import WorkerDied, WorkerProcess, WorkerTooSlow

# Seconds between one failed start and the next: doubled each time, up to the last.
_FIRST_PAUSE, _LAST_PAUSE = 0.5, 30.0


class _Slot:
    """A place for a worker, which a new process takes when one has died."""

    def __init__(self, process: WorkerProcess):
        self.process = process
        # Goes up with every process, so that what was said of an earlier one is known to be old.
        self.generation = 0
        self.alive = False


class Pool:
    """Workers that read batches."""

    def __init__(
        self, processes: Sequence[WorkerProcess], seconds: float, on_restart: Callable[[], None] = lambda: None
    ):
        """Make a pool; nothing is started yet.

        processes (sequence of WorkerProcess): one for each worker.
        seconds (float): that a batch may take. A worker that takes longer is killed.
        on_restart (callable): is told of each worker that died.
        """
        self._slots = [_Slot(process) for process in processes]
        self._seconds, self._on_restart = seconds, on_restart
        self._idle: asyncio.Queue[tuple[_Slot, int]] = asyncio.Queue()
        self._words: dict[str, str] = {}
        self._keepers: list[asyncio.Task[None]] = []
        self._failed = False

    @property
    def wanted(self) -> int:
        """How many workers there are to be."""
        return len(self._slots)

    @property
    def alive(self) -> int:
        """How many workers are ready, or at work."""
        return sum(slot.alive for slot in self._slots)

    @property
    def hopeless(self) -> bool:
        """Whether no worker is alive and the last start failed."""
        return self._failed and not self.alive

    async def start(self) -> Description:
        """Start all workers.

        RETURNS (Description): what the first one says of its pipeline.
        RAISES (MedflatError): the pipeline cannot be loaded, or a worker ended before it was.
        """
        descriptions = [await self._bring_up(slot) for slot in self._slots[:1]]
        descriptions += await asyncio.gather(*(self._bring_up(slot) for slot in self._slots[1:]))
        self._keepers = [asyncio.create_task(self._keep(slot)) for slot in self._slots]
        return descriptions[0]

    async def close(self) -> None:
        """End all workers."""
        for task in self._keepers:
            task.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        await asyncio.gather(*(slot.process.close() for slot in self._slots))

    async def read(self, jobs: list[TextJob]) -> list[Outcome]:
        """The outcomes of a batch. One whose worker died is tried once more, then text by text."""
        for _ in range(2):
            try:
                return await self._on_a_worker(jobs)
            except WorkerTooSlow:
                reason = f"the pipeline took longer than {self._seconds:g} seconds; send it in parts"
                return [TextFailure("timeout", reason) for _ in jobs]
            except WorkerDied:
                logger.warning("a worker died while it read a batch of %d texts", len(jobs))
        if len(jobs) > 1:
            return [outcome for job in jobs for outcome in await self._alone(job)]
        return [_killer()]

    async def _alone(self, job: TextJob) -> list[Outcome]:
        try:
            return await self._on_a_worker([job])
        except WorkerDied:
            return [_killer()]

    async def use_words(self, words: dict[str, str]) -> None:
        """Let these be the words of users in all workers, also in those that are started later."""
        self._words = words
        asked = (slot.process.ask(UserWords(words)) for slot in self._slots if slot.alive)
        for answer in await asyncio.gather(*asked, return_exceptions=True):
            # One that died gets the words when it is started again.
            if isinstance(answer, BaseException) and not isinstance(answer, WorkerDied):
                raise answer

    async def _on_a_worker(self, jobs: list[TextJob]) -> list[Outcome]:
        slot, generation = await self._idle.get()
        while not slot.alive or slot.generation != generation:
            slot, generation = await self._idle.get()
        outcomes = await slot.process.ask(jobs, self._seconds)
        self._idle.put_nowait((slot, generation))
        return outcomes

    async def _bring_up(self, slot: _Slot) -> Any:
        """Start a process in a slot.

        RAISES (MedflatError): it has no pipeline.
        """
        try:
            description = await slot.process.start()
            if isinstance(description, StartFailure):
                raise MedflatError(description.reason)
            words = None
            while words is not self._words:
                words = self._words
                await slot.process.ask(UserWords(words))
        except (WorkerDied, OSError) as error:
            raise MedflatError(
                "a worker ended while it loaded the pipeline, perhaps because memory ran out: try fewer --workers"
            ) from error
        slot.generation += 1
        slot.alive = True
        self._idle.put_nowait((slot, slot.generation))
        return description

    async def _keep(self, slot: _Slot) -> None:
        """Replace the process of a slot whenever it has ended."""
        while True:
            await slot.process.ended()
            slot.alive = False
            self._on_restart()
            logger.warning("a worker has ended; a new one is started")
            pause = _FIRST_PAUSE
            while not slot.alive:
                try:
                    await self._bring_up(slot)
                    self._failed = False
                except MedflatError as error:
                    self._failed = True
                    logger.error("no new worker: %s; the next try is in %g seconds", error, pause)
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, _LAST_PAUSE)


def _killer() -> TextFailure:
    return TextFailure("worker_died", "the worker that read this text died each time; send it in parts, or report it")
