"""Multi-label cross-entropy over the spans of a band (Su et al., "ZLPR", arXiv:2208.02955, eq. 5).

For a text and a label: log(1 + Σ exp(s) over spans that are not gold) + log(1 + Σ exp(-s) over gold spans). It draws
gold spans above 0 and all others below, however rare gold is. Spans that may be gold or not are in neither sum. The
loss of a batch is the sum over texts and labels, each text multiplied by its weight.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from ..runtime import to_device
from .band import Chunk, iter_chunks, locate, make_band
from .pointer import PointerFeatures
from .spans import SPANS_PER_START, Candidates, GoldSpans, best_of_each_start, split_by_text, warn_of_dropped

# exp(MASKED) is 0 in every float type, and a finite value keeps gradients finite where all spans are masked.
MASKED = -1e4

# Spans of a band: block, label, start and last token within the block (int64 [spans] each).
Cells = tuple[NDArray[np.int64], ...]


@dataclass(frozen=True)
class PointerHead:
    """Scores every span of at most `max_width` tokens in one step, so nesting costs nothing.

    Memory is that of one chunk of the band. What the loss needs of several chunks is computed again in its backward
    pass. For the bound on candidates see `SPANS_PER_START`.
    """

    max_width: int

    def sizes(self, labels: Sequence[str]) -> dict[str, int]:
        return {"n_labels": len(labels)}

    def out_of_reach(self, gold: GoldSpans, labels: Sequence[str]) -> dict[str, NDArray[np.bool_]]:
        return {f"too wide for max_width {self.max_width}": gold.end - gold.start > self.max_width}

    def loss(
        self, features: Any, lengths: NDArray[np.int64], gold: GoldSpans, labels: Sequence[str]
    ) -> tuple[float, Any]:
        leaves = type(features)(*(tensor.detach().requires_grad_() for tensor in features))
        device, n_labels, n_cells = leaves[0].device, len(labels), len(lengths) * len(labels)
        band = make_band(lengths, self.max_width)
        chunks = list(iter_chunks(band, n_labels))
        block, i, j = locate(band, gold.doc, gold.start, gold.end)
        # A term is -s of a gold span, or log Σ exp(s) of a block and a label. The terms of a text, a label and a kind
        # are one cell.
        terms = [-leaves.logits_at(*_tensors(device, band.row[block] + i, band.row[block] + j, gold.label))]
        cells = [gold.doc * n_labels + gold.label]
        # What is no negative: gold, and what may be gold.
        cut: Cells = (block, gold.label, i, j)
        if gold.unknown is not None:
            unknown = gold.unknown.take(gold.unknown.end - gold.unknown.start <= self.max_width)
            at, first, last = locate(band, unknown.doc, unknown.start, unknown.end)
            cut = _joined(cut, (at, unknown.label, first, last))
        sums = _log_sum_exp if len(chunks) == 1 else partial(checkpoint, _log_sum_exp, use_reentrant=False)
        for chunk in chunks:
            place = np.full(len(band.doc), -1)
            place[chunk.blocks] = np.arange(len(chunk.blocks))
            mine = np.flatnonzero(place[cut[0]] >= 0)
            in_blocks, *others = (column[mine] for column in cut)
            terms.append(sums(leaves, chunk, (place[in_blocks], *others)).flatten())
            cells.append((n_cells + band.doc[chunk.blocks, None] * n_labels + np.arange(n_labels)).ravel())
        losses = _log1p_sum_exp(torch.cat(terms), np.concatenate(cells), 2 * n_cells).view(2, -1, n_labels)
        if gold.weight is not None:
            losses = losses * to_device(gold.weight, device).to(losses.dtype)[:, None]
        loss = losses[:, to_device(np.flatnonzero(gold.annotated), device)].sum()
        return float(loss.detach()), type(features)(*torch.autograd.grad(loss, list(leaves)))

    @torch.no_grad()
    def candidates(
        self,
        features: PointerFeatures,
        lengths: NDArray[np.int64],
        lowest: NDArray[np.floating],
        labels: Sequence[str],
    ) -> list[Candidates]:
        device = next(iter(features)).device
        limits = to_device(np.asarray(lowest, dtype=np.float32), device)[:, None, None]
        band = make_band(lengths, self.max_width)
        chunks = iter_chunks(band, len(labels))
        if device.type == "cpu":
            places, values, dropped = _above(features, chunks, limits)
        else:
            places, values, dropped = _best(features, chunks, limits)
        warn_of_dropped(dropped, lowest)
        block, label, i, j = places
        start, end = band.first[block] + i, band.first[block] + j + 1
        return split_by_text(band.doc[block], Candidates(start, end, label, values.astype(np.float64)), len(lengths))


def _above(
    features: PointerFeatures, chunks: Iterable[Chunk], limits: Tensor
) -> tuple[Cells, NDArray[np.float32], int]:
    """The spans above the limits of their labels, for a CPU: what is not above them is not looked at again.

    limits (float [labels, 1, 1]): logits.
    RETURNS (int64 [spans] of block of the band, label, start and last token within the block; float32 [spans]; int):
        places and logits, at most `SPANS_PER_START` of each start, and how many more there were.
    """
    places, values, dropped = [], [], 0
    for chunk in chunks:
        starts, ends, valid = _tensors(limits.device, chunk.start_rows, chunk.end_rows, chunk.valid)
        scores = features.logits(starts, ends).float()
        found = ((scores > limits) & valid[:, None]).nonzero()
        logits, at = scores[found.unbind(1)].numpy(), found.numpy()
        # Here, and not for all chunks together: a threshold near 0 lets the whole band pass.
        if len(at) > SPANS_PER_START:
            best = best_of_each_start(at[:, 0] * scores.shape[2] + at[:, 2], logits)
            dropped += len(at) - len(best)
            at, logits = at[best], logits[best]
        places.append(np.stack([chunk.blocks[at[:, 0]], *at[:, 1:].T]))
        values.append(logits)
    return tuple(np.concatenate(places, axis=1)), np.concatenate(values), dropped


def _best(features: PointerFeatures, chunks: Iterable[Chunk], limits: Tensor) -> tuple[Cells, NDArray[np.float32], int]:
    """What `_above` gives, for a GPU: so many spans of each start that no size depends on what is found.

    Nothing is asked of the GPU before all chunks are on their way.
    """
    best, index, more, blocks, shapes = [], [], [], [], []
    for chunk in chunks:
        starts, ends, valid = _tensors(limits.device, chunk.start_rows, chunk.end_rows, chunk.valid)
        scores = features.logits(starts, ends).float()
        above = (scores > limits) & valid[:, None]
        more.append((above.sum((1, 3)) - SPANS_PER_START).clamp_(min=0).sum())
        of_start = scores.masked_fill_(~above, -torch.inf).transpose(1, 2).flatten(2)
        top = of_start.topk(min(SPANS_PER_START, of_start.shape[2]))
        blocks.append(chunk.blocks)
        shapes.append((*top.indices.shape, scores.shape[3]))
        best.append(top.values.flatten())
        index.append(top.indices.flatten())
    values, at, dropped = torch.cat(best).cpu().numpy(), torch.cat(index).cpu().numpy(), int(torch.stack(more).sum())
    block = np.concatenate([np.repeat(each, s * k) for each, (_, s, k, _) in zip(blocks, shapes, strict=True)])
    first = np.concatenate([np.tile(np.repeat(np.arange(s), k), b) for b, s, k, _ in shapes])
    n_ends = np.concatenate([np.full(b * s * k, e) for b, s, k, e in shapes])
    kept = values > -np.inf
    label, last = np.divmod(at[kept], n_ends[kept])
    return (block[kept], label, first[kept], last), values[kept], dropped


def _log_sum_exp(features: PointerFeatures, chunk: Chunk, cut: Cells) -> Tensor:
    """log Σ exp(s) over the spans of each block and label but those that are cut out (float [b, labels]).

    cut (int64 [cut spans of the chunk] each): block of the chunk, label, start and last token within the block.
    """
    device = next(iter(features)).device
    starts, ends, valid, *cut_cells = _tensors(device, chunk.start_rows, chunk.end_rows, chunk.valid, *cut)
    # In place, and with one exp where the backward pass of logsumexp would compute it again.
    logits = features.logits(starts, ends).masked_fill_(~valid[:, None], MASKED)
    logits[tuple(cut_cells)] = MASKED
    peak = logits.detach().amax((-2, -1), keepdim=True)
    return logits.sub_(peak).exp_().sum((-2, -1)).log() + peak[..., 0, 0]


def _log1p_sum_exp(values: Tensor, cell: NDArray[np.int64], n_cells: int) -> Tensor:
    """log(1 + Σ exp(values)) of each cell, without overflow (float [n_cells])."""
    (index,) = _tensors(values.device, cell)
    peak = values.new_zeros(n_cells).scatter_reduce(0, index, values.detach(), "amax", include_self=True)
    total = torch.exp(-peak).index_add(0, index, torch.exp(values - peak[index]))
    return peak + total.log()


def _joined(one: Cells, other: Cells) -> Cells:
    return tuple(np.concatenate(columns) for columns in zip(one, other, strict=True))


def _tensors(device: torch.device, *arrays: NDArray) -> list[Tensor]:
    return [to_device(array, device) for array in arrays]
