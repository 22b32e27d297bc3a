"""What worker processes of tests run, in place of a pipeline. Nothing heavy is imported, so they start fast."""

import os
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from spacy_medflat.serve.messages import StartFailure, UserWords


def echo(connection: Connection, argument: Any) -> None:
    """Answers texts with themselves and the words of users. `die` ends it, `sleep` takes long.

    argument (Path or None): a file; `die once` in a text ends the process if the file is not there, and makes it.
    """
    connection.send({"pid": os.getpid()})
    words: dict[str, str] = {}
    while True:
        try:
            message = connection.recv()
        except EOFError:
            return
        if isinstance(message, UserWords):
            words = message.words
            connection.send(None)
            continue
        for job in message:
            if job.text == "sleep":
                time.sleep(60)
            if job.text == "die":
                os._exit(3)
            if job.text == "die once" and not Path(argument).exists():
                Path(argument).touch()
                os._exit(3)
        connection.send([{"text": job.text, "words": dict(words), "pid": os.getpid()} for job in message])


def no_pipeline(connection: Connection, argument: Any) -> None:
    """Says that there is none."""
    connection.send(StartFailure("no pipeline 'zh_none'"))


def dead(connection: Connection, argument: Any) -> None:
    """Ends at once."""
    os._exit(9)


def only_once(connection: Connection, argument: Any) -> None:
    """Like `echo` the first time, and dead ever after."""
    if Path(argument).exists():
        os._exit(9)
    Path(argument).touch()
    echo(connection, None)
