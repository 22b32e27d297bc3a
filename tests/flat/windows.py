"""Random windows for the tests of FLAT."""

import random

import torch

from spacy_medflat.flat.batch import Layout


def random_words(rng, n_chars, n_words, longest=4):
    """Words as (first, last), crossing, nested and repeated in place as chance has it, each only once."""
    found = set()
    for _ in range(4 * n_words):
        length = rng.randint(2, longest)
        if length <= n_chars and len(found) < n_words:
            head = rng.randint(0, n_chars - length)
            found.add((head, head + length - 1))
    words = sorted(found)
    rng.shuffle(words)
    return words


def lay_out(windows):
    """windows: (number of characters, words) of each."""
    n_chars = max(n for n, _ in windows)
    n_words = max(len(words) for _, words in windows)
    shape = (len(windows), n_words)
    heads, lengths = torch.zeros(shape, dtype=torch.long), torch.ones(shape, dtype=torch.long)
    word_mask = torch.zeros(shape, dtype=torch.bool)
    char_mask = torch.zeros((len(windows), n_chars), dtype=torch.bool)
    for b, (n, words) in enumerate(windows):
        char_mask[b, :n] = True
        for w, (head, tail) in enumerate(words):
            heads[b, w], lengths[b, w], word_mask[b, w] = head, tail - head + 1, True
    found = [{tail - head + 1 for head, tail in words} for _, words in windows]
    return Layout(char_mask, heads, lengths, word_mask, found)


def batch(seed, sizes, n_in, n_word, dtype=torch.float64):
    """Windows of (characters, words) with random vectors: chars, words, layout, and the words of each window."""
    rng = random.Random(seed)
    generator = torch.Generator().manual_seed(seed)
    windows = [(n, random_words(rng, n, m)) for n, m in sizes]
    layout = lay_out(windows)
    chars = torch.randn((*layout.char_mask.shape, n_in), generator=generator, dtype=dtype)
    words = torch.randn((*layout.word_mask.shape, n_word), generator=generator, dtype=dtype)
    return chars, words, layout, windows
