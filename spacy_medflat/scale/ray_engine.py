"""Annotating on a Ray cluster.

One task reads the parts, on the machine where the run was started, and streams them to actors, each of which has loaded
the pipeline. The process that started the run writes the parts that are done. So only that machine needs the data; the
others need this package and the pipeline. Ray restarts an actor that dies, and repeats its part.
"""

import logging
import os
import secrets
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..errors import MedflatError
from .annotator import Annotator
from .items import OutputPart
from .parts import Parts

_QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_BACKEND_LOG_LEVEL": "fatal"}


def run_on_ray(parts: Parts, annotator: Annotator, n_process: int, address: str | None = None) -> Generator[OutputPart]:
    """Annotate with actors of a Ray cluster.

    parts (Parts): read where the run was started.
    annotator (Annotator): copied to each actor; if it is to use a GPU, each actor gets one.
    n_process (int): how many actors.
    address (str or None): of a cluster that is running; None starts one on this machine, which listens to the loopback
        address only, requires a token of its own, and ends with the iterator.
    YIELDS (OutputPart): as they are done, not in order.
    RAISES (MedflatError): Ray is not installed, there is no such cluster, or it cannot do the work.
    """
    with _environment(_QUIET if address else {**_QUIET, **_alone()}):
        try:
            import ray

            from .ray_data import stream
        except ImportError as error:
            raise MedflatError(f"the engine ray needs Ray: pip install 'spacy-medflat[ray]' ({error})") from error
        try:
            ray.init(**_arguments(address, n_process), log_to_driver=False, logging_level=logging.ERROR)
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise MedflatError(f"no Ray cluster at {address or 'this machine'}: {error}") from error
        try:
            yield from stream(parts, annotator, n_process)
        except ray.exceptions.RayError as error:
            raise MedflatError(f"Ray: {error}") from error
        finally:
            ray.shutdown()


def _arguments(address: str | None, n_process: int) -> dict[str, Any]:
    if address:
        return {"address": address}
    return {"address": "local", "num_cpus": n_process, "include_dashboard": False}


def _alone() -> dict[str, str]:
    """Environment variables that keep others from a cluster of this machine."""
    return {
        # Ray's way to let its servers bind to the loopback address, whatever the name says; read when Ray is imported.
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        # Other users of the machine reach the loopback address as well. Without one, Ray writes a token to the home.
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
    }


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables, and restore them in the end."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
