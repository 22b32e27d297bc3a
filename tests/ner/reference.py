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


def efficient_logit(module, x, i, j, label):
    """x: the vectors of the tokens of one text."""
    first, last = module.pair(x[i]), module.pair(x[j])
    d = len(first) // 2
    start_bias, end_bias = module.bias(first), module.bias(last)
    pair = rotate_at(first[:d], i) @ rotate_at(last[d:], j) / math.sqrt(d)
    return pair + start_bias[label] + end_bias[len(end_bias) // 2 + label]


def pointer_logit(module, x, i, j, label):
    """x: the vectors of the tokens of one text."""
    d = module.pair.out_features // (2 * len(module.bias))
    query, key = module.pair(x[i])[2 * d * label :][:d], module.pair(x[j])[2 * d * label + d :][:d]
    return rotate_at(query, i) @ rotate_at(key, j) / math.sqrt(d) + module.bias[label]


def loss(texts, logit, gold, max_width, n_labels, unknown=(), weights=None):
    """logit: a function of a text, start, last token and label. gold, unknown: (text, start, end, label)."""
    total = torch.zeros((), dtype=torch.float64)
    for doc, text in enumerate(texts):
        for label in range(n_labels):
            negative = positive = torch.ones((), dtype=torch.float64)
            for i in range(len(text)):
                for j in range(i, min(len(text), i + max_width)):
                    s = logit(text, i, j, label)
                    if (doc, i, j + 1, label) in gold:
                        positive = positive + torch.exp(-s)
                    elif (doc, i, j + 1, label) not in unknown:
                        negative = negative + torch.exp(s)
            of_text = torch.log(negative) + torch.log(positive)
            total = total + (of_text if weights is None else weights[doc] * of_text)
    return total
