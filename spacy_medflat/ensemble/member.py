"""A member of an ensemble: a whole trained pipeline, of which its spans are wanted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import spacy
import srsly
from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import load_model_from_config
from spacy.vocab import Vocab
from thinc.api import Config

from ..errors import EnsembleError
from ..ner.component import NestedEntityRecognizer
from ..ner.spans import Candidates, resolve


@dataclass(frozen=True)
class Member:
    """A pipeline and its nested entity recognizer. Components after the recognizer do not run.

    nlp (Language): the pipeline.
    recognizer (NestedEntityRecognizer): its first one.
    """

    nlp: Language
    recognizer: NestedEntityRecognizer

    @property
    def name(self) -> str:
        """Language, name and version of the pipeline, as its package would be called."""
        return f"{self.nlp.lang}_{self.nlp.meta['name']}-{self.nlp.meta['version']}"

    def candidates(self, docs: Sequence[Doc], thresholds: Iterable[float]) -> list[Candidates]:
        """The spans with a probability above the threshold of their label, see `NestedEntityRecognizer.candidates`."""
        return self.recognizer.candidates(self._upstream(docs), thresholds)

    def accepted(self, docs: Sequence[Doc]) -> list[Candidates]:
        """The spans that the pipeline would write: above its own thresholds, its nesting resolved."""
        found = self.recognizer.predict(self._upstream(docs))
        return [resolve(candidates, self.recognizer.cfg["nesting"]) for candidates in found]

    def _upstream(self, docs: Sequence[Doc]) -> list[Doc]:
        """The same tokens as Docs of the member, through all components before the recognizer.

        They are dropped with what the encoder gave for them as soon as the spans are known.
        """
        copies = [_with_vocab(doc, self.nlp.vocab) for doc in docs]
        later = self.nlp.pipe_names[self.nlp.pipe_names.index(self.recognizer.name) :]
        return list(self.nlp.pipe(copies, disable=later))

    def to_bytes(self) -> bytes:
        """The whole pipeline with its config, vocabulary and meta data."""
        return srsly.msgpack_dumps([self.nlp.config.to_bytes(), self.nlp.meta, self.nlp.to_bytes()])


def _with_vocab(doc: Doc, vocab: Vocab) -> Doc:
    """A Doc of the same tokens. The doc is read as an array, for it keeps each Token that it is asked for."""
    orths, spaces = doc.to_array(["ORTH", "SPACY"]).T
    words = [doc.vocab.strings[orth] for orth in orths.tolist()]
    return Doc(vocab, words=words, spaces=spaces.astype(bool).tolist())


def make_member(nlp: Language) -> Member:
    """Find the nested entity recognizer of a pipeline.

    RAISES (EnsembleError): it has none.
    """
    for _, pipe in nlp.pipeline:
        if isinstance(pipe, NestedEntityRecognizer):
            return Member(nlp, pipe)
    raise EnsembleError(
        f"{nlp.meta['name']!r} cannot be a member: it has no 'medflat_ner' component, but {', '.join(nlp.pipe_names)}"
    )


def member_from_bytes(data: bytes) -> Member:
    """What `Member.to_bytes` gave."""
    config, meta, pipeline = srsly.msgpack_loads(data)
    nlp: Any = load_model_from_config(Config().from_bytes(config, interpolate=False), meta=meta)
    return make_member(nlp.from_bytes(pipeline))


def member_from_disk(path: Path) -> Member:
    """A pipeline that was saved in a folder."""
    return make_member(spacy.load(path))
