"""jieba as a segmenter that carries its dictionary."""

import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

DICTIONARY = "dictionary.txt"
# Says that jieba's own dictionary is meant, so that a saved source is never without files.
BUILT_IN = "built_in.txt"


class JiebaSegmenter:
    """Cuts texts with a jieba tokenizer of its own, apart from jieba's global one."""

    def __init__(self, tokenizer: Any):
        self._tokenizer = tokenizer

    def cut(self, text: str) -> Sequence[str]:
        """The words of a text; none of its characters is missing."""
        return self._tokenizer.lcut(text)


def read_jieba(model: str | None) -> dict[str, bytes]:
    """The files of a dictionary; None means jieba's own.

    RAISES ValueError: there is no such file.
    """
    _import_jieba()
    if model is None:
        return {BUILT_IN: b""}
    if not Path(model).is_file():
        raise ValueError(
            f"no jieba dictionary {model!r}: give a file with lines of `word frequency tag`, or null for jieba's own"
        )
    return {DICTIONARY: Path(model).read_bytes()}


def load_jieba(files: dict[str, bytes], user_words: list[str]) -> JiebaSegmenter:
    """Make a segmenter of the files that `read_jieba` gave.

    RAISES ValueError: the dictionary is damaged. KeyError: it is not among the files.
    """
    jieba = _import_jieba()
    if BUILT_IN in files:
        tokenizer = jieba.Tokenizer()
        tokenizer.initialize()
    else:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, DICTIONARY)
            path.write_bytes(files[DICTIONARY])
            tokenizer = jieba.Tokenizer(dictionary=str(path))
            # Otherwise a cache is kept in the common temporary folder, under a name made of the file's.
            tokenizer.tmp_dir = folder
            try:
                tokenizer.initialize()
            except (ValueError, UnicodeError) as error:
                message = f"damaged jieba dictionary ({error}); its lines must be `word frequency tag`"
                raise ValueError(message) from error
    for word in user_words:
        tokenizer.add_word(word)
    return JiebaSegmenter(tokenizer)


def _import_jieba() -> Any:
    try:
        import jieba
    except ImportError as error:
        raise ImportError("jieba is not installed: pip install 'spacy-medflat[jieba]'") from error
    # It reports the reading of its dictionary as debugging, to everyone.
    jieba.setLogLevel(logging.INFO)
    return jieba
