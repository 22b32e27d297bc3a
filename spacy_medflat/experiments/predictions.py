"""Scored spans of texts as a file: one line for each text, every span above `LOWEST_SCORE`."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from spacy.tokens import Doc

from ..corpus.record import Entity
from ..errors import ExperimentError
from ..files import iter_lines, write_lines
from ..ner.spans import Candidates, GoldSpans, Nesting, logit, resolve
from ..ner.thresholds import tune

# The candidate spans of one text, offsets in characters, with their probabilities.
Scored = dict[Entity, float]


def scored_spans(doc: Doc, candidates: Candidates, labels: Sequence[str]) -> Scored:
    """Candidates in tokens as spans in characters.

    doc (Doc): the text.
    candidates (Candidates): its spans.
    labels (sequence of str): of the component that found them, in its order.
    """
    starts = [token.idx for token in doc]
    ends = [token.idx + len(token) for token in doc]
    # The shortest decimal that is this float32.
    scores = (float(str(score)) for score in candidates.score)
    columns = zip(candidates.start.tolist(), candidates.end.tolist(), candidates.label.tolist(), scores, strict=True)
    return {Entity(starts[start], ends[end - 1], labels[label]): score for start, end, label, score in columns}


def write_predictions(path: Path, ids: Iterable[str], predictions: Iterable[Scored]) -> None:
    """Write a line for each text, whole or not at all: index, identifier, spans [start, end, label, probability].

    path (Path): JSON lines.
    ids (iterable of str): identifiers of the texts.
    predictions (iterable of Scored): the spans of each text.
    """
    rows = ([[e.start, e.end, e.label, score] for e, score in spans.items()] for spans in predictions)
    lines = ({"index": i, "id": name, "spans": spans} for i, (name, spans) in enumerate(zip(ids, rows, strict=True)))
    write_lines(path, (f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines))


def read_predictions(path: Path) -> list[Scored]:
    """The spans of each text, in the order of the texts.

    RAISES (ExperimentError): a line that `write_predictions` would not have written.
    """
    predictions: list[Scored] = []
    for number, line in iter_lines(path):
        try:
            content: dict[str, Any] = json.loads(line)
            if content["index"] != len(predictions):
                raise ValueError(f"text {content['index']} stands where {len(predictions)} should")
            spans = {Entity(int(s), int(e), str(label)): float(score) for s, e, label, score in content["spans"]}
        except (ValueError, KeyError, TypeError) as error:
            raise ExperimentError(f"{path} line {number}: no prediction: {error!r}; remove it and run again") from error
        predictions.append(spans)
    return predictions


def passing(spans: Scored, thresholds: Mapping[str, float], nesting: Nesting = "all") -> Scored:
    """The spans that a pipeline writes.

    spans (Scored): of one text.
    thresholds (mapping of str to float): of each label of the pipeline, in its order.
    nesting (str): see `resolve`.
    """
    kept = {entity: score for entity, score in spans.items() if score > thresholds[entity.label]}
    if nesting == "all":
        return kept
    order = {label: index for index, label in enumerate(thresholds)}
    entities = list(kept)
    chosen = resolve(as_candidates(kept, order), nesting)
    wanted = set(zip(chosen.start.tolist(), chosen.end.tolist(), chosen.label.tolist(), strict=True))
    return {entity: kept[entity] for entity in entities if (entity.start, entity.end, order[entity.label]) in wanted}


def as_candidates(spans: Scored, order: Mapping[str, int]) -> Candidates:
    """Spans as arrays, with characters for tokens: by start, then longer before shorter, then by label.

    spans (Scored): of one text.
    order (mapping of str to int): the index of each label.
    """
    rows = sorted((e.start, -e.end, order[e.label], score) for e, score in spans.items())
    start, end, label = (np.array([row[i] for row in rows], dtype=np.int64) for i in range(3))
    return Candidates(start, -end, label, logit(np.array([row[3] for row in rows], dtype=np.float32)))


def tuned_f1(
    gold: Sequence[Collection[Entity]],
    predictions: Sequence[Scored],
    thresholds: Mapping[str, float],
    min_gold: int = 20,
) -> float:
    """Micro F1 over all gold with thresholds for each label that are tuned on other texts.

    They are chosen on the texts of even and scored on those of odd index, and the other way round; hits, found and gold
    of the two halves are added up.

    gold (sequence of collections of Entity): of each text; gold with labels that no threshold has counts as missed.
    predictions (sequence of Scored): all spans above `LOWEST_SCORE`, nesting not resolved.
    thresholds (mapping of str to float): those of the pipeline, by label.
    min_gold (int): labels with fewer gold spans in a half take the best common threshold there.
    RETURNS (float): 0 to 1.
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
    return tuning.other_half["labels"]
