"""All tag sequences, enumerated one by one, in float64."""

import itertools

import numpy as np
import torch


def sequences(n, tags):
    """All sequences of n tags of a group."""
    return list(itertools.product(tags, repeat=n))


def score(sequence, emissions, start, moves):
    total = start[sequence[0]] + emissions[0, sequence[0]]
    for t in range(1, len(sequence)):
        total = total + moves[sequence[t - 1], sequence[t]] + emissions[t, sequence[t]]
    return total


def distribution(emissions, start, moves, tags):
    """Each possible sequence of one text and group with its score, and the log of the sum."""
    scored = [(s, score(s, emissions, start, moves)) for s in sequences(len(emissions), tags)]
    scored = [(s, value) for s, value in scored if value > -torch.inf]
    return scored, torch.stack([value for _, value in scored]).logsumexp(0)


def spans_in(sequence, begin):
    """The spans of one label in a sequence: B, then I for as long as it lasts."""
    found = set()
    for start in np.flatnonzero(np.array(sequence) == begin).tolist():
        end = start + 1
        while end < len(sequence) and sequence[end] == begin + 1:
            end += 1
        found.add((start, end))
    return found
