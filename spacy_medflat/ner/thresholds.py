"""Finding the thresholds that give the best F1 on held-out texts."""

from collections.abc import Callable, Iterable, Sequence
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
    candidates = candidates or [Candidates.empty()]
    score, label = (np.concatenate(column) for column in zip(*((c.score, c.label) for c in candidates), strict=True))
    hit = candidate_hits(candidates, gold)
    result = []
    for i in range(n_labels):
        mine = np.flatnonzero(label == i)
        mine = mine[np.argsort(-score[mine], kind="stable")]
        hits = np.concatenate([[0], np.cumsum(hit[mine])]).astype(np.int64)
        result.append(LabelScores(score[mine], hits, int((gold.label == i).sum())))
    return result


def candidate_hits(candidates: Sequence[Candidates], gold: GoldSpans) -> NDArray[np.bool_]:
    """Which candidates are gold (bool [candidates of all texts]).

    candidates (sequence of Candidates): one for each text of `gold`.
    """
    wanted = set(zip(*(column.tolist() for column in gold[:4]), strict=True))
    return np.array(
        [
            (doc, *span) in wanted
            for doc, c in enumerate(candidates)
            for span in zip(c.start.tolist(), c.end.tolist(), c.label.tolist(), strict=True)
        ],
        dtype=np.bool_,
    )


def text_counts(
    candidates: Sequence[Candidates], gold: GoldSpans, thresholds: Sequence[Sequence[float]]
) -> NDArray[np.int64]:
    """Hits, found and gold spans of each text (int64 [texts, 3]).

    candidates (sequence of Candidates): one for each text of `gold`.
    thresholds (sequence of sequence of float): for each label, of texts with an even and with an odd index.
    """
    limits = np.array(thresholds)
    doc = np.repeat(np.arange(len(candidates)), [len(c.score) for c in candidates])
    label, score = (np.concatenate([getattr(c, name) for c in candidates]) for name in ("label", "score"))
    found = score >= limits[doc % 2, label]
    hits = found & candidate_hits(candidates, gold)
    columns = (doc[hits], doc[found], gold.doc)
    return np.stack([np.bincount(column, minlength=len(candidates)) for column in columns], axis=1)


@dataclass(frozen=True)
class Tuning:
    """The thresholds to use, and micro F1 over all gold.

    choice (str): `now`, the current thresholds; `common`, one for all labels; `labels`, one for each.
    thresholds (list of float): in the order of the labels.
    before, after (float): F1 with the current thresholds and with these, on the texts that these were chosen on.
    other_half (dict of float): for each choice, F1 where thresholds are chosen on one half of the texts and scored on
        the other, both ways: what to expect on new texts. The current thresholds were not chosen on these texts.
    of_halves (list of list of float): the thresholds that `choice` gives on texts with an even and with an odd index.
    """

    choice: str
    thresholds: list[float]
    before: float
    after: float
    other_half: dict[str, float]
    of_halves: list[list[float]]


def tune(
    candidates: Sequence[Candidates],
    gold: GoldSpans,
    current: Sequence[float],
    *,
    one: bool = False,
    min_gold: int = 20,
    unreachable: int = 0,
) -> Tuning:
    """Choose the thresholds that give the best micro F1 on texts that they were not chosen on, nesting not resolved.

    Thresholds for each label fit small dev sets too closely, so what they and a common one gain must show on the other
    half of the texts. Otherwise the current thresholds stay.

    candidates, gold (sequence of Candidates, GoldSpans): see `label_scores`.
    current (sequence of float): the thresholds now, in the order of the labels.
    one (bool): one threshold for all labels, or the current ones.
    min_gold (int): labels with fewer gold spans keep their threshold, unless `one`.
    unreachable (int): gold spans that no threshold can find; they count in F1 all the same.
    """
    n = len(current)
    everything = label_scores(candidates, gold, n)
    halves = [label_scores(*_half(candidates, gold, parity), n) for parity in (0, 1)]
    kept = [None if one or scores.gold >= min_gold else t for scores, t in zip(everything, current, strict=True)]
    choices: dict[str, Callable[[Sequence[LabelScores]], list[float]]] = {
        "now": lambda _: list(current),
        "common": lambda labels: best_common_threshold(labels, kept),
        "labels": lambda labels: best_label_thresholds(labels, kept),
    }
    if one:
        del choices["labels"]

    def score(*counts: tuple[int, int, int]) -> float:
        hits, found, wanted = (sum(column) for column in zip(*counts, strict=True))
        return f1(hits, found, wanted + unreachable)

    other_half = {
        name: score(*(count(scored, choose(fitted)) for fitted, scored in (halves, halves[::-1])))
        for name, choose in choices.items()
    }
    # The first of equals: what changes least.
    choice = max(other_half, key=lambda name: other_half[name])
    chosen = choices[choice](everything)
    of_halves = [choices[choice](half) for half in halves]
    return Tuning(
        choice, chosen, score(count(everything, current)), score(count(everything, chosen)), other_half, of_halves
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


def best_common_threshold(labels: Sequence[LabelScores], kept: Sequence[float | None]) -> list[float]:
    """The thresholds with the best micro F1 of those that are the same for all labels that may change.

    kept (sequence of float or None): the thresholds that stay, None for those that may change.
    """
    moving = [label for label, stays in zip(labels, kept, strict=True) if stays is None]
    if not moving:
        return [float(t or 0.0) for t in kept]
    score = np.concatenate([label.score for label in moving])
    hit = np.concatenate([np.diff(label.hits) for label in moving])
    order = np.argsort(-score, kind="stable")
    gold = sum(label.gold for label in moving)
    merged = LabelScores(score[order], np.concatenate([[0], np.cumsum(hit[order])]).astype(np.int64), gold)
    common = _best_cut(merged, 0.0, ratio=True)
    return [common if stays is None else stays for stays in kept]


def best_label_thresholds(labels: Sequence[LabelScores], kept: Sequence[float | None]) -> list[float]:
    """Thresholds for each label that together give the best micro F1.

    F = 2 hits / (found + gold) over all labels is a ratio of sums, so for the best F each label on its own makes
    2 hits - F * (found + gold) as large as possible (Dinkelbach 1967); a few rounds find that F.

    kept (sequence of float or None): the thresholds that stay, None for those that may change.
    """
    thresholds = best_common_threshold(labels, kept)
    best = f1(*count(labels, thresholds))
    while True:
        candidate = [_best_cut(s, best) if stays is None else stays for s, stays in zip(labels, kept, strict=True)]
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
