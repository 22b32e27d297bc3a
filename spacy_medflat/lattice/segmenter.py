"""`spacy_medflat.SegmenterWords.v1`: the words that a segmenter cuts a text into."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from spacy.util import registry

from ..errors import MedflatError
from .align import align_words
from .jieba_model import load_jieba, read_jieba
from .lexicon import read_lexicon
from .pkuseg_model import load_pkuseg, read_pkuseg
from .rules import WordRules
from .source import FileSource
from .words import Words

USER_WORDS = "user_words.txt"

# A model, given by name or folder, as files.
Read = Callable[[str | None], dict[str, bytes]]
# The words of a text, in order. Characters may be missing or normalized.
Cut = Callable[[str], Sequence[str]]
# What cuts texts, from the files of a model and the user's words.
Load = Callable[[dict[str, bytes], list[str]], Cut]

SEGMENTERS: dict[str, tuple[Read, Load]] = {"pkuseg": (read_pkuseg, load_pkuseg), "jieba": (read_jieba, load_jieba)}


@registry.misc("spacy_medflat.SegmenterWords.v1")
def create_segmenter_words(
    segmenter: Literal["pkuseg", "jieba"] = "pkuseg",
    model: str | Path | None = None,
    user_dict: str | Path | None = None,
    min_length: int = 2,
    max_length: int = 8,
    chinese_only: bool = True,
) -> "SegmenterWords":
    """Make a source of the words that a segmenter cuts a text into; they do not overlap.

    segmenter (str): `pkuseg` (the extra `pkuseg`) or `jieba` (the extra `jieba`).
    model (str, Path or None): for pkuseg the folder of a model, or the name of one in pkuseg's home (`medicine`), which
        is never downloaded; for jieba a dictionary in its format, or None for its own. It is read once, at
        initialization: a saved pipeline carries its model.
    user_dict (str, Path or None): words that the segmenter is to keep whole, a file as `read_lexicon` reads it; read
        once, too.
    min_length, max_length (int): in characters, both inclusive.
    chinese_only (bool): only words that are ideographs throughout.
    RETURNS (SegmenterWords): the source.
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
        """Make a source, still without a model.

        rules (WordRules or None): limits on the words; None for the usual ones.
        segmenter (str), model, user_dict (str or None): see `create_segmenter_words`.
        name (str): what the words found are marked with.
        RAISES (MedflatError): a segmenter that is not known.
        """
        if segmenter not in SEGMENTERS:
            raise MedflatError(f"segmenter must be one of {', '.join(SEGMENTERS)}, but it is {segmenter!r}")
        self.name = name
        self.rules = rules or WordRules()
        self.segmenter = segmenter
        self.model = model
        self.user_dict = user_dict
        self._files: dict[str, bytes] = {}
        self._cut: Cut | None = None

    def initialize(self) -> None:
        """Read the model and the user's words.

        RAISES (MedflatError): the model is missing, damaged, or of another kind.
        RAISES (ImportError): the segmenter is not installed.
        """
        read, _ = SEGMENTERS[self.segmenter]
        files = read(self.model)
        user_words = () if self.user_dict is None else tuple(read_lexicon(Path(self.user_dict)))
        self.load_files({**files, USER_WORDS: "\n".join(user_words).encode("utf-8")})

    def find(self, texts: Sequence[str]) -> Words:
        """The words of each text.

        RAISES (MedflatError): the source is neither initialized nor loaded.
        """
        if self._cut is None:
            raise MedflatError(
                f"the word source {self.name!r} has no {self.segmenter} model yet: call nlp.initialize() or load a "
                "trained pipeline"
            )
        found = []
        for text in texts:
            places = align_words(text, list(self._cut(text)))
            found.append([(start, end, "") for _, start, end in places if self.rules.allow(text[start:end])])
        return Words.of(found, self.name)

    def files(self) -> dict[str, bytes]:
        """The model and the user's words; none before there is a model."""
        return self._files

    def load_files(self, files: dict[str, bytes]) -> None:
        """Load what `files` gave.

        RAISES (MedflatError): a file is missing or damaged.
        """
        cut = None
        if files:
            _, load = SEGMENTERS[self.segmenter]
            try:
                user_words = files[USER_WORDS].decode("utf-8")
                cut = load(files, user_words.split("\n") if user_words else [])
            except KeyError as error:
                raise MedflatError(
                    f"the saved words of the source {self.name!r} have no file {error.args[0]}, but "
                    f"{', '.join(files)}, which is no {self.segmenter} model; save the pipeline again"
                ) from error
        self._cut, self._files = cut, files

    def settings(self) -> dict[str, Any]:
        """The arguments that make a source like this one."""
        kept = ("rules", "segmenter", "model", "user_dict", "name")
        return {key: getattr(self, key) for key in kept}
