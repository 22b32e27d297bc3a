"""`medflat_lattice`: the component that lays words over characters, in `doc.spans`."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import srsly
from spacy.language import Language
from spacy.strings import get_string_id
from spacy.tokens import Doc, Span, SpanGroup
from spacy.training import Example, validate_get_examples
from spacy.util import SimpleFrozenList, ensure_path, from_bytes, from_disk, logger, minibatch, to_bytes, to_disk
from spacy.vocab import Vocab

from ..errors import MedflatError, clipped
from ..files import write_json
from ..span_pipe import SpanPipe
from .saved import describe, restore
from .source import WordSource
from .tokens import TokenPlaces
from .union_words import with_lexicon
from .words import Words

SOURCE = "words.json"

DEFAULT_CONFIG = {
    "words": {
        "@misc": "spacy_medflat.LexiconWords.v1",
        "path": None,
        "min_length": 2,
        "max_length": 8,
        "chinese_only": True,
        "nested": True,
    },
    "spans_key": "lattice",
}


@Language.factory("medflat_lattice", assigns=["doc.spans"], default_config=DEFAULT_CONFIG)
def make_medflat_lattice(nlp: Language, name: str, words: WordSource, spans_key: str) -> "Lattice":
    """Make the component. For the settings see `Lattice`."""
    return Lattice(nlp.vocab, words, name, spans_key=spans_key)


class Lattice(SpanPipe):
    """Writes the words of a source into `doc.spans[spans_key]`, ordered by start, longer first; words may overlap.

    The label of a span is the word's types (several with `|` between them, empty if it has none); its `id_` names the
    sources that found it (`lexicon+segmenter`). The group is always written, also when it is empty.

    A word must begin and end where tokens do, and is left out elsewhere. spaCy's zh tokenizer with the segmenter `char`
    makes every character a token, except that a single space is none.
    """

    def __init__(self, vocab: Vocab, words: WordSource, name: str = "medflat_lattice", *, spans_key: str = "lattice"):
        """Make the component.

        vocab (Vocab): the pipeline's vocabulary.
        words (WordSource): where the words come from; it may be replaced at any time, and is saved with its kind and
            settings. One of a class of your own can be loaded only where the config makes it.
        name (str): the component's name in the pipeline.
        spans_key (str): the span group to write.
        """
        self.vocab = vocab
        self.words = words
        self.name = name
        self.cfg: dict[str, Any] = {"spans_key": spans_key}

    def predict(self, docs: Iterable[Doc]) -> Words:
        """Find the words of the Docs, without changing them.

        docs (iterable of Doc): a batch.
        RETURNS (Words): `start` and `end` are tokens of the Doc, `end` exclusive.
        RAISES (ValueError): the source gives places outside of a text.
        """
        places = TokenPlaces(list(docs))
        return places.to_tokens(self.words.find(places.texts))

    def set_annotations(self, docs: Iterable[Doc], words: Words) -> None:
        """Write the words into the Docs.

        docs (iterable of Doc): a batch.
        words (Words): what `predict` gave.
        """
        docs = list(docs)
        # A sourced component, or one in another process, has another vocabulary than the Docs.
        for vocab in {id(doc.vocab): doc.vocab for doc in docs}.values():
            for text in {text for tag in words.tags for text in tag if text}:
                vocab.strings.add(text)
        hashes = np.array([[get_string_id(text) if text else 0 for text in tag] for tag in words.tags], dtype=np.uint64)
        labels, ids = hashes.reshape(-1, 2)[words.tag].T.tolist()
        starts, ends = words.start.tolist(), words.end.tolist()
        bounds = words.bounds(len(docs))
        for i, doc in enumerate(docs):
            rows = slice(bounds[i], bounds[i + 1])
            places = zip(starts[rows], ends[rows], labels[rows], ids[rows], strict=True)
            spans = [Span(doc, start, end, label, span_id=ident) for start, end, label, ident in places]
            doc.spans[self.key] = SpanGroup(doc, name=self.key, spans=spans)

    def initialize(self, get_examples: Callable[[], Iterable[Example]], *, nlp: Language | None = None) -> None:
        """Load the words, and count how many the texts of the examples have.

        get_examples (callable): gives examples of the training data.
        nlp (Language or None): the pipeline.
        RAISES (MedflatError): the source cannot be loaded, or has no words.
        """
        validate_get_examples(get_examples, f"{type(self).__name__}.initialize")
        self.words.initialize()
        characters = 0
        found: Counter[str] = Counter()
        for examples in minibatch(get_examples(), 128):
            places = TokenPlaces([eg.predicted for eg in examples])
            characters += sum(map(len, places.texts))
            words = places.to_tokens(self.words.find(places.texts))
            counts = np.bincount(words.tag, minlength=len(words.tags)).tolist()
            for tag, count in zip(words.tags, counts, strict=True):
                found[tag.sources] += count
        total = found.total()
        if not total:
            logger.warning("%s: none of the words is in the %s characters of the data", self.name, f"{characters:,}")
            return
        shares = ", ".join(f"{sources} {count / total:.0%}" for sources, count in sorted(found.items()))
        logger.info("%s: %.2f words a character (%s)", self.name, total / characters, shares)

    def add_words(self, words: Iterable[str] | Mapping[str, str], *, source: str | None = None) -> None:
        """Add words to the lexicon. Possible at any time, also on a trained pipeline.

        words (iterable or mapping): words, or words with their types.
        source (str or None): name of the lexicon, which is made if there is none of this name; None for the first one.
            A calibrated pipeline trusts words of the source `user` most, and takes none of those whose type is `none`
            for an entity.
        RAISES (MedflatError): the source has no lexicon, or something is not a word.
        """
        if source is not None:
            self.words = with_lexicon(self.words, source)
            self.words.lexicon_of(source).add_words(words)
        else:
            self._editable("add_words")(words)

    def remove_words(self, words: Iterable[str]) -> int:
        """Remove words from the lexicon.

        words (iterable of str): the words.
        RETURNS (int): how many were there.
        RAISES (MedflatError): the source has no lexicon.
        """
        return int(self._editable("remove_words")(words))

    def _editable(self, method: str) -> Callable[..., Any]:
        if not hasattr(self.words, method):
            raise MedflatError(
                f"the words of {self.name!r} come from {clipped(self.words.name)}, which has no lexicon: combine it "
                "with spacy_medflat.LexiconWords.v1 in spacy_medflat.UnionWords.v1"
            )
        return getattr(self.words, method)

    def to_bytes(self, *, exclude: Iterable[str] = SimpleFrozenList()) -> bytes:
        """Settings and words as bytes.

        exclude (iterable of str): `cfg`, `words`.
        RETURNS (bytes): what `from_bytes` reads.
        """
        writers = {
            "cfg": lambda: srsly.json_dumps(self.cfg),
            "words": lambda: srsly.msgpack_dumps([describe(self.words), self.words.to_bytes()]),
        }
        return to_bytes(writers, exclude)

    def from_bytes(self, data: bytes, *, exclude: Iterable[str] = SimpleFrozenList()) -> "Lattice":
        """Load what `to_bytes` gave. For the rest see `from_disk`."""
        loaded: dict[str, Any] = {}

        def read_words(part: bytes) -> None:
            described, words = srsly.msgpack_loads(part)
            loaded["words"] = self._restored(described)
            loaded["words"].from_bytes(words)

        readers: dict[str, Callable[[bytes], Any]] = {
            "cfg": lambda part: loaded.update(cfg=srsly.json_loads(part)),
            "words": read_words,
        }
        from_bytes(data, readers, exclude)
        return self._take_over(loaded)

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = SimpleFrozenList()) -> None:
        """Write settings and words as a folder; a lexicon in it is a file that can be read and edited.

        Beside the words, `words.json` says which source they are from, as it may be another than that of the config.

        path (str or Path): the folder.
        exclude (iterable of str): `cfg`, `words`.
        """

        def write_words(folder: Path) -> None:
            self.words.to_disk(folder)
            write_json(folder.with_name(SOURCE), describe(self.words))

        to_disk(path, {"cfg": lambda p: srsly.write_json(p, self.cfg), "words": write_words}, exclude)

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = SimpleFrozenList()) -> "Lattice":
        """Load what `to_disk` wrote. After an error the component is as it was.

        The words come from a source like the one that was saved, and not from the one that the config makes, if these
        differ. Only a source of a class of your own must be the config's.

        path (str or Path): the folder.
        exclude (iterable of str): `cfg`, `words`.
        RETURNS (Lattice): the component.
        RAISES (MedflatError): words are missing or damaged, or the config does not make a source of the saved class.
        """
        loaded: dict[str, Any] = {}

        def read_words(folder: Path) -> None:
            described = folder.with_name(SOURCE)
            # Without it, the words were saved before a source could be replaced.
            saved = srsly.read_json(described) if described.is_file() else describe(self.words)
            loaded["words"] = self._restored(saved)
            loaded["words"].from_disk(folder)

        readers: dict[str, Callable[[Path], Any]] = {
            "cfg": lambda p: loaded.update(cfg=srsly.read_json(p)),
            "words": read_words,
        }
        from_disk(ensure_path(path), readers, exclude)
        return self._take_over(loaded)

    def _restored(self, described: dict[str, Any]) -> WordSource:
        try:
            return restore(described, self.words)
        except MedflatError as error:
            raise MedflatError(f"{self.name}: {error}") from error

    def _take_over(self, loaded: dict[str, Any]) -> "Lattice":
        self.cfg.update(loaded.get("cfg", {}))
        self.words = loaded.get("words", self.words)
        return self
