"""Precision, recall and F1 over all gold, and what seeds and the choice of texts do to them. Plain NumPy."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..corpus.record import Entity

Counts = NDArray[np.int64]
# Weights of so many resamples are held at once.
_CHUNK = 100


class Score(NamedTuple):
    """Micro scores, 0 to 1, and 0 where nothing was found or wanted.

    p, r, f (float): precision, recall and F1.
    """

    p: float
    r: float
    f: float


@dataclass(frozen=True)
class Spread:
    """A value over seeds.

    mean, low, high (float): mean, least, greatest.
    sd (float or None): standard deviation of the sample; None of a single seed.
    """

    mean: float
    low: float
    high: float
    sd: float | None


@dataclass(frozen=True)
class Difference:
    """F1 of one row less that of another.

    mean (float): on all texts.
    low, high (float): the 2.5th and the 97.5th percentile over resamples.
    not_above (float): share of resamples with a difference of 0 or less. If it is small, the choice of texts does not
        explain why the first row is better.
    """

    mean: float
    low: float
    high: float
    not_above: float


class Sampled(NamedTuple):
    """F1 of a row, averaged over its seeds.

    f (float): on all texts.
    resampled (float64 [resamples]): on each resample.
    """

    f: float
    resampled: NDArray[np.float64]


def text_counts(gold: Sequence[Collection[Entity]], found: Sequence[Collection[Entity]]) -> Counts:
    """Count the spans of each text.

    gold, found (sequence of collections of Entity): the spans of each text.
    RETURNS (int64 [texts, 3]): hits, found, gold. A hit has start, end and label of a gold span.
    """
    rows = [(len(set(g) & set(f)), len(f), len(g)) for g, f in zip(gold, found, strict=True)]
    return np.array(rows, dtype=np.int64).reshape(-1, 3)


def score(counts: NDArray) -> Score:
    """Micro scores.

    counts (int64 [3] or [texts, 3]): hits, found and gold, to be summed.
    """
    hits, found, gold = counts.reshape(-1, 3).sum(axis=0).tolist()
    ratios = (hits, found), (hits, gold), (2 * hits, found + gold)
    return Score(*(part / whole if whole else 0.0 for part, whole in ratios))


def spread(values: Sequence[float]) -> Spread:
    """The spread of a value over at least one seed."""
    array = np.asarray(values, dtype=np.float64)
    sd = float(array.std(ddof=1)) if len(array) > 1 else None
    return Spread(float(array.mean()), float(array.min()), float(array.max()), sd)


def resampled_f1(counts: Sequence[Counts], resamples: int = 2000, seed: int = 0) -> NDArray[np.float64]:
    """F1 of runs on texts drawn with replacement (Efron 1979): paired, as all runs get the same draws.

    counts (sequence of int64 [texts, 3]): hits, found and gold of each run, on the same texts in the same order.
    resamples (int): how many draws.
    seed (int): of the draws; for the same number of texts they are the same in every call.
    RETURNS (float64 [runs, resamples]): micro F1.
    """
    stacked = np.stack(counts).astype(np.float64)
    runs, texts, _ = stacked.shape
    random = np.random.default_rng(seed)
    result = np.zeros((runs, resamples))
    for first in range(0, resamples, _CHUNK):
        n = min(_CHUNK, resamples - first)
        weights = random.multinomial(texts, np.full(texts, 1.0 / texts), size=n).astype(np.float64)
        hits, found, gold = np.moveaxis(weights @ stacked, -1, 0)
        total = found + gold
        result[:, first : first + n] = np.divide(2 * hits, total, out=np.zeros_like(total), where=total > 0)
    return result


def difference(row: Sampled, other: Sampled) -> Difference:
    """Compare two rows by a paired bootstrap over texts.

    It shows how much of the difference may be due to the choice of texts. It does not account for other seeds: see
    `Spread` for them.

    row, other (Sampled): on the same resamples, see `sample_rows`.
    """
    gaps = row.resampled - other.resampled
    low, high = np.percentile(gaps, [2.5, 97.5]).tolist()
    return Difference(row.f - other.f, low, high, float((gaps <= 0).mean()))


def sample_rows(rows: Mapping[str, Sequence[Counts]], resamples: int = 2000, seed: int = 0) -> dict[str, Sampled]:
    """F1 of rows, averaged over the seeds of each, on all texts and on resamples that are the same for all rows.

    rows (mapping of str to sequence of int64 [texts, 3]): by name, the counts of each seed, at least one.
    resamples, seed (int): see `resampled_f1`.
    """
    names = [name for name, seeds in rows.items() for _ in seeds]
    if not names:
        return {}
    sampled = resampled_f1([counts for seeds in rows.values() for counts in seeds], resamples, seed)
    return {
        name: Sampled(
            float(np.mean([score(counts).f for counts in seeds])),
            sampled[[i for i, owner in enumerate(names) if owner == name]].mean(axis=0),
        )
        for name, seeds in rows.items()
    }
