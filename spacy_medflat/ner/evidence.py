"""What words, training texts and other candidates say of a span: features beside the head's logit, in plain NumPy.

Words help where their weights are fitted on texts that the encoder was not trained on (docs/calibration.md). Places are
tokens, counted over all texts of a batch, so that no span of one text touches one of another.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]

# In the place of a logit that the head does not give. Below every logit that is looked at.
ABSENT = np.float32(-9.5)
# The last length, in tokens, of each class of lengths but the last.
LENGTH_CLASSES = np.array([1, 2, 3, 4, 6, 9])
# Shares of a string's occurrences in the training texts: hardly ever, half, nearly always an entity.
RARE, HALF, NEARLY_ALL = 0.1, 0.5, 0.9


class SpanTable(NamedTuple):
    """The different spans of a batch, ordered by start, longer first, and what the head says of them.

    start, end (int64 [spans]): tokens, `end` exclusive.
    logits (float32 [spans, labels]): `ABSENT` where the head gives none.
    """

    start: Ints
    end: Ints
    logits: Floats


class WordTable(NamedTuple):
    """The words of a batch, ordered by start, longer first.

    start, end (int64 [words]): tokens, `end` exclusive.
    kinds (bool [words, kinds]): the types and sources that each word has.
    """

    start: Ints
    end: Ints
    kinds: NDArray[np.bool_]


class MentionTable(NamedTuple):
    """Strings of the training texts, wherever they stand in a batch, ordered by start, longer first, each place once.

    start, end (int64 [places]): tokens, `end` exclusive.
    counts (int64 [places, 1 + labels]): how often the string occurs in the training texts, and as an entity of each
        label.
    """

    start: Ints
    end: Ints
    counts: Ints


class Evidence(NamedTuple):
    """What is known of the spans of a batch.

    spans (SpanTable): the spans.
    shared (float32 [spans, shared]): the same for every label.
    own (float32 [spans, labels, own]): for one label.
    noted (bool [spans]): whether the span is a word or a string of the training texts.
    """

    spans: SpanTable
    shared: Floats
    own: Floats
    noted: NDArray[np.bool_]


def make_spans(
    start: Ints,
    end: Ints,
    label: Ints,
    logit: NDArray[np.floating],
    words: WordTable,
    mentions: MentionTable,
    labels: int,
) -> SpanTable:
    """The different spans of candidates, words and mentions.

    start, end, label (int64 [n]), logit (float [n]): the candidates: tokens, label, and what the head says of it.
    labels (int): how many labels there are.
    """
    others = len(words.start) + len(mentions.start)
    start = np.concatenate([start, words.start, mentions.start])
    end = np.concatenate([end, words.end, mentions.end])
    label = np.concatenate([label, np.full(others, -1)])
    logit = np.concatenate([logit, np.zeros(others)])
    order = np.lexsort((-end, start))
    start, end, label, logit = start[order], end[order], label[order], logit[order]
    new = np.ones(len(start), dtype=np.bool_)
    new[1:] = (np.diff(start) != 0) | (np.diff(end) != 0)
    row, scored = np.cumsum(new) - 1, label >= 0
    logits = np.full((int(new.sum()), labels), ABSENT, dtype=np.float32)
    np.maximum.at(logits, (row[scored], label[scored]), logit[scored].astype(np.float32))
    return SpanTable(start[new], end[new], logits)


def gather(spans: SpanTable, words: WordTable, mentions: MentionTable) -> Evidence:
    """All that is known of the spans; words and mentions are among them."""
    count = np.zeros((len(spans.start), mentions.counts.shape[1]), dtype=np.int64)
    count[rows_of(spans, mentions.start, mentions.end)] = mentions.counts
    noted = count[:, 0] > 0
    noted[rows_of(spans, words.start, words.end)] = True
    rivals = rival_features(spans)
    known, mentioned = mention_features(count)
    shared = [word_features(spans, words), length_features(spans), known, rivals.max(2, initial=ABSENT)]
    own = [best_other(spans.logits)[:, :, None], rivals.transpose(0, 2, 1), mentioned]
    return Evidence(spans, np.concatenate(shared, axis=1), np.concatenate(own, axis=2), noted)


def overlaps(start: Ints, end: Ints, other_start: Ints, other_end: Ints) -> tuple[Ints, Ints]:
    """All pairs of a span and another one that share a token, in time and memory linear in their number.

    start, end (int64 [n]), other_start, other_end (int64 [m]): both ordered by start.
    RETURNS (int64 [pairs], int64 [pairs]): indices of the spans and of the others.
    """
    # Others that begin within a span, then spans that begin within another one, but not where it begins.
    span, other = _ranges(np.searchsorted(other_start, start), np.searchsorted(other_start, end))
    other_too, span_too = _ranges(np.searchsorted(start, other_start, side="right"), np.searchsorted(start, other_end))
    return np.concatenate([span, span_too]), np.concatenate([other, other_too])


def word_features(spans: SpanTable, words: WordTable) -> Floats:
    """How the spans lie to words of each kind.

    RETURNS (float32 [spans, 4 * kinds + 4]): whether the span is a word of each kind, lies inside one, ends with one,
        and crosses one; then whether it is any word, lies inside any, begins with any, and crosses any.
    """
    n_kinds = words.kinds.shape[1]
    related = np.zeros((len(spans.start), 4, n_kinds), dtype=np.float32)
    any_word = np.zeros((len(spans.start), 4), dtype=np.float32)
    span, word = overlaps(spans.start, spans.end, words.start, words.end)
    starts = np.sign(words.start[word] - spans.start[span])
    ends = np.sign(words.end[word] - spans.end[span])
    exact = (starts == 0) & (ends == 0)
    inside = (starts <= 0) & (ends >= 0) & ~exact
    crosses = starts * ends > 0
    word_of, kind_of = np.nonzero(words.kinds)
    edges = np.searchsorted(word_of, np.arange(len(words.start) + 1))
    for relation, mask in enumerate((exact, inside, (starts > 0) & (ends == 0), crosses)):
        pair, entry = _ranges(edges[word[mask]], edges[word[mask] + 1])
        related[span[mask][pair], relation, kind_of[entry]] = 1.0
    for column, mask in enumerate((exact, inside, (starts == 0) & (ends < 0), crosses)):
        any_word[span[mask], column] = 1.0
    return np.concatenate([related.reshape(len(spans.start), 4 * n_kinds), any_word], axis=1)


def rival_features(spans: SpanTable) -> Floats:
    """The best logits of other spans that share tokens with a span.

    RETURNS (float32 [spans, 3, labels]): of those around it, inside it, and crossing it; `ABSENT` where there is none.
    """
    n, n_labels = spans.logits.shape
    best = np.full((3, n, n_labels), ABSENT, dtype=np.float32)
    one, other = _ranges(np.arange(n) + 1, np.searchsorted(spans.start, spans.end))
    around = spans.end[other] <= spans.end[one]
    np.maximum.at(best[0], other[around], spans.logits[one[around]])
    np.maximum.at(best[1], one[around], spans.logits[other[around]])
    np.maximum.at(best[2], one[~around], spans.logits[other[~around]])
    np.maximum.at(best[2], other[~around], spans.logits[one[~around]])
    return best.transpose(1, 0, 2)


def length_features(spans: SpanTable) -> Floats:
    """The class of each span's length (float32 [spans, classes])."""
    classes = np.searchsorted(LENGTH_CLASSES, spans.end - spans.start)
    return np.eye(len(LENGTH_CLASSES) + 1, dtype=np.float32)[classes]


