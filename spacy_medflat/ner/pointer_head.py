"""Multi-label cross-entropy over the spans of a band (Su et al., "ZLPR", arXiv:2208.02955, eq. 5).

For a text and a label: log(1 + Σ exp(s) over spans that are not gold) + log(1 + Σ exp(-s) over gold spans). It draws
gold spans above 0 and all others below, however rare gold is. The loss of a batch is the sum over texts and labels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from thinc.api import torch2xp, xp2torch
from thinc.types import Ragged
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from .band import Band, Chunk, iter_chunks, locate, make_band
from .head import lengths_of
from .pointer import SpanScores
from .spans import Candidates, GoldSpans, split_by_text

# exp(MASKED) is 0 in every float type, and a finite value keeps gradients finite where all spans are masked.
MASKED = -1e4


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


@dataclass(frozen=True)
class PointerHead:
    """Scores every span of at most `max_width` tokens in one step, so nesting costs nothing."""

    scores: SpanScores
    max_width: int

    def sizes(self, labels: Sequence[str]) -> dict[str, int]:
        return {"n_labels": len(labels)}

    def out_of_reach(self, gold: GoldSpans, labels: Sequence[str]) -> dict[str, NDArray[np.bool_]]:
        return {f"too wide for max_width {self.max_width}": gold.end - gold.start > self.max_width}

    def loss(self, features: Ragged, gold: GoldSpans, labels: Sequence[str]) -> tuple[float, Ragged]:
        x = xp2torch(features.dataXd).detach().requires_grad_(True)
        loss = span_loss(x, make_band(lengths_of(features), self.max_width), self.scores, gold)
        loss.backward()
        return float(loss.detach()), Ragged(torch2xp(cast(Tensor, x.grad)), features.lengths)

    def candidates(self, features: Ragged, floors: NDArray[np.floating], labels: Sequence[str]) -> list[Candidates]:
        x = xp2torch(features.dataXd)
        return find_candidates(x, make_band(lengths_of(features), self.max_width), self.scores, floors)
