"""Multi-label cross-entropy over the spans of a band (Su et al., "ZLPR", arXiv:2208.02955, eq. 5).

For a text and a label: log(1 + Σ exp(s) over spans that are not gold) + log(1 + Σ exp(-s) over gold spans). It draws
gold spans above 0 and all others below, however rare gold is. The loss of a batch is the sum over texts and labels.
"""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from .band import Band, Chunk, iter_chunks, locate
from .pointer import SpanScores

# exp(MASKED) is 0 in every float type, and a finite value keeps gradients finite where all spans are masked.
MASKED = -1e4


class GoldSpans(NamedTuple):
    """Gold spans of a batch, each inside its text.

    doc, start, end, label (int64 [spans]): the text, its tokens `start:end` (end exclusive), the label's index.
    annotated (bool [texts]): texts whose gold is known; the others add nothing to the loss.
    """

    doc: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    label: NDArray[np.int64]
    annotated: NDArray[np.bool_]

    def take(self, keep: NDArray) -> "GoldSpans":
        """The spans that an index or a mask picks; the texts stay."""
        return GoldSpans(self.doc[keep], self.start[keep], self.end[keep], self.label[keep], self.annotated)


def span_loss(features: Tensor, band: Band, scores: SpanScores, gold: GoldSpans) -> Tensor:
    """The loss of a batch, differentiable in the features.

    features (float [tokens, n]): of all texts, behind each other.
    gold (GoldSpans): none of them wider than the band.
    RETURNS (float scalar). Memory is that of one chunk of the band: what several chunks need is computed again in the
        backward pass.
    """
    n_docs, n_labels = len(band.first_block), scores.n_labels(features.shape[-1])
    block, i, j = locate(band, gold.doc, gold.start, gold.end)
    chunks = list(iter_chunks(band, n_labels))
    if not chunks:
        return features.sum() * 0.0
    negatives, positives, negative_cells, positive_cells = [], [], [], []
    for chunk in chunks:
        mine, where = _members(chunk, block)
        cells = tuple(torch.from_numpy(a).to(features.device) for a in (where, gold.label[mine], i[mine], j[mine]))
        arguments = (features, chunk, scores, cells)
        negative, positive = (
            _chunk_terms(*arguments) if len(chunks) == 1 else checkpoint(_chunk_terms, *arguments, use_reentrant=False)
        )
        negatives.append(negative.flatten())
        positives.append(positive)
        negative_cells.append((band.doc[chunk.blocks, None] * n_labels + np.arange(n_labels)).ravel())
        positive_cells.append(gold.doc[mine] * n_labels + gold.label[mine])
    n_cells = n_docs * n_labels
    cells_loss = _log1p_sum_exp(torch.cat(negatives), np.concatenate(negative_cells), n_cells)
    cells_loss = cells_loss + _log1p_sum_exp(torch.cat(positives), np.concatenate(positive_cells), n_cells)
    annotated = torch.from_numpy(np.repeat(gold.annotated, n_labels)).to(features.device)
    return cells_loss[annotated].sum()


def _members(chunk: Chunk, block: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which gold spans lie in the chunk (indices), and in which of its blocks."""
    order = np.argsort(chunk.blocks)
    place = np.searchsorted(chunk.blocks, block, sorter=order)
    place = order[np.minimum(place, len(order) - 1)]
    mine = np.flatnonzero(chunk.blocks[place] == block)
    return mine, place[mine]


def _chunk_terms(features: Tensor, chunk: Chunk, scores: SpanScores, gold: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
    """log Σ exp(s) over what is not gold (float [b, labels]), and -s of what is (float [gold])."""
    device = features.device
    logits = scores(
        features[torch.from_numpy(chunk.start_rows).to(device)], features[torch.from_numpy(chunk.end_rows).to(device)]
    )
    masked = ~torch.from_numpy(chunk.valid).to(device)[:, None].expand_as(logits)
    masked[gold] = True
    return logits.masked_fill(masked, MASKED).flatten(2).logsumexp(-1), -logits[gold]


def _log1p_sum_exp(values: Tensor, cell: NDArray[np.int64], n_cells: int) -> Tensor:
    """log(1 + Σ exp(values)) of each cell, without overflow (float [n_cells])."""
    index = torch.from_numpy(cell).to(values.device)
    peak = values.new_zeros(n_cells).scatter_reduce(0, index, values.detach(), "amax", include_self=True)
    total = torch.exp(-peak).index_add(0, index, torch.exp(values - peak[index]))
    return peak + total.log()
