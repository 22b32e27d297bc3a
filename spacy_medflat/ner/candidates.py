"""Finding the spans that score above a floor."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .band import Band, iter_chunks
from .pointer import SpanScores


class Candidates(NamedTuple):
    """Scored spans of one text, by start, then longer before shorter, then by label.

    start, end (int64 [n]): tokens `start:end`, end exclusive.
    label (int64 [n]): index of the label.
    score (float32 [n]): probability, 0 to 1.
    """

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    label: NDArray[np.int64]
    score: NDArray[np.float32]

    @classmethod
    def empty(cls) -> "Candidates":
        """No spans."""
        none = np.zeros(0, dtype=np.int64)
        return cls(none, none, none, np.zeros(0, dtype=np.float32))

    def take(self, keep: NDArray) -> "Candidates":
        """The candidates that an index or a mask picks."""
        return Candidates(*(column[keep] for column in self))


@torch.no_grad()
def find_candidates(features: Tensor, band: Band, scores: SpanScores, floors: NDArray[np.floating]) -> list[Candidates]:
    """All spans of a batch whose logit is above the floor of their label.

    features (float [tokens, n]): of all texts, behind each other.
    floors (float [labels]): logits; a span needs more than this.
    RETURNS: one for each text. Memory is that of one chunk of the band.
    """
    floor = torch.as_tensor(np.asarray(floors, dtype=np.float32), device=features.device)[None, :, None, None]
    found = [np.zeros((0, 4), dtype=np.int64)]
    logits_found = [np.zeros(0, dtype=np.float32)]
    for chunk in iter_chunks(band, len(floors)):
        rows = (torch.from_numpy(rows).to(features.device) for rows in (chunk.start_rows, chunk.end_rows))
        logits = scores(*(features[index] for index in rows)).float()
        hits = (logits > floor) & torch.from_numpy(chunk.valid).to(features.device)[:, None]
        block, label, i, j = hits.nonzero().cpu().numpy().T
        block = chunk.blocks[block]
        first = band.first[block]
        found.append(np.stack([band.doc[block], first + i, first + j + 1, label], axis=1))
        logits_found.append(logits[hits].cpu().numpy())
    doc, start, end, label = np.concatenate(found).T
    score = (1.0 / (1.0 + np.exp(-np.concatenate(logits_found).astype(np.float64)))).astype(np.float32)
    return split_by_text(doc, Candidates(start, end, label, score), len(band.first_block))


def split_by_text(doc: NDArray[np.int64], spans: Candidates, n_docs: int) -> list[Candidates]:
    """The spans of each text, in their order; those of a batch may come in any.

    doc (int64 [n]): the text of each span.
    """
    order = np.lexsort((spans.label, -spans.end, spans.start, doc))
    ordered = spans.take(order)
    edges = np.searchsorted(doc[order], np.arange(n_docs + 1))
    return [ordered.take(np.arange(a, b)) for a, b in pairwise(edges.tolist())]
