"""Fitting a calibrator on held-out texts, and what it gains on texts that it was not fitted on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc

from ..runtime import torch_threads
from .calibration import FitSettings, fit
from .calibrator import Calibrator, all_kinds, evidence_of, read_batch
from .component import NestedEntityRecognizer
from .evidence import Evidence
from .spans import Candidates, GoldSpans
from .thresholds import Tuning, tune
from .training_texts import TrainingTexts

# Texts whose evidence is gathered together.
BATCH_TEXTS = 64
# Without a hidden layer, what is left is a scale and a bias for each label.
LOGIT_ALONE = FitSettings(networks=1, hidden=0, least_steps=1000, most_steps=1000, rate=0.03, weight_decay=0.0)
BINS = 15
# Scores below this are of spans that nobody would take for entities; with them, any calibration looks good.
LOWEST_BINNED = 0.05


@dataclass(frozen=True)
class Reliability:
    """How well scores are frequencies.

    error (float): the expected calibration error (Guo et al., "On Calibration of Modern Neural Networks", 2017), of
        scores above `LOWEST_BINNED`.
    bins (list of (float, float, int)): mean score, share of gold spans, and number of spans of each bin.
    """

    error: float
    bins: list[tuple[float, float, int]]


@dataclass(frozen=True)
class Row:
    """A way to score, on texts that it was not fitted on.

    tuning (Tuning): thresholds, and F1 with thresholds that were chosen on the other half.
    reliability (Reliability): of its scores.
    """

    tuning: Tuning
    reliability: Reliability

    @property
    def f1(self) -> float:
        """The best F1 on halves that neither weights nor thresholds were fitted on."""
        return max(self.tuning.other_half.values())


@dataclass(frozen=True)
class Fitted:
    """A calibrator that is fitted on all texts.

    calibrator (Calibrator): with evidence if that helps on the other halves.
    rows (dict of Row): `head`, its scores as they are; `logit`, calibrated alone; `evidence`, with words and training
        texts, if there are any.
    chosen (str): the row that the calibrator is of.
    """

    calibrator: Calibrator
    rows: dict[str, Row]
    chosen: str


@dataclass(frozen=True)
class _Texts:
    """Some of the texts, and all that is known of them."""

    index: NDArray[np.int64]
    docs: list[Doc]
    found: list[Candidates]
    evidence: list[Evidence]
    gold: list[NDArray[np.bool_]]


def fit_calibrator(
    recognizer: NestedEntityRecognizer,
    docs: Sequence[Doc],
    found: Sequence[Candidates],
    gold: GoldSpans,
    words_key: str,
    *,
    unreachable: int = 0,
    min_gold: int = 20,
    settings: FitSettings | None = None,
) -> Fitted:
    """Fit a calibrator, and compare it with the head alone on halves that it was not fitted on.

    docs (sequence of Doc): texts that the pipeline was not trained on, with their words.
    found (sequence of Candidates): what the head finds in each above `LOWEST`, not calibrated.
    gold (GoldSpans): their spans.
    words_key (str): the span group of the words.
    unreachable (int): gold spans that the head can never find; they count in F1 all the same.
    min_gold (int): labels with fewer gold spans keep their threshold.
    settings (FitSettings or None): of the networks; None for the defaults.
    RETURNS (Fitted): the calibrator.
    RAISES (ValueError): none of the gold is among the candidates of a half.
    """
    labels = recognizer.labels
    kinds = all_kinds(docs, words_key)
    # The weights are not used before they are fitted.
    reader = Calibrator(labels, words_key, kinds, None, None)  # type: ignore[arg-type]
    halves = [_gather(reader, docs[half::2], found[half::2], gold, half, recognizer.training_texts) for half in (0, 1)]
    rows = {"head": _row([(h.index, h.found) for h in halves], gold, recognizer, unreachable, min_gold)}
    has_evidence = bool(kinds) or bool(recognizer.training_texts and recognizer.training_texts.strings)
    for name in ("logit", "evidence") if has_evidence else ("logit",):
        scored = []
        for fitted, other in (halves, halves[::-1]):
            calibrator = _fit(reader, [fitted], settings, name == "evidence")
            scored.append((other.index, calibrator(other.docs, other.found, recognizer.training_texts)))
        rows[name] = _row(scored, gold, recognizer, unreachable, min_gold)
    chosen = max((name for name in rows if name != "head"), key=lambda name: rows[name].f1)
    return Fitted(_fit(reader, halves, settings, chosen == "evidence"), rows, chosen)


def _gather(
    reader: Calibrator,
    docs: Sequence[Doc],
    found: Sequence[Candidates],
    gold: GoldSpans,
    half: int,
    training_texts: TrainingTexts | None,
) -> _Texts:
    """Texts with an even or an odd index, in batches. Those without words have none here."""
    texts = _Texts(2 * np.arange(len(docs)) + half, list(docs), list(found), [], [])
    for begin in range(0, len(docs), BATCH_TEXTS):
        batch_of = slice(begin, begin + BATCH_TEXTS)
        batch = read_batch(docs[batch_of], reader, training_texts)
        evidence = evidence_of(batch, found[batch_of], len(reader.labels))
        is_gold = np.zeros(evidence.spans.logits.shape, dtype=np.bool_)
        # Where each gold span of these texts would be; not all of them are among the spans.
        mine = np.isin(gold.doc, texts.index[batch_of])
        place = (gold.doc[mine] - half) // 2 - begin
        starts, ends = gold.start[mine] + batch.offsets[place], gold.end[mine] + batch.offsets[place]
        rows = {span: row for row, span in enumerate(zip(*(c.tolist() for c in evidence.spans[:2]), strict=True))}
        for start, end, label in zip(starts.tolist(), ends.tolist(), gold.label[mine].tolist(), strict=True):
            if (start, end) in rows:
                is_gold[rows[start, end], label] = True
        texts.evidence.append(evidence)
        texts.gold.append(is_gold)
    return texts


def _fit(reader: Calibrator, texts: Sequence[_Texts], settings: FitSettings | None, evidence: bool) -> Calibrator:
    data = [batch for some in texts for batch in some.evidence], [batch for some in texts for batch in some.gold]
    with torch_threads(1):
        with_evidence = fit(*data, settings) if evidence else None
        alone = fit(*data, LOGIT_ALONE)
    return Calibrator(reader.labels, reader.words_key, reader.kinds, with_evidence, alone)


def _row(
    scored: Sequence[tuple[NDArray[np.int64], list[Candidates]]],
    gold: GoldSpans,
    recognizer: NestedEntityRecognizer,
    unreachable: int,
    min_gold: int,
) -> Row:
    by_text = {int(i): found for index, some in scored for i, found in zip(index, some, strict=True)}
    candidates = [by_text[i] for i in range(len(by_text))]
    current = [recognizer.threshold_of(label) for label in recognizer.labels]
    tuning = tune(candidates, gold, current, min_gold=min_gold, unreachable=unreachable)
    return Row(tuning, reliability(candidates, gold))


def reliability(candidates: Sequence[Candidates], gold: GoldSpans) -> Reliability:
    """How well the scores of candidates are frequencies.

    candidates (sequence of Candidates): one for each text.
    gold (GoldSpans): of the same texts.
    """
    wanted = set(zip(*(column.tolist() for column in gold[:4]), strict=True))
    score = np.concatenate([found.score for found in candidates] or [np.zeros(0, dtype=np.float32)])
    right = np.array(
        [
            (i, *span) in wanted
            for i, found in enumerate(candidates)
            for span in zip(*(column.tolist() for column in found[:3]), strict=True)
        ],
        dtype=np.bool_,
    )
    looked_at = score > LOWEST_BINNED
    score, right = score[looked_at], right[looked_at]
    bin_of = np.minimum((score * BINS).astype(np.int64), BINS - 1)
    bins = [
        (float(score[bin_of == i].mean()), float(right[bin_of == i].mean()), int((bin_of == i).sum()))
        for i in np.unique(bin_of)
    ]
    error = sum(count * abs(mean - share) for mean, share, count in bins) / max(len(score), 1)
    return Reliability(error, bins)
