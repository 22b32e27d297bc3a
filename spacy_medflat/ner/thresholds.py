"""Finding the thresholds that give the best F1 on held-out texts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .spans import Candidates, GoldSpans


@dataclass(frozen=True)
class LabelScores:
    """The candidates of one label, best first, against gold.

    score (float [n]): probabilities, descending.
    hits (int64 [n + 1]): how many of the first k candidates are gold.
    gold (int): gold spans, those without a candidate too.
    """

    score: NDArray[np.floating]
    hits: NDArray[np.int64]
    gold: int

    def threshold(self, k: int) -> float:
        """A threshold that exactly the first k candidates pass: half way to the next one."""
        upper = self.score[k - 1] if k else np.float32(1.0)
        lower = self.score[k] if k < len(self.score) else np.float32(0.0)
        middle = (float(upper) + float(lower)) / 2
        # Between neighbouring numbers of float32 half way would be rounded up, where the upper one does not pass.
        return middle if np.float32(middle) < upper else float(lower)


def label_scores(candidates: Sequence[Candidates], gold: GoldSpans, n_labels: int) -> list[LabelScores]:
    """Sort the candidates of a set of texts by label and score.

    candidates (sequence of Candidates): one for each text, with all spans that a threshold of interest lets pass.
    gold (GoldSpans): of the same texts, in the same order.
    n_labels (int): how many labels there are.
    """
    wanted = set(zip(*(column.tolist() for column in gold[:4]), strict=True))
    candidates = candidates or [Candidates.empty()]
    score, label = (np.concatenate(column) for column in zip(*((c.score, c.label) for c in candidates), strict=True))
    hit = np.array(
        [
            (doc, *span) in wanted
            for doc, c in enumerate(candidates)
            for span in zip(c.start.tolist(), c.end.tolist(), c.label.tolist(), strict=True)
        ],
        dtype=np.int64,
    )
    result = []
    for i in range(n_labels):
        mine = np.flatnonzero(label == i)
        mine = mine[np.argsort(-score[mine], kind="stable")]
        hits = np.concatenate([[0], np.cumsum(hit[mine])]).astype(np.int64)
        result.append(LabelScores(score[mine], hits, int((gold.label == i).sum())))
    return result


@dataclass(frozen=True)
class Tuning:
    """Thresholds for each label, and micro F1 over all gold.

    thresholds (list of float): in the order of the labels.
    before, after (float): F1 with the old and the new thresholds, on the texts that the new ones were chosen on.
    other_half (float): F1 where thresholds are chosen on one half of the texts and scored on the other, both ways; what
        to expect on new texts.
    """

    thresholds: list[float]
    before: float
    after: float
    other_half: float


def tune(
    candidates: Sequence[Candidates],
    gold: GoldSpans,
    current: Sequence[float],
    *,
    one: bool = False,
    min_gold: int = 20,
    unreachable: int = 0,
) -> Tuning:
    """Choose thresholds for the best micro F1, before nesting is resolved.

    candidates, gold (sequence of Candidates, GoldSpans): see `label_scores`.
    current (sequence of float): the thresholds now, in the order of the labels.
    one (bool): the same threshold for all labels.
    min_gold (int): see `best_label_thresholds`.
    unreachable (int): gold spans that no threshold can find; they count in F1 all the same.
    """
    n = len(current)

    def choose(labels: list[LabelScores]) -> list[float]:
        return [best_global_threshold(labels)] * n if one else best_label_thresholds(labels, min_gold)

    def score(*counts: tuple[int, int, int]) -> float:
        hits, found, wanted = (sum(column) for column in zip(*counts, strict=True))
        return f1(hits, found, wanted + unreachable)

    everything = label_scores(candidates, gold, n)
    first, second = (label_scores(*_half(candidates, gold, parity), n) for parity in (0, 1))
    chosen = choose(everything)
    return Tuning(
        chosen,
        score(count(everything, current)),
        score(count(everything, chosen)),
        score(count(second, choose(first)), count(first, choose(second))),
    )


def _half(candidates: Sequence[Candidates], gold: GoldSpans, parity: int) -> tuple[Sequence[Candidates], GoldSpans]:
    """The texts with an even or an odd index."""
    mine = gold.doc % 2 == parity
    columns = (gold.doc[mine] // 2, gold.start[mine], gold.end[mine], gold.label[mine])
    return candidates[parity::2], GoldSpans(*columns, annotated=gold.annotated[parity::2])


def f1(hits: float, found: float, gold: float) -> float:
    """F1 of so many hits among so many found and gold spans."""
    return 2 * hits / (found + gold) if found + gold else 0.0


def count(labels: Iterable[LabelScores], thresholds: Iterable[float]) -> tuple[int, int, int]:
    """Hits, found and gold spans under these thresholds, over all labels."""
    hits = found = gold = 0
    for label, threshold in zip(labels, thresholds, strict=True):
        k = int(np.searchsorted(-label.score, -threshold, side="left"))
        hits, found, gold = hits + int(label.hits[k]), found + k, gold + label.gold
    return hits, found, gold


def best_global_threshold(labels: Sequence[LabelScores]) -> float:
    """The one threshold for all labels that gives the best micro F1."""
    score = np.concatenate([label.score for label in labels])
    hit = np.concatenate([np.diff(label.hits) for label in labels])
    order = np.argsort(-score, kind="stable")
    gold = sum(label.gold for label in labels)
    merged = LabelScores(score[order], np.concatenate([[0], np.cumsum(hit[order])]).astype(np.int64), gold)
    return _best_cut(merged, 0.0, ratio=True)


def best_label_thresholds(labels: Sequence[LabelScores], min_gold: int = 20) -> list[float]:
    """Thresholds for each label that together give the best micro F1.

    F = 2 hits / (found + gold) over all labels is a ratio of sums, so for the best F each label on its own makes
    2 hits - F * (found + gold) as large as possible (Dinkelbach 1967); a few rounds find that F.

    min_gold (int): labels with fewer gold spans take the best global threshold, as their own would be chance.
    """
    common = best_global_threshold(labels)
    thresholds = [common] * len(labels)
    best = f1(*count(labels, thresholds))
    while True:
        candidate = [_best_cut(s, best) if s.gold >= min_gold else common for s in labels]
        score = f1(*count(labels, candidate))
        if score <= best + 1e-12:
            return thresholds
        thresholds, best = candidate, score


def _best_cut(label: LabelScores, price: float, ratio: bool = False) -> float:
    k = np.arange(len(label.score) + 1)
    value = 2 * label.hits / np.maximum(k + label.gold, 1) if ratio else 2 * label.hits - price * k
    # A cut between equal scores cannot be made by a threshold.
    value = np.where(
        np.concatenate([[False], label.score[1:] == label.score[:-1], [False]])[: len(value)], -np.inf, value
    )
    return label.threshold(int(np.argmax(value)))
