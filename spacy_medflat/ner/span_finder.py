"""The base of the components that find nested spans: thresholds, nesting, and writing the spans into Docs."""

from abc import abstractmethod
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, get_args

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc, Span, SpanGroup
from spacy.util import minibatch
from spacy.vocab import Vocab

from ..runtime import one_torch_thread_in_workers
from ..span_pipe import SpanPipe
from .spans import Candidates, Nesting, logit, resolve

# Well below any threshold worth having, and high enough to keep the candidates few.
LOWEST_SCORE = 0.02


def below_key(spans_key: str) -> str:
    """The span group of the spans that a floor lets through and the thresholds do not, see `SpanFinder.floor`."""
    return f"{spans_key}_below"


class SpanFinder(SpanPipe):
    """Writes the spans above their thresholds into `doc.spans[spans_key]`, ordered by start, longer spans first.

    The score of each span is in `attrs["scores"]` (float32, 0 to 1), and in `span._.score`.
    """

    _floor: float | None = None

    def __init__(
        self,
        vocab: Vocab,
        name: str,
        *,
        spans_key: str = "sc",
        threshold: float = 0.5,
        label_thresholds: Mapping[str, float] | None = None,
        nesting: Nesting = "all",
        set_ents: bool = False,
        scorer: Callable[..., dict[str, Any]] | None = None,
    ):
        """Make the component.

        spans_key (str): the span group to write.
        threshold (float): a span needs a score above this.
        label_thresholds (dict): thresholds of single labels, in place of `threshold`.
        nesting (str): `all` spans that pass; `nested`, without those that cross a better one; `flat`, without overlap.
        set_ents (bool): also write the best spans without overlap into `doc.ents`. Entities that are there already stay
            where none of these overlaps them.
        scorer (callable or None): see `Language.evaluate`.
        RAISES (ValueError): a setting is out of range.
        """
        self.vocab, self.name, self.scorer = vocab, name, scorer
        if not Span.has_extension("score"):
            Span.set_extension("score", getter=score_of)
        self.cfg: dict[str, Any] = {
            "spans_key": spans_key,
            "threshold": threshold,
            "label_thresholds": dict(label_thresholds or {}),
            "nesting": nesting,
            "set_ents": set_ents,
        }
        self._check_choice("nesting", nesting, get_args(Nesting))
        self._check_shares({"threshold": threshold, **self.cfg["label_thresholds"]})

    def _check_choice(self, setting: str, value: str, known: Collection[str]) -> None:
        if value not in known:
            raise ValueError(f"{setting} of {self.name!r} must be one of {', '.join(known)}, but it is {value!r}")

    def _check_shares(self, settings: Mapping[str, float]) -> None:
        for setting, value in settings.items():
            if not 0.0 <= value <= 1.0:
                raise ValueError(f"{setting!r} of {self.name!r} must be from 0 to 1, but it is {value}")

    @abstractmethod
    def candidates(self, docs: Iterable[Doc], thresholds: Iterable[float]) -> list[Candidates]:
        """Find the spans with a score above the threshold of their label, nesting not resolved.

        thresholds (float [labels]): in the order of the labels.
        RETURNS (list of Candidates): one for each Doc.
        """

    def threshold_of(self, label: str) -> float:
        """The threshold that the score of a span with this label must pass."""
        return float(self.cfg["label_thresholds"].get(label, self.cfg["threshold"]))

    @contextmanager
    def floor(self, score: float) -> Iterator[None]:
        """While this is open, spans above the floor that are not chosen go into `doc.spans[below_key(spans_key)]`.

        What is above the thresholds, and what later components say about it, is as ever. `Language.pipe` is lazy: its
        Docs must be made before this closes.

        score (float): 0 to 1; thresholds below it stay as they are.
        """
        self._check_shares({"floor": score})
        before, self._floor = self._floor, score
        try:
            yield
        finally:
            self._floor = before

    def predict(self, docs: Iterable[Doc]) -> list[Candidates]:
        """Find the spans above the thresholds, or above the floor if one is open, without changing the Docs."""
        floor = 1.0 if self._floor is None else self._floor
        return self.candidates(docs, [min(self.threshold_of(label), floor) for label in self.labels])

    def set_annotations(self, docs: Iterable[Doc], found: list[Candidates]) -> None:
        """Write the candidates that may stand together into the Docs."""
        labels = self.labels
        limits = logit([self.threshold_of(label) for label in labels]).astype(np.float32)
        for doc, candidates in zip(docs, found, strict=True):
            passing = candidates if self._floor is None else candidates.above(limits)
            chosen = resolve(passing, self.cfg["nesting"])
            self._write(doc, self.key, chosen)
            if self._floor is not None:
                self._write(doc, below_key(self.key), _without(candidates, chosen))
            if self.cfg["set_ents"]:
                new = _spans(doc, resolve(passing, "flat"), labels)
                taken = {i for span in new for i in range(span.start, span.end)}
                doc.ents = new + [ent for ent in doc.ents if taken.isdisjoint(range(ent.start, ent.end))]

    def _write(self, doc: Doc, key: str, candidates: Candidates) -> None:
        attrs = {"scores": candidates.score}
        doc.spans[key] = SpanGroup(doc, name=key, attrs=attrs, spans=_spans(doc, candidates, self.labels))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """Apply the component to a stream of Docs."""
        # Here, and not only where torch is called: this generator starts before those upstream in the pipeline.
        one_torch_thread_in_workers()
        yield from super().pipe(stream, batch_size=batch_size)


def score_of(span: Span) -> float | None:
    """The score of a span, for `span._.score`.

    span (Span): one of a group that a component of this package wrote, or another with its offsets and label.
    RETURNS (float or None): from the first group with `attrs["scores"]` that has it; None if none does.
    """
    for group in span.doc.spans.values():
        if "scores" not in group.attrs:
            continue
        # The groups are in order of start. A dictionary for each Doc would have to know when a group changes.
        for index in range(bisect_left(group, span.start, key=lambda other: other.start), len(group)):
            if group[index].start != span.start:
                break
            if (group[index].end, group[index].label) == (span.end, span.label):
                return float(group.attrs["scores"][index])
    return None


def _spans(doc: Doc, candidates: Candidates, labels: Sequence[str]) -> list[Span]:
    columns = (candidates.start.tolist(), candidates.end.tolist(), candidates.label.tolist())
    return [Span(doc, start, end, label=labels[label]) for start, end, label in zip(*columns, strict=True)]


def _without(candidates: Candidates, others: Candidates) -> Candidates:
    """The candidates that are not among the others."""
    there = set(zip(*(column.tolist() for column in others[:3]), strict=True))
    places = zip(*(column.tolist() for column in candidates[:3]), strict=True)
    return candidates.take(np.array([place not in there for place in places], dtype=np.bool_))


def candidates_of(
    nlp: Language, finder: SpanFinder, texts: Iterable[str], lowest: float = LOWEST_SCORE
) -> Iterator[tuple[Doc, Candidates]]:
    """Every span that a threshold of interest would let pass, for tuning and for statistics; nesting not resolved.

    Only the components before the finder run, and the finder's model; nothing is written into the Docs.

    lowest (float): a span needs a score above this.
    YIELDS (Doc, Candidates): for each text.
    """
    names = nlp.pipe_names
    later = names[names.index(finder.name) :]
    for docs in minibatch(nlp.pipe(texts, disable=later), nlp.batch_size):
        yield from zip(docs, finder.candidates(docs, [lowest] * len(finder.labels)), strict=True)
