"""Texts longer than a window, from words to vectors, against the naive formula on every window."""

import random

import numpy as np
import torch

from spacy_medflat.encoder.windows import split_windows
from spacy_medflat.flat.architecture import make_flat
from spacy_medflat.flat.windows import cut_windows, pack_parts
from spacy_medflat.flat.words import DocWords

from . import naive
from .windows import random_words


def test_windows_of_long_texts_equal_naive():
    torch.manual_seed(0)
    lengths, window, overlap = [45, 0, 7, 16], 16, 6
    rng = random.Random(0)
    flat = make_flat(12, 5, None, 8, n_heads=3, reach=window - 1).double().eval()
    with torch.no_grad():
        flat.flat.gate.add_(1.0)
    places = [random_words(rng, n, n // 2) if n else [] for n in lengths]
    words, first = [], 0
    for found in places:
        heads, tails = np.array(sorted(found), dtype=np.int64).reshape(-1, 2).T
        words.append(DocWords(heads, tails, np.arange(first, first + len(heads))))
        first += len(heads)
    chars = torch.randn(sum(lengths), 12, dtype=torch.float64)
    features = torch.randn(first, 5, dtype=torch.float64)
    windows, counts = cut_windows(lengths, words, window, overlap, 99)
    assert not counts["across windows"]
    with torch.no_grad():
        got = flat(chars, features, pack_parts(windows, 40, torch.device("cpu")))
        expected, start = [], 0
        for length, found in zip(lengths, words, strict=True):
            cut = split_windows(length, window, overlap)
            for i, (a, b) in enumerate(zip(cut.starts, cut.ends, strict=True)):
                inside = (found.heads >= a) & (found.tails < b)
                heads, tails = (torch.from_numpy(x[inside] - a) for x in (found.heads, found.tails))
                rows = torch.from_numpy(found.features[inside])
                result = naive.flat(flat.flat, chars[start + a : start + b], features[rows], heads, tails)
                end = cut.owner_starts[i + 1] if i + 1 < len(cut.starts) else length
                expected.append(result[cut.owner_starts[i] - a : end - a])
            start += length
    torch.testing.assert_close(got, torch.cat(expected), rtol=0, atol=1e-12)
