"""FLAT as its formulas are written, one window at a time, every pair on its own. Slow, and meant to be."""

import torch
from torch.nn import functional as F

NAMES = ("hh", "ht", "th", "tt")


def sinusoid(distance, size):
    """P_d[2k] = sin(d / 10000^(2k/D)), P_d[2k+1] = cos(…), for a tensor of distances [...]: [..., size]."""
    k = torch.arange(0, size, 2, dtype=torch.float64)
    angle = distance[..., None].double() / 10000.0 ** (k / size)
    return torch.stack((angle.sin(), angle.cos()), dim=-1).flatten(-2)


def position(tables, name, distance):
    if not tables.learned:
        return sinusoid(distance, tables.size)
    table = tables.tables["all" if tables.shared else name]
    return table[distance.clamp(-tables.reach, tables.reach) + tables.reach]


def fuse(rows, fusion, heads, tails):
    """R_ij for all pairs: [N, N, width]."""
    h, t = heads[:, None], tails[:, None]
    distance = {"hh": h - heads, "ht": h - tails, "th": t - heads, "tt": t - tails}
    names = ("hh", "tt") if fusion == "ff_two" else NAMES
    p = {name: position(rows.tables, name, distance[name]).to(rows.project.weight.dtype) for name in names}
    if fusion in ("ff", "ff_two"):
        return F.relu(rows.fuse.split.linear(torch.cat([p[n] for n in names], dim=-1)))
    hidden = F.relu(rows.fuse.hidden.linear(torch.cat([p[n] for n in NAMES], dim=-1)))
    weights = rows.fuse.score(hidden).unflatten(-1, (4, -1)).softmax(dim=-2)
    values = torch.stack([rows.fuse.value(p[n]) for n in NAMES], dim=-2)
    return (weights * values).sum(dim=-2)


def attend(attention, x, heads, tails, fusion, keys_from):
    """All elements attend to all elements from `keys_from` on; with words only, also to nothing."""
    d = x.shape[1] // attention.n_heads
    r = attention.rows.project(fuse(attention.rows, fusion, heads, tails))
    q, k, v = attention.query(x), attention.key(x), attention.value(x)
    out = torch.zeros_like(x)
    for head in range(attention.n_heads):
        part = slice(head * d, (head + 1) * d)
        u_h, v_h = attention.u[head, 0, 0], attention.v[head, 0, 0]
        content = (q[:, part] + u_h) @ k[:, part].T
        relative = torch.einsum("id,ijd->ij", q[:, part] + v_h, r[:, :, part])
        scores = (content + relative) * attention.scale
        scores, values = scores[:, keys_from:], v[keys_from:, part]
        if keys_from:
            scores, values = F.pad(scores, (0, 1)), F.pad(values, (0, 0, 0, 1))
        out[:, part] = scores.softmax(dim=-1) @ values
    return attention.output(out)


def flat(encoder, chars, words, heads, tails):
    """One window. chars [n, n_in], words [m, n_word], heads and tails int64 [m] of the words. Dropout is ignored."""
    s = encoder.settings
    n = len(chars)
    x = encoder.char_input(chars)
    if len(words):
        x = torch.cat((x, encoder.word_input(words)))
    at = torch.arange(n)
    heads, tails = torch.cat((at, heads)), torch.cat((at, tails))
    for layer in encoder.layers:
        attended = attend(layer.attention, x, heads, tails, s.fusion, n if s.attend == "words" else 0)
        x = layer.attention_norm(x + attended)
        if s.feed_forward:
            x = layer.feed_forward_norm(x + layer.outer(F.relu(layer.inner(x))))
    return chars + encoder.gate * encoder.output(x[:n]) if s.gated else x[:n]
