"""FLAT as its paper writes it: a vector for every pair of elements. For comparison only."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from spacy_medflat.flat.batch import Layout
from spacy_medflat.flat.model import FlatEncoder
from spacy_medflat.flat.positions import sinusoids


def naive_flat(encoder: FlatEncoder, chars: Tensor, words: Tensor, layout: Layout) -> Tensor:
    """The result of an encoder with one layer and the fusion `ff`, by way of [batch, N, N, 4 * width].

    chars (float [batch, chars, width]), words (float [batch, words, n_word])
    RETURNS (float [batch, chars, width])
    """
    assert encoder.word_input is not None
    layer: Any = encoder.layers[0]
    n = chars.shape[1]
    attention = layer.attention
    x = torch.cat((encoder.char_input(chars), encoder.word_input(words)), dim=1)
    char_heads = torch.arange(layout.reach, device=layout.char_mask.device).expand(layout.char_mask.shape)
    heads = torch.cat((char_heads, layout.word_heads), dim=1)
    tails = torch.cat((char_heads, layout.word_heads + layout.word_lengths - 1), dim=1)
    mask = torch.cat((layout.char_mask, layout.word_mask), dim=1)
    table = sinusoids(-n, n, x.shape[2], x)
    pairs = [(heads, heads), (heads, tails), (tails, heads), (tails, tails)]
    distances = [table[a[:, :, None] - b[:, None, :] + n] for a, b in pairs]
    fused = F.relu(attention.rows.fuse.split.linear(torch.cat(distances, dim=-1)))
    r = attention.rows.project(fused).unflatten(-1, (attention.n_heads, -1))
    q, k, v = (m(x).unflatten(-1, (attention.n_heads, -1)) for m in (attention.query, attention.key, attention.value))
    u_bias, v_bias = attention.u[:, 0, 0], attention.v[:, 0, 0]
    scores = torch.einsum("bihd,bjhd->bhij", q + u_bias, k) + torch.einsum("bihd,bijhd->bhij", q + v_bias, r)
    scores = (scores * attention.scale).masked_fill(~mask[:, None, None], -torch.inf)
    found = torch.einsum("bhij,bjhd->bihd", scores.softmax(dim=-1), v).flatten(2)
    x = layer.attention_norm(x + attention.output(found))
    x = layer.feed_forward_norm(x + layer.outer(F.relu(layer.inner(x))))
    return chars + encoder.gate * encoder.output(x[:, :n])
