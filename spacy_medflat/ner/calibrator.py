"""From the candidates of a head to calibrated ones, with the evidence of words and of training texts."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import srsly
from spacy.tokens import Doc
from spacy.util import logger

from ..errors import MedflatError
from ..lattice.words import NO_ENTITY, SOURCE_SEPARATOR, TYPE_SEPARATOR, USER_SOURCE
from . import calibration
from .calibration import LOWEST_LOGIT, LOWEST_OF_WORDS, Calibration, pairs
from .evidence import Evidence, Ints, MentionTable, WordTable, gather, make_spans, rows_of
from .spans import Candidates, split_by_text
from .training_texts import TrainingTexts

# The logits that a calibration looks at.
LOWEST = min(LOWEST_LOGIT, LOWEST_OF_WORDS)
# What a word of a user's own list adds to the logit of its type, and takes from those of others.
USER_WEIGHT = 8.0


class UserWords(NamedTuple):
    """Words of a user's own list in a batch.

    start, end (int64 [n]): tokens, `end` exclusive.
    label (int64 [n]): the label of its type; `ANY` if it has no type that is a label, `NONE` if it is no entity.
    """

    start: Ints
    end: Ints
    label: Ints


ANY, NONE = -1, -2


@dataclass
class Calibrator:
    """Turns logits of a head into log-odds that are frequencies on texts like those that it was fitted on.

    labels (tuple of str): in the order of the head.
    words_key (str): the span group of the words.
    kinds (tuple of str): the types and sources of words that it knows, as `type dis` or `source lexicon`.
    with_evidence (Calibration or None): with words and training texts; None to use the logit alone.
    logit_alone (Calibration): for texts without the span group.
    user_weight (float): see `USER_WEIGHT`.
    """

    labels: tuple[str, ...]
    words_key: str
    kinds: tuple[str, ...]
    with_evidence: Calibration | None
    logit_alone: Calibration
    user_weight: float = USER_WEIGHT

    def __post_init__(self) -> None:
        self._warned: set[str] = set()

    def __call__(
        self, docs: Sequence[Doc], candidates: Sequence[Candidates], texts: TrainingTexts | None
    ) -> list[Candidates]:
        """Calibrate the candidates of a batch, and add words and strings that the head scores too low to be one.

        docs (sequence of Doc): the texts, with their words.
        candidates (sequence of Candidates): all above `LOWEST`.
        texts (TrainingTexts or None): what is known of the training texts.
        RETURNS (list of Candidates): one for each Doc.
        """
        if self.with_evidence is None:
            return [self._alone(found) for found in candidates]
        readable = [self.words_key in doc.spans for doc in docs]
        if not all(readable):
            self._warn_once(f"texts without the span group {self.words_key!r}: their scores are of the head alone")
        with_words = [i for i, reads in enumerate(readable) if reads]
        if not with_words:
            return [self._alone(found) for found in candidates]
        batch = read_batch([docs[i] for i in with_words], self, texts)
        for kind in batch.unknown:
            self._warn_once(f"words with {kind!r}, which the calibration was not fitted with: this is not counted")
        found = iter(self._with_evidence(batch, [candidates[i] for i in with_words], self.with_evidence))
        return [next(found) if reads else self._alone(c) for reads, c in zip(readable, candidates, strict=True)]

    def _alone(self, found: Candidates) -> Candidates:
        scaled = self.logit_alone.scale[found.label] * found.logit + self.logit_alone.bias[found.label]
        return found._replace(logit=scaled.astype(np.float64))

    def _with_evidence(
        self, batch: "Batch", candidates: Sequence[Candidates], calibrate: Calibration
    ) -> list[Candidates]:
        evidence = evidence_of(batch, candidates, len(self.labels))
        spans, user = evidence.spans, batch.user
        row = rows_of(spans, user.start, user.end)
        rows, labels = pairs(evidence, row[user.label != NONE])
        logits = np.full(spans.logits.shape, -np.inf)
        logits[rows, labels] = calibrate(evidence, rows, labels)
        named, any_row = user.label >= 0, row[user.label == ANY]
        weight = np.zeros(logits.shape)
        weight[row[named]] = -self.user_weight
        weight[row[named], user.label[named]] = self.user_weight
        weight[any_row, logits[any_row].argmax(1)] = self.user_weight
        weight[row[user.label == NONE]] = -np.inf
        logits += weight
        doc = np.searchsorted(batch.offsets, spans.start[rows], side="right") - 1
        first = batch.offsets[doc]
        found = Candidates(spans.start[rows] - first, spans.end[rows] - first, labels, logits[rows, labels])
        return split_by_text(doc, found, len(candidates))

    def _warn_once(self, message: str) -> None:
        if message not in self._warned:
            self._warned.add(message)
            logger.warning("calibration: %s", message)

    def to_bytes(self) -> bytes:
        """What `from_bytes` reads."""
        weights = {"logit_alone": self.logit_alone.to_bytes()}
        if self.with_evidence is not None:
            weights["with_evidence"] = self.with_evidence.to_bytes()
        settings = {"labels": self.labels, "words_key": self.words_key, "kinds": self.kinds, "user": self.user_weight}
        return srsly.msgpack_dumps({"settings": settings, "weights": weights})

    @classmethod
    def from_bytes(cls, data: bytes) -> "Calibrator":
        """Load what `to_bytes` gave.

        RAISES (MedflatError): the data are damaged.
        """
        try:
            saved: dict[str, Any] = srsly.msgpack_loads(data)
            settings = saved["settings"]
            weights = {name: calibration.from_bytes(part) for name, part in saved["weights"].items()}
            return cls(
                tuple(settings["labels"]),
                settings["words_key"],
                tuple(settings["kinds"]),
                weights.get("with_evidence"),
                weights["logit_alone"],
                settings["user"],
            )
        except Exception as error:  # msgpack and safetensors raise errors of their own
            raise MedflatError(f"the calibration is damaged: {error!r}; calibrate again") from error


class Batch(NamedTuple):
    """Docs as columns.

    offsets (int64 [docs]): the place of each Doc's first token.
    words (WordTable), user (UserWords): their words.
    mentions (MentionTable): where strings of the training texts stand.
    unknown (Counter): words with types or sources that are not among the kinds.
    """

    offsets: Ints
    words: WordTable
    user: UserWords
    mentions: MentionTable
    unknown: Counter[str]


def read_batch(docs: Sequence[Doc], calibrator: Calibrator, texts: TrainingTexts | None) -> Batch:
    """Read the words of Docs, and find strings of the training texts in them.

    docs (sequence of Doc): one without the span group has no words.
    calibrator (Calibrator): which group, kinds and labels.
    """
    lengths = np.array([len(doc) for doc in docs], dtype=np.int64)
    offsets = np.cumsum(lengths) - lengths
    kind_index = {kind: i for i, kind in enumerate(calibrator.kinds)}
    label_index = {label: i for i, label in enumerate(calibrator.labels)}
    unknown: Counter[str] = Counter()
    known: dict[tuple[str, str], list[int]] = {}
    places: dict[tuple[int, int], set[int]] = {}
    user: list[tuple[int, int, int]] = []
    for doc, offset in zip(docs, offsets.tolist(), strict=True):
        for span in doc.spans.get(calibrator.words_key, []):
            place, tag = (span.start + offset, span.end + offset), (span.label_, span.id_)
            if tag not in known:
                kinds = kinds_of(*tag)
                unknown.update(kind for kind in kinds if kind not in kind_index)
                known[tag] = [kind_index[kind] for kind in kinds if kind in kind_index]
            places.setdefault(place, set()).update(known[tag])
            if USER_SOURCE in tag[1].split(SOURCE_SEPARATOR):
                types = tag[0].split(TYPE_SEPARATOR)
                labels = [NONE] if NO_ENTITY in types else [label_index[t] for t in types if t in label_index]
                user.extend((*place, label) for label in labels or [ANY])
    ordered = sorted(places, key=lambda place: (place[0], -place[1]))
    kinds_of_word = np.zeros((len(ordered), len(calibrator.kinds)), dtype=np.bool_)
    for row, place in enumerate(ordered):
        kinds_of_word[row, list(places[place])] = True
    start, end = np.array(ordered, dtype=np.int64).reshape(-1, 2).T
    unknown.pop(f"source {USER_SOURCE}", None)
    unknown.pop(f"type {NO_ENTITY}", None)
    return Batch(
        offsets,
        WordTable(start, end, kinds_of_word),
        UserWords(*np.array(user, dtype=np.int64).reshape(-1, 3).T),
        texts.mentions(docs, offsets) if texts else _no_mentions(len(calibrator.labels)),
        unknown,
    )


def kinds_of(types: str, sources: str) -> list[str]:
    """The types and sources of a word as kinds.

    types (str): the label of its span. sources (str): its `id_`.
    """
    return [
        *(f"type {part}" for part in types.split(TYPE_SEPARATOR) if part),
        *(f"source {part}" for part in sources.split(SOURCE_SEPARATOR) if part),
    ]


def evidence_of(batch: Batch, candidates: Sequence[Candidates], n_labels: int) -> Evidence:
    """All that is known of the candidates, words and strings of a batch.

    candidates (sequence of Candidates): of its Docs.
    """
    counts = np.array([len(found.start) for found in candidates], dtype=np.int64)
    offset = np.repeat(batch.offsets, counts)
    start, end, label, logit = (np.concatenate(column) for column in zip(*candidates, strict=True))
    spans = make_spans(start + offset, end + offset, label, logit, batch.words, batch.mentions, n_labels)
    return gather(spans, batch.words, batch.mentions)


def _no_mentions(n_labels: int) -> MentionTable:
    none = np.zeros(0, dtype=np.int64)
    return MentionTable(none, none, np.zeros((0, 1 + n_labels), dtype=np.int64))


def all_kinds(docs: Iterable[Doc], key: str) -> tuple[str, ...]:
    """The types and sources of the words in Docs, in order of the alphabet."""
    tags = {(span.label_, span.id_) for doc in docs for span in doc.spans.get(key, [])}
    return tuple(sorted({kind for tag in tags for kind in kinds_of(*tag)}))
