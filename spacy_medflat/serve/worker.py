"""A worker process: it loads the pipeline, and answers messages until the service closes the connection."""

import signal
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from .messages import StartFailure, UserWords


class WorkerSettings(NamedTuple):
    """What a worker needs to know.

    model (str), gpu_id (int), code (Path or None): see `loading.load_model`.
    threads (int): of torch.
    describe (bool): whether the words of the lexicons are wanted too.
    """

    model: str
    gpu_id: int = -1
    code: Path | None = None
    threads: int = 1


def work(connection: Connection, settings: WorkerSettings) -> None:
    """Send a `Description` or a `StartFailure`, then answer each message: `UserWords` or a list of `TextJob`.

    connection (Connection): to the service.
    settings (WorkerSettings): see there.
    """
    from ..runtime import end_with_parent

    # The service is told to stop, and finishes with its workers alive; then it ends them.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    end_with_parent()
    reader = _load(settings)
    if isinstance(reader, StartFailure):
        connection.send(reader)
        return
    connection.send(reader.describe())
    while True:
        try:
            message = connection.recv()
        except EOFError:
            return
        connection.send(_answer(reader, message))


def _load(settings: WorkerSettings) -> Any:
    from ..errors import MedflatError
    from ..loading import load_model
    from ..runtime import use_threads
    from .messages import TextJob
    from .text_reader import TextReader

    use_threads(settings.threads)
    try:
        nlp = load_model(settings.model, gpu_id=settings.gpu_id, code=settings.code)
        reader = TextReader(nlp, settings.model)
    except (MedflatError, OSError) as error:
        return StartFailure(str(error))
    # What is made at the first text is not to be waited for by the first request.
    reader.read([TextJob("患者咳嗽3天。", floor=0.5)])
    return reader


def _answer(reader: Any, message: Any) -> Any:
    if isinstance(message, UserWords):
        reader.use_words(message.words)
        return None
    return reader.read(message)
