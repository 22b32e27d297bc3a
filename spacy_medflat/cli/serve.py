"""`medflat serve`: a pipeline as a service with a page."""

import importlib.util
import sys
from pathlib import Path
from typing import Annotated

import typer

from ..errors import MedflatError
from .common import Code, GpuId, friendly_errors, say

_NEEDED = ("fastapi", "uvicorn", "prometheus_client")


def serve(
    model: Annotated[str, typer.Argument(help="Package name or folder of a trained pipeline.")],
    host: Annotated[
        str, typer.Option(help="Address to listen on. Others than this machine's need a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 for any that is free.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="Processes with the pipeline; they share the CPUs.")] = 1,
    gpu_id: GpuId = -1,
    words: Annotated[
        Path | None, typer.Option(help="Lexicon file in which words that users add are kept. Forgotten by default.")
    ] = None,
    corrections: Annotated[
        Path | None, typer.Option(help="JSON lines to which corrections are added. None are kept by default.")
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option(help="File with the token that requests must carry; or the variable MEDFLAT_TOKEN.")
    ] = None,
    read_only: Annotated[bool, typer.Option("--read-only", help="Let nobody add words or corrections.")] = False,
    allow_host: Annotated[
        list[str] | None, typer.Option(help="Another name by which the service is called; * for any. May be repeated.")
    ] = None,
    page: Annotated[Path | None, typer.Option(help="Folder of another page, in place of the one that is here.")] = None,
    max_body: Annotated[int, typer.Option(min=1000, help="Bytes of a request.")] = 16_000_000,
    max_texts: Annotated[int, typer.Option(min=1, help="Texts of a request.")] = 1_000,
    max_text_characters: Annotated[int, typer.Option(min=1, help="Characters of a text.")] = 100_000,
    max_request_characters: Annotated[int, typer.Option(min=1, help="Characters of a request.")] = 1_000_000,
    max_waiting_characters: Annotated[
        int, typer.Option(min=1, help="Characters that may wait; beyond, the answer is 429.")
    ] = 2_000_000,
    max_seconds: Annotated[float, typer.Option(min=0.1, help="Seconds for an answer.")] = 60.0,
    max_body_seconds: Annotated[float, typer.Option(min=0.1, help="Seconds for a body to arrive.")] = 20.0,
    max_connections: Annotated[int, typer.Option(min=1, help="Connections at once.")] = 1_000,
    grace: Annotated[float, typer.Option(min=0, help="Seconds to finish what waits when asked to stop.")] = 30.0,
    code: Code = None,
) -> None:
    """Serve a pipeline over HTTP, with a page to try and correct it at /.

    Ends in order at SIGTERM or Ctrl-C: no new requests, what waits is finished, exit code 0. What requests may look
    like is in docs/serve.md and at /openapi.json.
    """
    with friendly_errors("The service has ended."):
        check_installed()
        from ..serve.run import serve as run
        from ..serve.service import Service
        from ..serve.settings import Limits, ServeSettings, read_token

        limits = Limits(
            body_bytes=max_body,
            texts=max_texts,
            text_characters=max_text_characters,
            request_characters=max_request_characters,
            waiting_characters=max_waiting_characters,
            seconds=max_seconds,
            body_seconds=max_body_seconds,
            connections=max_connections,
            grace_seconds=grace,
        )
        settings = ServeSettings(
            model=model,
            host=host,
            port=port,
            workers=workers,
            gpu_id=gpu_id,
            code=code,
            words=words,
            corrections=corrections,
            read_only=read_only,
            allow_hosts=tuple(allow_host or ()),
            token=read_token(token_file),
            page=page,
            limits=limits,
        )

        def ready(address: str, service: Service) -> None:
            versions = service.versions()
            say(f"{versions['pipeline']} ({versions['digest']}) is served at {address}")
            # Who waits for the line may read it from a pipe.
            sys.stdout.flush()

        run(settings, ready)


def check_installed() -> None:
    """RAISES (MedflatError): a package that only the service needs is missing."""
    missing = [name.replace("_", "-") for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise MedflatError(f"serve needs {', '.join(missing)}: pip install spacy-medflat[serve]")
