"""One service: its pipeline's description, workers, words and corrections, and what its answers are made of."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

from .. import __version__
from ..lattice.words import NO_ENTITY
from ..visual.labels import colours, full_name
from .answers import ServeError, error_fields, invalid, no_worker, stopping, timed_out, too_large
from .batching import Batcher
from .corrections import CorrectionsFile
from .export import EXPORTS
from .lexicon_file import LexiconFile
from .messages import Description, Outcome, TextFailure, TextJob
from .metrics import Metrics
from .settings import Limits, ServeSettings
from .word_list import WordList

# Scores from here on are worth a slider.
FLOOR = 0.05
_DIGEST_LENGTH = 12
_ResultT = TypeVar("_ResultT")


class Workers(Protocol):
    """What a service needs of its workers; `pool.Pool` has it."""

    @property
    def wanted(self) -> int: ...

    @property
    def alive(self) -> int: ...

    @property
    def hopeless(self) -> bool: ...

    async def read(self, jobs: list[TextJob]) -> Sequence[Outcome]: ...

    async def use_words(self, words: dict[str, str]) -> None: ...


class Service:
    """What the routes work with."""

    def __init__(
        self, settings: ServeSettings, description: Description, digest: str, workers: Workers, metrics: Metrics
    ):
        """Make a service; `start` it in a running loop.

        settings (ServeSettings): see there.
        description (Description): what a worker says of the pipeline.
        digest (str): of the pipeline's files.
        workers (Workers): that have it.
        metrics (Metrics): where it counts.
        RAISES (MedflatError): files of words or corrections cannot be used.
        """
        self.settings, self.limits = settings, settings.limits
        self.description, self.digest, self.workers, self.metrics = (
            description,
            digest[:_DIGEST_LENGTH],
            workers,
            metrics,
        )
        self.batcher = Batcher(workers.read, workers.wanted, self.limits, metrics.batch_texts.observe)
        file = LexiconFile(settings.words) if settings.words else None
        self.words = WordList(description, workers.use_words, file, self.limits.user_words, settings.read_only)
        kept = settings.corrections if not settings.read_only else None
        self.corrections = CorrectionsFile(kept) if kept else None
        if file and not settings.read_only:
            file.check()
        if self.corrections:
            self.corrections.check()
        self._storing = asyncio.Lock()
        metrics.watch("waiting_texts", "Texts without an answer.", lambda: self.batcher.waiting_texts)
        metrics.watch("waiting_characters", "Their characters.", lambda: self.batcher.waiting_characters)
        metrics.watch("workers_alive", "Workers that are ready or at work.", lambda: workers.alive)
        metrics.watch("workers_wanted", "Workers that there are to be.", lambda: workers.wanted)

    async def start(self) -> None:
        """Let the workers have the words of users, and begin to read."""
        await self.workers.use_words(self.words.user)
        self.batcher.start()

    async def stop(self) -> None:
        """Read no more; what waits is answered with an error."""
        await self.batcher.stop(stopping())

    def versions(self) -> dict[str, Any]:
        """What stands in every answer."""
        return {
            "spacy_medflat": __version__,
            "pipeline": f"{self.description.name} {self.description.version}",
            "digest": self.digest,
            "lexicon": self.words.revision,
        }

    def about(self) -> dict[str, Any]:
        """What the pipeline is, and what can be done with it."""
        told = self.description
        types = [label for label, _ in told.labels]
        palette = colours(types)
        return {
            "name": told.name,
            "version": told.version,
            "description": told.description,
            "language": told.language,
            "digest": self.digest,
            "components": told.components,
            "labels": [
                {"label": label, "name": full_name(label), "threshold": score, "colour": palette[label]}
                for label, score in told.labels
            ],
            "floor": FLOOR,
            "nesting": told.nesting,
            "facts": told.facts,
            "limits": limits_shown(self.limits),
            "lexicon": {"editable": self.words.editable, "words": len(self.words), "types": [*types, NO_ENTITY]},
            "corrections": {"stored": self.corrections is not None},
            "export": list(EXPORTS),
            "licence": told.licence,
            "sources": told.sources,
        }

    def check_labels(self, labels: Sequence[str] | None) -> frozenset[str] | None:
        """RAISES (ServeError): the pipeline does not have one of these labels."""
        known = [label for label, _ in self.description.labels]
        if labels is not None and (unknown := set(labels) - set(known)):
            raise invalid(f"{len(unknown)} of the labels are none of the pipeline's, which are {', '.join(known)}")
        return None if labels is None else frozenset(labels)

    def check_texts(self, texts: Sequence[str]) -> None:
        """RAISES (ServeError): more texts or characters than a request may have."""
        limits = self.limits
        if len(texts) > limits.texts:
            raise too_large(f"{len(texts):,} texts in a request; send at most {limits.texts:,}")
        longest, together = max(map(len, texts), default=0), sum(map(len, texts))
        if longest > limits.text_characters:
            raise too_large(f"a text of {longest:,} characters; send at most {limits.text_characters:,} in one")
        if together > limits.request_characters:
            raise too_large(f"{together:,} characters in a request; send at most {limits.request_characters:,}")

    async def read(self, jobs: Sequence[TextJob], gone: Callable[[], Awaitable[Any]]) -> list[Outcome] | None:
        """The outcomes of texts; None if the client has gone.

        gone (callable): waits until it has.
        RAISES (ServeError): too much waits, it took too long, or no worker is alive.
        """
        if self.workers.hopeless:
            raise no_worker()
        self.metrics.texts.inc(len(jobs))
        self.metrics.characters.inc(sum(len(job.text) for job in jobs))
        outcomes = await self._in_time(self.batcher.read(jobs), gone)
        if outcomes is not None:
            self.metrics.failed_texts.inc(sum(isinstance(outcome, TextFailure) for outcome in outcomes))
        return outcomes

    async def _in_time(self, work: Awaitable[_ResultT], gone: Callable[[], Awaitable[Any]]) -> _ResultT | None:
        working, leaving = asyncio.ensure_future(work), asyncio.ensure_future(gone())
        try:
            await asyncio.wait({working, leaving}, timeout=self.limits.seconds, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                return working.result()
            if leaving.done():
                return None
            raise timed_out(self.limits.seconds) if self.workers.alive else no_worker()
        finally:
            for task in (working, leaving):
                task.cancel()
            await asyncio.gather(working, leaving, return_exceptions=True)

    async def store(self, records: Sequence[dict[str, Any]]) -> None:
        """Add corrections to the file.

        RAISES (ServeError): there is no file, or no room in it.
        """
        if self.corrections is None:
            raise ServeError(409, "read_only", "the service keeps no corrections: start it with --corrections FILE")
        async with self._storing:
            await asyncio.to_thread(self.corrections.add, records)


def result_fields(identifier: str | None, outcome: Outcome) -> dict[str, Any]:
    """What is answered about a text."""
    if isinstance(outcome, TextFailure):
        return {"id": identifier, "error": error_fields(outcome.code, outcome.reason)}
    return {"id": identifier, **outcome}


def limits_shown(limits: Limits) -> dict[str, int]:
    """The limits that a client can keep to."""
    return {
        "text_characters": limits.text_characters,
        "texts": limits.texts,
        "request_characters": limits.request_characters,
        "body_bytes": limits.body_bytes,
    }
