"""F1 with thresholds that were tuned on other texts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from ..corpus.record import Entity
from ..ner.loss import GoldSpans
from ..ner.thresholds import tune
from .predictions import Scored, as_candidates


def tuned_f1(
    gold: Sequence[Collection[Entity]],
    predictions: Sequence[Scored],
    thresholds: Mapping[str, float],
    min_gold: int = 20,
) -> float:
    """Micro F1 over all gold with a threshold for each label, chosen on the texts of even and scored on those of odd
    index, and the other way round; hits, found and gold of the two halves are added up.

    predictions: All spans above a floor; nesting is not resolved.
    thresholds: The labels of the pipeline. Gold with other labels counts as missed.
    min_gold: Labels with fewer gold spans in a half take the best common threshold there.
    """
    order = {label: index for index, label in enumerate(thresholds)}
    rows = [(i, e.start, e.end, order[e.label]) for i, g in enumerate(gold) for e in g if e.label in order]
    text, start, end, label = np.array(sorted(rows), dtype=np.int64).reshape(-1, 4).T
    tuning = tune(
        [as_candidates(spans, order) for spans in predictions],
        GoldSpans(text, start, end, label, np.ones(len(gold), dtype=np.bool_)),
        list(thresholds.values()),
        min_gold=min_gold,
        unreachable=sum(len(g) for g in gold) - len(rows),
    )
    return tuning.other_half
