"""The formulas of the pointer heads, written out one span at a time in float64."""

import math

import torch


def rotate_at(x, position, base=10000.0):
    out = []
    for pair in range(len(x) // 2):
        angle = position * base ** (-2 * pair / len(x))
        even, odd = x[2 * pair], x[2 * pair + 1]
        out += [even * math.cos(angle) - odd * math.sin(angle), odd * math.cos(angle) + even * math.sin(angle)]
    return torch.stack(out)


def efficient_logit(features, i, j, label, head_size, n_labels):
    d = head_size
    q, k = rotate_at(features[i, :d], i), rotate_at(features[j, d : 2 * d], j)
    return q @ k / math.sqrt(d) + features[i, 2 * d + label] + features[j, 2 * d + n_labels + label]


def pointer_logit(features, i, j, label, head_size, n_labels):
    d = head_size
    first = label * 2 * d
    q, k = rotate_at(features[i, first : first + d], i), rotate_at(features[j, first + d : first + 2 * d], j)
    return q @ k / math.sqrt(d) + features[i, n_labels * 2 * d + label]


def loss(texts, logit, gold, max_width, head_size, n_labels):
    """texts: features of each text; gold: (text, start, end, label)."""
    total = torch.zeros((), dtype=torch.float64)
    for doc, features in enumerate(texts):
        for label in range(n_labels):
            negative = positive = torch.ones((), dtype=torch.float64)
            for i in range(len(features)):
                for j in range(i, min(len(features), i + max_width)):
                    s = logit(features, i, j, label, head_size, n_labels)
                    if (doc, i, j + 1, label) in gold:
                        positive = positive + torch.exp(-s)
                    else:
                        negative = negative + torch.exp(s)
            total = total + torch.log(negative) + torch.log(positive)
    return total
