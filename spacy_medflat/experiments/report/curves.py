"""What scores of found spans are worth: precision and recall at every threshold, and how often spans are right."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...corpus.record import Entity
from ...ner.reliability import Reliability, reliability
from ..predictions import Scored, read_predictions
from .results import Results, RowResult

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Curves:
    """Curves of a row, over the spans of all its seeds.

    precision, recall (float64 [points]): of the spans above each threshold, from the highest threshold down.
    reliability (Reliability): of the scores.
    """

    precision: Floats
    recall: Floats
    reliability: Reliability


def row_curves(results: Results, row: RowResult) -> Curves:
    """The curves of a row from the predictions of its runs, all those that were stored, nesting not resolved."""
    found = [scored_hits(results.gold, read_predictions(run.folder.predictions)) for run in row.runs]
    scores, hits = (np.concatenate(column) for column in zip(*found, strict=True))
    precision, recall = precision_recall(scores, hits, len(row.runs) * sum(map(len, results.gold)))
    return Curves(precision, recall, reliability(scores, hits))


def scored_hits(gold: Sequence[Collection[Entity]], predictions: Sequence[Scored]) -> tuple[Floats, NDArray[np.bool_]]:
    """The scores of all found spans, and whether each of them is gold."""
    pairs = [(score, span in g) for g, spans in zip(gold, predictions, strict=True) for span, score in spans.items()]
    scores, hits = zip(*pairs, strict=True) if pairs else ((), ())
    return np.array(scores, dtype=np.float64), np.array(hits, dtype=np.bool_)


def precision_recall(scores: Floats, hits: NDArray[np.bool_], gold: int, points: int = 200) -> tuple[Floats, Floats]:
    """Precision and recall of the spans above each threshold.

    scores (float64 [spans]), hits (bool [spans]): see `scored_hits`.
    gold (int): how many gold spans there are.
    points (int): how many thresholds at most, equally far apart in number of spans.
    RETURNS (float64 [points], float64 [points]): precision and recall.
    """
    order = np.argsort(-scores, kind="stable")
    right = np.cumsum(hits[order])
    # Spans of equal scores pass a threshold together.
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True)[: len(order)])
    last = last[np.unique(np.linspace(0, len(last) - 1, points).astype(int))] if len(last) > points else last
    return right[last] / (last + 1), right[last] / max(gold, 1)
