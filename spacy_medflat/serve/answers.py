"""How the service answers: JSON with the versions in it, and errors with a code."""

import json
from collections.abc import Mapping
from typing import Any

from ..errors import MedflatError
from ..files import escaped


class ServeError(MedflatError):
    """A request that is not answered as asked.

    status (int): of HTTP.
    code (str): what is wrong, for programs.
    retry_after (int or None): seconds until it is worth to ask again.
    """

    def __init__(self, status: int, code: str, message: str, retry_after: int | None = None):
        super().__init__(message)
        self.status, self.code, self.retry_after = status, code, retry_after


def too_large(message: str) -> ServeError:
    """More than a limit allows."""
    return ServeError(413, "too_large", message)


def invalid(message: str) -> ServeError:
    """A request of a wrong form, or with values that do not exist."""
    return ServeError(422, "invalid", message)


def busy(message: str) -> ServeError:
    """Too much waits already."""
    return ServeError(429, "busy", message, retry_after=1)


def read_only(message: str) -> ServeError:
    """What is asked to be changed cannot be changed here."""
    return ServeError(409, "read_only", message)


def no_worker() -> ServeError:
    """No worker process is alive, and none comes up."""
    message = "no worker is alive, and starting one failed: see the log of the service; ask again later"
    return ServeError(503, "no_worker", message, retry_after=5)


def stopping() -> ServeError:
    """The service is about to end."""
    return ServeError(503, "stopping", "the service stops; ask again when it is back", retry_after=10)


def timed_out(seconds: float) -> ServeError:
    """The answer was not there in time."""
    message = f"no answer within {seconds:g} seconds; send fewer or shorter texts, or ask again when less waits"
    return ServeError(504, "timeout", message)


def json_bytes(value: Any) -> bytes:
    """A value as JSON in UTF-8; halves of surrogate pairs, which UTF-8 cannot hold, as escapes."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        return escaped(text).encode("utf-8")


def error_fields(code: str, message: str) -> dict[str, str]:
    """What is said of an error."""
    return {"code": code, "message": message}


def error_answer(error: ServeError, versions: Mapping[str, Any]) -> tuple[int, dict[str, str], bytes]:
    """The answer to a request that failed.

    RETURNS (int, dict of str, bytes): status, headers, body.
    """
    headers = {"content-type": "application/json"}
    if error.retry_after is not None:
        headers["retry-after"] = str(error.retry_after)
    if error.status == 401:
        headers["www-authenticate"] = "Bearer"
    body = {"error": error_fields(error.code, str(error)), "versions": dict(versions)}
    return error.status, headers, json_bytes(body)
