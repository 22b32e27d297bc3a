"""The device that a command computes on."""

from __future__ import annotations

from spacy.cli._util import setup_gpu

from .corpus.record import CorpusError


def use_device(gpu_id: int, *, silent: bool = True) -> None:
    """Let thinc and torch compute on a GPU, or on the CPU with -1.

    RAISES (CorpusError): There is no such GPU, or no CuPy to use it with.
    """
    try:
        setup_gpu(gpu_id, silent=silent)
    except ValueError as error:
        raise CorpusError(f"GPU {gpu_id} cannot be used: {error}") from error
