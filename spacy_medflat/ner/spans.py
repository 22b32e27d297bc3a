"""Scored and gold spans of texts, and which of them may stand together."""

from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from spacy.util import logger

# Of the spans that start at one token, so many can be candidates, over all labels: several times what nested entities
# need. A threshold near 0 would otherwise let every span of every label pass.
SPANS_PER_START = 16
# The logit of a threshold that was set to 0, or nearly so.
_ABOUT_ZERO = -9.0


def logit(probability: ArrayLike) -> NDArray[np.float64]:
    """log(p / (1 - p)): -inf for 0 and what is below, inf for 1 and what is above."""
    p = np.clip(np.asarray(probability, dtype=np.float64), 0.0, 1.0)
    with np.errstate(divide="ignore"):
        return np.log(p) - np.log1p(-p)


class Candidates(NamedTuple):
    """Scored spans of one text, by start, then longer before shorter, then by label.

    start, end (int64 [n]): tokens `start:end`, end exclusive.
    label (int64 [n]): index of the label.
    logit (float64 [n]): the score as log-odds, to which evidence can be added.
    """

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    label: NDArray[np.int64]
    logit: NDArray[np.float64]

    @classmethod
    def empty(cls) -> "Candidates":
        """No spans."""
        none = np.zeros(0, dtype=np.int64)
        return cls(none, none, none, np.zeros(0))

    @property
    def score(self) -> NDArray[np.float32]:
        """The score as a probability, 0 to 1 (float32 [n])."""
        return np.exp(-np.logaddexp(0.0, -self.logit)).astype(np.float32)

    def take(self, keep: NDArray) -> "Candidates":
        """The candidates that an index or a mask picks."""
        return Candidates(*(column[keep] for column in self))

    def above(self, limits: NDArray[np.floating]) -> "Candidates":
        """The candidates whose logit is above the limit of their label (float [labels])."""
        return self.take(self.logit > limits[self.label])


def split_by_text(doc: NDArray[np.int64], spans: Candidates, n_docs: int) -> list[Candidates]:
    """The spans of each text, in their order; those of a batch may come in any.

    doc (int64 [n]): the text of each span.
    """
    order = np.lexsort((spans.label, -spans.end, spans.start, doc))
    ordered = spans.take(order)
    edges = np.searchsorted(doc[order], np.arange(n_docs + 1))
    return [ordered.take(np.arange(a, b)) for a, b in pairwise(edges.tolist())]


def best_of_each_start(start: NDArray[np.int64], logits: NDArray[np.floating]) -> NDArray[np.int64]:
    """Which spans are among the best `SPANS_PER_START` of those with the same start.

    start (int64 [n]), logits (float [n]): of each span.
    RETURNS (int64 [kept]): their indices, in order of start.
    """
    order = np.lexsort((-logits, start))
    ordered = start[order]
    rank = np.arange(len(order)) - np.searchsorted(ordered, ordered)
    return order[rank < SPANS_PER_START]


def warn_of_dropped(count: int, lowest: NDArray[np.floating]) -> None:
    """Log how many spans `best_of_each_start` left out, if a threshold is about 0.

    count (int): spans that were left out.
    lowest (float [labels]): the logits that a span had to be above.
    """
    # Those who look for candidates on purpose, as tuning and calibration do, want the best ones only.
    if count and lowest.min() < _ABOUT_ZERO:
        logger.warning(
            "%d spans above the thresholds are left out: of the spans that start at one token, the best %d are kept. "
            "A higher threshold lets fewer pass",
            count,
            SPANS_PER_START,
        )


Nesting = Literal["all", "nested", "flat"]


def resolve(candidates: Candidates, mode: Nesting) -> Candidates:
    """Keep the best spans that may stand together.

    mode (str): `all` keeps everything; `nested` drops spans that cross a better one (two labels on one span may stand);
        `flat` drops spans that share a token with a better one. Better is a higher score, then the longer span, then
        the earlier one, then the label's order.
    RETURNS (Candidates): in the order of the candidates.
    """
    if mode == "all" or not len(candidates.start):
        return candidates
    order = np.lexsort((candidates.label, candidates.start, candidates.start - candidates.end, -candidates.score))
    # For each token: how far the kept spans that start there reach, and how early those that end there begin.
    size = int(candidates.end.max()) + 1
    reach, begin = [0] * size, [size] * size
    taken = bytearray(size)
    kept = []
    starts, ends = candidates.start.tolist(), candidates.end.tolist()
    for index in order.tolist():
        start, end = starts[index], ends[index]
        if mode == "flat":
            if 1 in taken[start:end]:
                continue
            taken[start:end] = b"\x01" * (end - start)
        else:
            if max(reach[start + 1 : end], default=0) > end or min(begin[start + 1 : end], default=end) < start:
                continue
            reach[start] = max(reach[start], end)
            begin[end] = min(begin[end], start)
        kept.append(index)
    return candidates.take(np.array(sorted(kept), dtype=np.int64))


class UnknownSpans(NamedTuple):
    """Spans of a batch that may be entities of their label or not, each inside its text and none of them gold.

    doc, start, end, label (int64 [spans]): see `GoldSpans`.
    """

    doc: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    label: NDArray[np.int64]

    def take(self, keep: NDArray) -> "UnknownSpans":
        """The spans that an index or a mask picks."""
        return UnknownSpans(*(column[keep] for column in self))


class GoldSpans(NamedTuple):
    """Gold spans of a batch, each inside its text.

    doc, start, end, label (int64 [spans]): the text, its tokens `start:end` (end exclusive), the label's index.
    annotated (bool [texts]): texts whose gold is known; the others add nothing to the loss.
    unknown (UnknownSpans or None): spans that the loss is to be blind to; None if there are none.
    weight (float64 [texts] or None): what the loss of a text is multiplied by; None for 1 throughout.
    """

    doc: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    label: NDArray[np.int64]
    annotated: NDArray[np.bool_]
    unknown: UnknownSpans | None = None
    weight: NDArray[np.float64] | None = None

    def text_weights(self) -> NDArray[np.float64]:
        """What the loss of each text is multiplied by: 0 for those whose gold is not known (float64 [texts])."""
        known = self.annotated.astype(np.float64)
        return known if self.weight is None else known * self.weight

    def take(self, keep: NDArray) -> "GoldSpans":
        """The spans that an index or a mask picks; the texts and what is unknown stay."""
        columns = {name: getattr(self, name)[keep] for name in ("doc", "start", "end", "label")}
        return self._replace(**columns)
