"""Exact probabilities of the spans that tag sequences stand for, and the spans that are likely enough.

A span of tokens s to e is in a sequence if its tags are B, I, …, I and the next one is not I:
P = P(y_s = B, y_{s+1} = I, …, y_e = I) · (1 - P(y_{e+1} = I | y_e)), the product by the Markov property. Each new I can
only lower the first factor. So every span is followed from its B only as long as that factor exceeds the floor: the
result is that of going through all spans, whatever their width.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from .candidates import Candidates, split_by_text
from .crf import Chains
from .tag_groups import TagGroups

Floats2d = NDArray[np.float64]


@torch.no_grad()
def find_tagged_spans(
    chains: Chains, tags: TagGroups, lengths: NDArray[np.int64], floors: NDArray[np.floating]
) -> list[Candidates]:
    """All spans of a batch whose probability is above the floor of their label.

    lengths (int64 [texts]): tokens of each text.
    floors (float [labels]): logits of probabilities; a span needs more than this.
    """
    floor = -np.logaddexp(0.0, -np.asarray(floors, dtype=np.float64))
    begin = torch.from_numpy(tags.begin).to(chains.forward.device)
    starts = chains.log_marginals()[:, begin].cpu().numpy()
    first, others = (_going_on(chains, begin + tag, begin + 1) for tag in (0, 1))
    start, label = (starts > floor).nonzero()
    chain = starts[start, label]
    end, on = start, first
    found = [(start[:0], end[:0], label[:0], chain[:0])]
    while len(start):
        next_inside = on[end, label]
        score = np.minimum(chain + _log_1_minus_exp(next_inside), 0.0)
        hits = score > floor[label]
        found.append((start[hits], end[hits] + 1, label[hits], np.exp(score[hits])))
        chain = chain + next_inside
        alive = chain > floor[label]
        start, label, chain = start[alive], label[alive], chain[alive]
        end, on = end[alive] + 1, others
    start, end, label, score = (np.concatenate(column) for column in zip(*found, strict=True))
    doc = np.repeat(np.arange(len(lengths)), lengths)[start]
    offset = (np.cumsum(lengths) - lengths)[doc]
    spans = Candidates(start - offset, end - offset, label, score.astype(np.float32))
    return split_by_text(doc, spans, len(lengths))


def _going_on(chains: Chains, here: torch.Tensor, inside: torch.Tensor) -> Floats2d:
    """log P(y_{t+1} = inside | y_t = here), for tags of each label (float64 [tokens, labels])."""
    on = chains.log_going_on()[:, inside] + chains.moves[here, inside] - chains.backward[:, here]
    return on.cpu().numpy()


def _log_1_minus_exp(x: Floats2d) -> Floats2d:
    """log(1 - exp(x)), finite for every x; rounding may make a log probability larger than 0."""
    return np.log(-np.expm1(np.minimum(x, -np.finfo(np.float64).tiny)))
