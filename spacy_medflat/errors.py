"""Errors about input: what a user gave cannot be used. The command line shows their message, without a traceback."""

from pydantic import ValidationError


class MedflatError(ValueError):
    """Input that cannot be used. The message names the offending value, its place, and what to do."""


class CorpusError(MedflatError):
    """A corpus that cannot be read, or in strict mode a broken item of it."""


class LexiconError(MedflatError):
    """A lexicon that cannot be read or used. The message names file, line and value."""


class TableError(MedflatError):
    """A table of cues, headings, terms or codes that cannot be used. The message names file, line and value."""


class ContextError(MedflatError):
    """Attributes of a span that do not exist. The message names the value and those that do."""


class VectorsError(MedflatError):
    """The pipeline has no word vectors, or none that FLAT can read."""


class EncoderError(MedflatError):
    """An encoder that is not there or cannot be read. The message says what to do."""


class EnsembleError(MedflatError):
    """Pipelines that make no ensemble, or an ensemble that is not whole."""


class CheckpointError(MedflatError):
    """There is no checkpoint to continue from, or it belongs to another run. The message says what differs."""


class DamagedCheckpointError(CheckpointError):
    """A checkpoint that cannot be read."""


class SourceError(MedflatError):
    """A source that cannot be read on, or is not what it was."""


class ExperimentError(MedflatError):
    """A matrix, a row or its files that cannot be used. The message names the row and the value."""


def clipped(value: object, limit: int = 60) -> str:
    """The `repr` of a value, on one line and cut to about `limit` characters, for messages."""
    shown = repr(value)
    return shown if len(shown) <= limit else f"{shown[: limit - 1]}…"


def first_problem(error: ValidationError) -> str:
    """The first field that does not fit its schema, why, and its value, for messages."""
    first = error.errors(include_url=False)[0]
    field = ".".join(map(str, first["loc"])) or "record"
    got = "" if first["type"] == "missing" else f", got {clipped(first['input'])}"
    return f"{field}: {first['msg'].lower()}{got}"


def amount(count: int, noun: str) -> str:
    """A number with a noun: `1 text`, `2,000 entities`.

    noun (str): in the singular.
    """
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{count:,} {noun if count == 1 else plural}"