def mention_features(counts: Ints) -> tuple[Floats, Floats]:
    """What the training texts say of the strings of spans.

    counts (int64 [spans, 1 + labels]): see `MentionTable`; 0 for strings that do not occur.
    RETURNS (float32 [spans, 2], float32 [spans, labels, 5]): whether the string occurs, and hardly ever as an entity;
        for each label its share of the occurrences, whether that is above 0, `HALF` and `NEARLY_ALL`, and the share
        times log(1 + occurrences).
    """
    total = counts[:, :1].astype(np.float32)
    share = counts[:, 1:] / np.maximum(total, 1.0)
    known = total > 0
    own = (share, share > 0, share > HALF, share > NEARLY_ALL, np.log1p(total) * share)
    shared = np.concatenate([known, known & (share.sum(1, keepdims=True) < RARE)], axis=1)
    return shared.astype(np.float32), np.stack([column.astype(np.float32) for column in own], axis=-1)


def best_other(logits: Floats) -> Floats:
    """For each label, the best logit of the other labels (float32 [spans, labels]); `ABSENT` if there is no other."""
    if logits.shape[1] < 2 or not len(logits):
        return np.full_like(logits, ABSENT)
    rows, best = np.arange(len(logits)), logits.argmax(1)
    others = np.repeat(logits[rows, best][:, None], logits.shape[1], axis=1)
    others[rows, best] = np.partition(logits, -2, axis=1)[:, -2]
    return others


def _ranges(first: Ints, last: Ints) -> tuple[Ints, Ints]:
    """For each i, the pairs (i, j) with first[i] <= j < last[i]."""
    counts = np.maximum(last - first, 0)
    left = np.repeat(np.arange(len(first)), counts)
    right = np.arange(counts.sum()) + np.repeat(first - np.cumsum(counts) + counts, counts)
    return left, right


def rows_of(spans: SpanTable, start: Ints, end: Ints) -> Ints:
    """The rows of places that are among the spans (int64 [places])."""
    # Longer spans come first, so a key that grows along the table takes the end off.
    bound = int(spans.end.max(initial=0)) + 1
    return np.searchsorted(spans.start * bound + bound - spans.end, start * bound + bound - end)
