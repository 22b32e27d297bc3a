"""pkuseg as a segmenter that carries its model."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .pkuseg_model import FEATURES, MERGED_WORDS, WEIGHTS, import_pkuseg


class PkusegSegmenter:
    """Cuts texts with a pkuseg model."""

    def __init__(self, model: Any):
        self._model = model

    def cut(self, text: str) -> Sequence[str]:
        """The words of a text, without white space."""
        return self._model.cut(text)


def load_pkuseg(files: dict[str, bytes], user_words: list[str]) -> PkusegSegmenter:
    """Make a segmenter of the files that `read_pkuseg` gave.

    RAISES KeyError: one of them is not there.
    """
    pkuseg = import_pkuseg()
    with tempfile.TemporaryDirectory() as folder:
        for name in (FEATURES, WEIGHTS):
            Path(folder, name).write_bytes(files[name])
        # Without a dictionary, because those that come with pkuseg are pickles.
        model = pkuseg.pkuseg(folder, user_dict=None)
    model.preprocesser = pkuseg.Preprocesser(user_words)
    merged = files[MERGED_WORDS].decode("utf-8")
    if merged:
        model.postprocesser.do_process = True
        model.postprocesser.common_words = set()
        model.postprocesser.other_words = set(merged.split("\n"))
    return PkusegSegmenter(model)
