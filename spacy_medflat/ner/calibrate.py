"""Fitting a calibrator on held-out texts, and what it gains on texts that it was not fitted on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc

from ..runtime import torch_threads
from .calibration import FitSettings, fit
from .calibrator import Calibrator, all_kinds, evidence_of, read_batch
from .evidence import Evidence
from .reliability import Reliability, reliability
from .spans import Candidates, GoldSpans
from .thresholds import Tuning, candidate_hits, text_counts, tune
from .training_texts import TrainingTexts

# Texts whose evidence is gathered together.
BATCH_TEXTS = 64
# Without a hidden layer, what is left is a scale and a bias for each label.
LOGIT_ALONE = FitSettings(networks=1, hidden=0, least_steps=1000, most_steps=1000, rate=0.03, weight_decay=0.0)
BINS = 15
# Scores below this are of spans that nobody would take for entities; with them, any calibration looks good.
LOWEST_BINNED = 0.05


@dataclass(frozen=True)
class Row:
    """A way to score, on texts that it was not fitted on.

    tuning (Tuning): thresholds, and F1 with thresholds that were chosen on the other half.
    reliability (Reliability): of its scores above `LOWEST_BINNED`.
    counts (int64 [texts, 3]): hits, found and gold of each text, with thresholds of the other half.
    """

    tuning: Tuning
    reliability: Reliability
    counts: NDArray[np.int64]

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
class HeldOut:
    """Texts that a pipeline was not trained on, and what its head finds in them.

    index (int64 [texts]): which texts of the gold they are, ascending.
    docs (sequence of Doc): with their words.
    found (sequence of Candidates): all above `LOWEST`, not calibrated.
    training_texts (TrainingTexts or None): of the pipeline.
    """

    index: NDArray[np.int64]
    docs: Sequence[Doc]
    found: Sequence[Candidates]
    training_texts: TrainingTexts | None

    def halves(self) -> list["HeldOut"]:
        """Every other text, and the others."""
        return [
            HeldOut(self.index[i::2], self.docs[i::2], self.found[i::2], self.training_texts)
            for i in (0, 1)
            if len(self.docs) > i
        ]


@dataclass(frozen=True)
class _Gathered:
    """Held-out texts with their evidence, in batches."""

    texts: HeldOut
    evidence: list[Evidence]
    gold: list[NDArray[np.bool_]]


def fit_calibrator(
    parts: Sequence[HeldOut],
    gold: GoldSpans,
    thresholds: Mapping[str, float],
    words_key: str,
    *,
    unreachable: int = 0,
    min_gold: int = 20,
    settings: FitSettings | None = None,
) -> Fitted:
    """Fit a calibrator, and compare it with the head alone, each part scored by what is fitted on the others.

    parts (sequence of HeldOut): at least two: halves of the texts, or folds that different pipelines have not seen.
    gold (GoldSpans): of all texts.
    thresholds (dict of float): of now, for each label in the order of the head.
    words_key (str): the span group of the words.
    unreachable (int): gold spans that the head can never find; they count in F1 all the same.
    min_gold (int): labels with fewer gold spans keep their threshold.
    settings (FitSettings or None): of the networks; None for the defaults.
    RETURNS (Fitted): the calibrator.
    RAISES (ValueError): there are too few texts, or none of the gold is among the candidates.
    """
    if len(parts) < 2:
        raise ValueError("one text is too few: part of the texts must be left to score the fit on")
    kinds = all_kinds((doc for part in parts for doc in part.docs), words_key)
    # The weights are not used before they are fitted.
    reader = Calibrator(tuple(thresholds), words_key, kinds, None, None)  # type: ignore[arg-type]
    gathered = [_gather(reader, part, gold) for part in parts]

    def row(scored: Sequence[Sequence[Candidates]]) -> Row:
        order = np.argsort(np.concatenate([part.index for part in parts]))
        unordered = [of_text for of_part in scored for of_text in of_part]
        found = [unordered[i] for i in order]
        tuning = tune(found, gold, list(thresholds.values()), min_gold=min_gold, unreachable=unreachable)
        score = np.concatenate([np.zeros(0, dtype=np.float32), *(of_text.score for of_text in found)])
        of_scores = reliability(score, candidate_hits(found, gold), BINS, LOWEST_BINNED)
        return Row(tuning, of_scores, text_counts(found, gold, tuning.of_halves[::-1]))

    rows = {"head": row([part.found for part in parts])}
    has_evidence = bool(kinds) or any(part.training_texts and part.training_texts.strings for part in parts)
    for name in ("logit", "evidence") if has_evidence else ("logit",):
        scored = []
        for i, part in enumerate(parts):
            fitted = _fit(reader, [*gathered[:i], *gathered[i + 1 :]], settings, name == "evidence")
            scored.append(fitted(part.docs, part.found, part.training_texts))
        rows[name] = row(scored)
    chosen = max((name for name in rows if name != "head"), key=lambda name: rows[name].f1)
    return Fitted(_fit(reader, gathered, settings, chosen == "evidence"), rows, chosen)


def _gather(reader: Calibrator, part: HeldOut, gold: GoldSpans) -> _Gathered:
    """Texts in batches. Those without the span group have no words here."""
    result = _Gathered(part, [], [])
    for begin in range(0, len(part.docs), BATCH_TEXTS):
        of_batch = slice(begin, begin + BATCH_TEXTS)
        batch = read_batch(part.docs[of_batch], reader, part.training_texts)
        evidence = evidence_of(batch, part.found[of_batch], len(reader.labels))
        is_gold = np.zeros(evidence.spans.logits.shape, dtype=np.bool_)
        # Where each gold span of these texts would be; not all of them are among the spans.
        mine = np.isin(gold.doc, part.index[of_batch])
        offset = batch.offsets[np.searchsorted(part.index[of_batch], gold.doc[mine])]
        rows = {span: row for row, span in enumerate(zip(*(c.tolist() for c in evidence.spans[:2]), strict=True))}
        places = (gold.start[mine] + offset, gold.end[mine] + offset, gold.label[mine])
        for start, end, label in zip(*(column.tolist() for column in places), strict=True):
            if (start, end) in rows:
                is_gold[rows[start, end], label] = True
        result.evidence.append(evidence)
        result.gold.append(is_gold)
    return result


def _fit(reader: Calibrator, parts: Sequence[_Gathered], settings: FitSettings | None, evidence: bool) -> Calibrator:
    data = [batch for part in parts for batch in part.evidence], [batch for part in parts for batch in part.gold]
    with torch_threads(1):
        with_evidence = fit(*data, settings) if evidence else None
        alone = fit(*data, LOGIT_ALONE)
    return Calibrator(reader.labels, reader.words_key, reader.kinds, with_evidence, alone)
