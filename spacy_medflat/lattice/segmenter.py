"""`spacy_medflat.SegmenterWords.v1`: the words that a segmenter cuts a text into."""

import logging
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

from spacy.util import registry

from .align import align_words
from .lexicon import read_lexicon
from .pkuseg_model import FEATURES, MERGED_WORDS, WEIGHTS, import_pkuseg, read_pkuseg
from .rules import WordRules
from .source import FileSource
from .words import Words

USER_WORDS = "user_words.txt"


class Segmenter(Protocol):
    """Cuts texts into words."""

    def cut(self, text: str) -> Sequence[str]:
        """The words of a text, in order. Characters may be missing or normalized."""


@registry.misc("spacy_medflat.SegmenterWords.v1")
def create_segmenter_words(
    segmenter: Literal["pkuseg", "jieba"] = "pkuseg",
    model: str | Path | None = None,
    user_dict: str | Path | None = None,
    min_length: int = 2,
    max_length: int = 8,
    chinese_only: bool = True,
) -> "SegmenterWords":
    """The words that a segmenter cuts a text into; they do not overlap.

    segmenter (str): `pkuseg` (the extra `pkuseg`) or `jieba` (the extra `jieba`).
    model: for pkuseg the folder of a model, or the name of one in pkuseg's home (`medicine`), which is never
        downloaded; for jieba a dictionary in its format, or None for its own. It is read once, at initialization: a
        saved pipeline carries its model.
    user_dict: words that the segmenter is to keep whole, a file as `read_lexicon` reads it; read once, too.
    min_length, max_length (int): in characters, both inclusive.
    chinese_only (bool): only words that are ideographs throughout.
    """
    return SegmenterWords(
        WordRules(min_length, max_length, chinese_only),
        segmenter=segmenter,
        model=None if model is None else str(model),
        user_dict=None if user_dict is None else str(user_dict),
    )


class SegmenterWords(FileSource):
    """Finds the words that a segmenter cuts a text into, without types."""

    def __init__(
        self,
        rules: WordRules | None = None,
        *,
        segmenter: str = "pkuseg",
        model: str | None = None,
        user_dict: str | None = None,
        name: str = "segmenter",
    ):
        """The settings are those of `create_segmenter_words`.

        RAISES ValueError: a segmenter that is not known.
        """
        if segmenter not in SEGMENTERS:
            raise ValueError(f"segmenter must be one of {', '.join(SEGMENTERS)}, but it is {segmenter!r}")
        self.name = name
        self.rules = rules or WordRules()
        self.segmenter = segmenter
        self.model = model
        self.user_dict = user_dict
        self._files: dict[str, bytes] = {}
        self._loaded: Segmenter | None = None

    def initialize(self) -> None:
        """Read the model and the user's words.

        RAISES ValueError: the model is missing, damaged, or of another kind. ImportError: the segmenter is not
            installed.
        """
        read, _ = SEGMENTERS[self.segmenter]
        files = read(self.model)
        user_words = () if self.user_dict is None else tuple(read_lexicon(Path(self.user_dict)))
        self.load_files({**files, USER_WORDS: "\n".join(user_words).encode("utf-8")})

    def find(self, texts: Sequence[str]) -> Words:
        """The words of each text.

        RAISES ValueError: the source is neither initialized nor loaded.
        """
        if self._loaded is None:
            raise ValueError(
                f"the word source {self.name!r} has no {self.segmenter} model yet: call nlp.initialize() or load a "
                "trained pipeline"
            )
        found = []
        for text in texts:
            places = align_words(text, list(self._loaded.cut(text)))
            found.append([(start, end, "") for _, start, end in places if self.rules.allow(text[start:end])])
        return Words.of(found, self.name)

    def files(self) -> dict[str, bytes]:
        """The model and the user's words; none before there is a model."""
        return self._files

    def load_files(self, files: dict[str, bytes]) -> None:
        """Take over what `files` gave.

        RAISES ValueError: a file is missing or damaged.
        """
        loaded = None
        if files:
            _, load = SEGMENTERS[self.segmenter]
            try:
                user_words = files[USER_WORDS].decode("utf-8")
                loaded = load(files, user_words.split("\n") if user_words else [])
            except KeyError as error:
                raise ValueError(
                    f"the saved words of the source {self.name!r} have no file {error.args[0]}, but "
                    f"{', '.join(files)}, which is no {self.segmenter} model; save the pipeline again"
                ) from error
        self._loaded, self._files = loaded, files

    def settings(self) -> dict[str, Any]:
        """The arguments that make a source like this one."""
        kept = ("rules", "segmenter", "model", "user_dict", "name")
        return {key: getattr(self, key) for key in kept}


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


# For each segmenter: what reads a model from its name or folder into files, and what makes a segmenter of the files
# and the user's words.
Read = Callable[[str | None], dict[str, bytes]]
Load = Callable[[dict[str, bytes], list[str]], Segmenter]
SEGMENTERS: dict[str, tuple[Read, Load]] = {"pkuseg": (read_pkuseg, load_pkuseg), "jieba": (read_jieba, load_jieba)}
