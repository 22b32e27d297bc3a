"""jieba dictionaries as files, and segmenters made of them."""

import logging
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import MedflatError

DICTIONARY = "dictionary.txt"
# Says that jieba's own dictionary is meant, so that a saved source is never without files.
BUILT_IN = "built_in.txt"


def read_jieba(model: str | None) -> dict[str, bytes]:
    """Read a dictionary.

    model (str or None): its file; None means jieba's own.
    RETURNS (dict of str to bytes): the files.
    RAISES (MedflatError): there is no such file.
    """
    _import_jieba()
    if model is None:
        return {BUILT_IN: b""}
    if not Path(model).is_file():
        raise MedflatError(
            f"no jieba dictionary {model!r}: give a file with lines of `word frequency tag`, or null for jieba's own"
        )
    return {DICTIONARY: Path(model).read_bytes()}


def load_jieba(files: dict[str, bytes], user_words: list[str]) -> Callable[[str], list[str]]:
    """Make a segmenter, apart from jieba's global one.

    files (dict of str to bytes): what `read_jieba` gave.
    user_words (list of str): words to keep whole.
    RETURNS (callable): cuts a text into words; none of its characters is missing.
    RAISES (MedflatError): the dictionary is damaged.
    RAISES (KeyError): it is not among the files.
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
                raise MedflatError(message) from error
    for word in user_words:
        tokenizer.add_word(word)
    return tokenizer.lcut


def _import_jieba() -> Any:
    try:
        import jieba
    except ImportError as error:
        raise ImportError("jieba is not installed: pip install 'spacy-medflat[jieba]'") from error
    # It reports the reading of its dictionary as debugging, to everyone.
    jieba.setLogLevel(logging.INFO)
    return jieba
