"""What a pipeline remembers of its training texts: a digest of each, and how often their entities' strings occur."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
import srsly
from spacy.tokens import Doc
from spacy.training import Example

from ..errors import MedflatError
from ..lattice.lexicon_words import text_begins
from ..lattice.tokens import TokenPlaces
from ..lattice.words import Words
from .evidence import Ints, MentionTable

_DIGEST_BYTES = 8
# No entity's string has a line end in it, so no match reaches over one.
_SEPARATOR = "\n"


class TrainingTexts:
    """The texts of a training. The texts themselves are not kept; the strings of their entities are.

    labels (tuple of str): the labels that are counted, in the order of `counts`.
    digests (frozenset of bytes): of the texts, white space aside.
    strings (tuple of str): of their entities, letters in lower case.
    counts (int64 [strings, 1 + labels]): how often each occurs in the texts, and as an entity of each label.
    """

    def __init__(self, labels: Sequence[str], digests: Iterable[bytes], strings: Sequence[str], counts: Ints):
        self.labels, self.digests = tuple(labels), frozenset(digests)
        self.strings, self.counts = tuple(strings), counts
        self._automaton: Any = None

    @classmethod
    def of(cls, examples: Sequence[Example], key: str, labels: Sequence[str]) -> "TrainingTexts":
        """Remember the texts of examples.

        examples (sequence of Example): their references have the entities.
        key (str): the span group of the entities.
        labels (sequence of str): those that are counted.
        """
        texts = [example.reference.text for example in examples]
        entities: Counter[tuple[str, str]] = Counter(
            (lower(span.text), span.label_) for example in examples for span in example.reference.spans.get(key, [])
        )
        strings = sorted({string for string, _ in entities if string.strip() and _SEPARATOR not in string})
        counts = np.zeros((len(strings), 1 + len(labels)), dtype=np.int64)
        for column, label in enumerate(labels, 1):
            counts[:, column] = [entities[string, label] for string in strings]
        made = cls(labels, map(text_digest, texts), strings, counts)
        string = made._find([lower(text) for text in texts])[0]
        # An entity with two labels is one occurrence; one that crosses a line end is none that is found again.
        found = np.bincount(string, minlength=len(strings))
        counts[:, 0] = np.maximum(found, counts[:, 1:].max(1, initial=0))
        return made

    def know(self, text: str) -> bool:
        """Whether this is one of the texts, white space aside."""
        return text_digest(text) in self.digests

    def mentions(self, docs: Sequence[Doc], offsets: Ints) -> MentionTable:
        """Where the strings stand in Docs.

        offsets (int64 [docs]): the place of each Doc's first token in the batch.
        """
        places = TokenPlaces(docs)
        string, text, start, end = self._find([lower(doc_text) for doc_text in places.texts])
        words = places.to_tokens(Words(text, start, end, string, ()))
        start, end = words.start + offsets[words.text], words.end + offsets[words.text]
        order = np.lexsort((-end, start))
        return MentionTable(start[order], end[order], self.counts[words.tag[order]])

    def _find(self, texts: Sequence[str]) -> tuple[Ints, Ints, Ints, Ints]:
        """Strings and their places: string, text, and start and end in characters (int64 [places] each)."""
        if not self.strings:
            none = np.zeros(0, dtype=np.int64)
            return none, none, none, none
        if self._automaton is None:
            from ahocorasick_rs import AhoCorasick

            self._automaton = AhoCorasick(self.strings, store_patterns=False)
        matches = self._automaton.find_matches_as_indexes(_SEPARATOR.join(texts), overlapping=True)
        string, start, end = np.fromiter(chain.from_iterable(matches), np.int64, 3 * len(matches)).reshape(-1, 3).T
        begins = text_begins(texts)
        text = np.searchsorted(begins, start, side="right") - 1
        return string, text, start - begins[text], end - begins[text]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_automaton": None}

    def to_bytes(self) -> bytes:
        """What `from_bytes` reads."""
        return srsly.msgpack_dumps(
            {
                "labels": list(self.labels),
                "digests": b"".join(sorted(self.digests)),
                "strings": list(self.strings),
                "counts": self.counts.astype("<i4").tobytes(),
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> "TrainingTexts":
        """Load what `to_bytes` gave.

        RAISES (MedflatError): the data are damaged.
        """
        try:
            saved: Mapping[str, Any] = srsly.msgpack_loads(data)
            digests = [saved["digests"][i : i + _DIGEST_BYTES] for i in range(0, len(saved["digests"]), _DIGEST_BYTES)]
            counts = np.frombuffer(saved["counts"], dtype="<i4").astype(np.int64)
            shape = (len(saved["strings"]), 1 + len(saved["labels"]))
            return cls(saved["labels"], digests, saved["strings"], counts.reshape(shape))
        except (ValueError, KeyError, TypeError) as error:
            raise MedflatError(f"the record of the training texts is damaged: {error!r}; train again") from error


def lower(text: str) -> str:
    """The text in lower case, of the same length: a character whose lower case is longer stays as it is."""
    folded = text.lower()
    if len(folded) == len(text):
        return folded
    return "".join(low if len(low := character.lower()) == 1 else character for character in text)


def text_digest(text: str) -> bytes:
    """A digest by which a text is known again, white space aside."""
    return hashlib.sha256("".join(text.split()).encode("utf-8", "surrogatepass")).digest()[:_DIGEST_BYTES]
