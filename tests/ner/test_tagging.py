import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_medflat.ner.spans import SPANS_PER_START
from spacy_medflat.ner.tag_groups import make_tag_groups
from spacy_medflat.ner.tagging import LinearNestedHead, TagFeatures, TagScores

from .chains import distribution, spans_in
from .test_pointer_head import gold_spans, with_unknown

LABELS = ("bod", "sym", "dis")
TAGS = make_tag_groups([["sym"]], LABELS)
HEADS = [LinearNestedHead((("sym",),), crf) for crf in (True, False)]


def features_of(head, lengths, seed=0, scale=1.0):
    torch.manual_seed(seed)
    sizes = head.sizes(LABELS)
    emissions = torch.randn(sum(lengths), sizes["n_tags"], dtype=torch.float64)
    return TagFeatures(emissions * scale, torch.randn(sizes["n_moves"], dtype=torch.float64) * scale)


def texts_of(features, lengths):
    return [TagFeatures(emissions, features.transitions) for emissions in features.emissions.split(lengths)]


def weights_of(head, transitions):
    """Scores of starts and moves, written out."""
    n = TAGS.n_tags
    start, moves = (torch.full(size, -torch.inf, dtype=torch.float64) for size in ((n,), (n, n)))
    values = iter(transitions)
    for tag in range(n):
        if not head.crf:
            start[tag] = 0.0
        elif TAGS.starts[tag]:
            start[tag] = next(values)
    for i, j in itertools.product(range(n), repeat=2):
        if head.crf and TAGS.moves[i, j]:
            moves[i, j] = next(values)
        elif not head.crf and TAGS.same_group[i, j]:
            moves[i, j] = 0.0
    return start, moves


def naive_loss(head, features, lengths, rows, texts):
    start, moves = weights_of(head, features.transitions)
    total = torch.zeros((), dtype=torch.float64)
    for doc, text in enumerate(features.emissions.split(lengths)):
        if doc not in texts or not len(text):
            continue
        for group in range(TAGS.n_groups):
            gold = [int(TAGS.outside[group])] * len(text)
            for _, s, e, label in (row for row in rows if row[0] == doc and TAGS.group[row[3]] == group):
                gold[s:e] = [int(TAGS.begin[label])] + [int(TAGS.begin[label]) + 1] * (e - s - 1)
            scored, partition = distribution(text, start, moves, np.flatnonzero(TAGS.group_of_tag == group).tolist())
            total = total + partition - dict(scored)[tuple(gold)]
    return total


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("annotated", [[True] * 4, [True, True, False, False], [False] * 4])
def test_loss_and_gradient_equal_the_sum_over_all_sequences(head, annotated):
    lengths = [4, 0, 1, 3]
    rows = [(0, 0, 2, 0), (0, 2, 3, 0), (0, 0, 4, 1), (2, 0, 1, 2), (3, 1, 3, 2)]
    features = TagFeatures(*(tensor.requires_grad_() for tensor in features_of(head, lengths)))
    naive = naive_loss(head, features, lengths, rows, np.flatnonzero(annotated))
    expected = [None, None]
    if any(annotated):
        expected = torch.autograd.grad(naive, features, allow_unused=True)
    loss, gradient = head.loss(features, np.array(lengths), gold_spans(rows, 4, annotated), LABELS)
    assert loss == pytest.approx(naive.item(), rel=1e-12)
    for ours, theirs, feature in zip(gradient, expected, features, strict=True):
        theirs = torch.zeros_like(feature) if theirs is None else theirs
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-12)


def naive_spans(head, features):
    """The probability of every span of one text, as the share of the sequences that have it."""
    tags, (start, moves) = features.emissions, weights_of(head, features.transitions)
    shares = {}
    for label in range(len(LABELS)):
        group = np.flatnonzero(TAGS.group_of_tag == TAGS.group[label]).tolist()
        scored, partition = distribution(tags, start, moves, group)
        for i in range(len(tags)):
            for j in range(i + 1, len(tags) + 1):
                shares[i, j, label] = 0.0
        for sequence, score in scored:
            for first, last in spans_in(sequence, TAGS.begin[label]):
                shares[first, last, label] += (score - partition).exp().item()
    return shares


@pytest.mark.parametrize("head", HEADS)
@settings(max_examples=8)
@given(
    lengths=st.lists(st.integers(0, 4), min_size=1, max_size=3).filter(sum),
    seed=st.integers(0, 1000),
    lowest=st.lists(st.sampled_from([-np.inf, -3.0, -0.5, 0.0, np.inf]), min_size=3, max_size=3),
    scale=st.sampled_from([1.0, 4.0]),
)
def test_candidates_are_the_spans_above_the_lowest_logit_of_their_label(head, lengths, seed, lowest, scale):
    features = features_of(head, lengths, seed, scale)
    found = head.candidates(features, np.array(lengths), np.array(lowest), LABELS)
    assert len(found) == len(lengths)
    for text, candidates in zip(texts_of(features, lengths), found, strict=True):
        shares = naive_spans(head, text) if len(text.emissions) else {}
        limits = np.maximum(1 / (1 + np.exp(-np.array(lowest))), 1e-4)
        expected = {span: share for span, share in shares.items() if share > limits[span[2]]}
        spans = list(zip(*(column.tolist() for column in candidates[:3]), strict=True))
        assert spans == sorted(expected, key=lambda s: (s[0], -s[1], s[2]))
        assert candidates.score.dtype == np.float32
        np.testing.assert_allclose(candidates.score, [expected[span] for span in spans], rtol=1e-5)


@pytest.mark.parametrize("head", HEADS)
def test_batches_do_not_matter(head):
    lengths = [3, 9, 0, 30, 1]
    features = features_of(head, lengths)
    lowest = np.full(3, -4.0)
    together = head.candidates(features, np.array(lengths), lowest, LABELS)
    for text, n, found in zip(texts_of(features, lengths), lengths, together, strict=True):
        if not n:
            assert not len(found.start)
            continue
        (alone,) = head.candidates(text, np.array([n]), lowest, LABELS)
        for ours, theirs in zip(found, alone, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-6)


@pytest.mark.parametrize("head", HEADS)
def test_large_scores_give_finite_gradients(head):
    features = TagFeatures(*(tensor.float() for tensor in features_of(head, [12, 5], scale=100.0)))
    loss, gradient = head.loss(features, np.array([12, 5]), gold_spans([(0, 3, 5, 1)], 2), LABELS)
    assert np.isfinite(loss) and all(torch.isfinite(d).all() and d.dtype == torch.float32 for d in gradient)


def test_a_wide_span_is_found_in_one_piece():
    n = 3000
    emissions = torch.full((n, TAGS.n_tags), -30.0)
    emissions[:, [0, TAGS.begin[2] + 1]] = 0.0
    emissions[0, TAGS.begin[2]] = 30.0
    (found,) = HEADS[1].candidates(TagFeatures(emissions, torch.zeros(0)), np.array([n]), np.zeros(3), LABELS)
    assert [(c.tolist()) for c in found[:3]] == [[0], [n], [2]] and found.score[0] > 0.999


@pytest.mark.parametrize("head", HEADS)
def test_the_gradient_reaches_the_weights_of_the_module(head):
    torch.manual_seed(0)
    lengths = [5, 3]
    module = TagScores(6, **head.sizes(LABELS)).double()
    x = torch.randn(8, 6, dtype=torch.float64)
    rows = [(0, 0, 2, 0), (1, 1, 3, 1)]

    def loss_of(module):
        return head.loss(module(x), np.array(lengths), gold_spans(rows, 2), LABELS)

    features = module(x)
    _, gradient = loss_of(module)
    pairs = [(tensor, d) for tensor, d in zip(features, gradient, strict=True) if tensor.requires_grad]
    torch.autograd.backward(*zip(*pairs, strict=True))
    step = 1e-6
    for name, parameter in module.named_parameters():
        flat, slope = parameter.data.view(-1), parameter.grad.view(-1)
        for i in range(0, len(flat), max(1, len(flat) // 7)):
            flat[i] += step
            above, _ = loss_of(module)
            flat[i] -= 2 * step
            below, _ = loss_of(module)
            flat[i] += step
            assert (above - below) / (2 * step) == pytest.approx(slope[i].item(), abs=1e-6), (name, i)
    assert (module.moves is None) == (not head.crf)


@pytest.mark.parametrize("head", HEADS)
def test_a_threshold_of_0_lets_a_bounded_number_of_spans_pass(head):
    features = features_of(head, [3000])
    (found,) = head.candidates(features, np.array([3000]), np.full(3, -np.inf), LABELS)
    assert len(found.start) > 3000 and np.bincount(found.start).max() <= SPANS_PER_START
    assert found.score.min() >= 0.99e-4


def naive_partial_loss(head, features, lengths, rows, unknown, weights):
    """-log of the share of the sequences with, at every token, a tag of the gold or of a span that may be there."""
    start, moves = weights_of(head, features.transitions)
    total = torch.zeros((), dtype=torch.float64)
    for doc, text in enumerate(features.emissions.split(lengths)):
        for group in range(TAGS.n_groups) if len(text) else ():
            outside = int(TAGS.outside[group])
            tags = [{outside} for _ in text]
            gold = [row for row in rows if row[0] == doc and TAGS.group[row[3]] == group]
            for _, s, e, label in gold:
                for t in range(s, e):
                    tags[t] = {int(TAGS.begin[label]) + (t > s)}
            for _, s, e, label in (row for row in unknown if row[0] == doc and TAGS.group[row[3]] == group):
                if not any(s < other[2] and other[1] < e for other in gold):
                    for t in range(s, e):
                        tags[t].add(int(TAGS.begin[label]) + (t > s))
            scored, partition = distribution(text, start, moves, np.flatnonzero(TAGS.group_of_tag == group).tolist())
            agreeing = [value for sequence, value in scored if all(map(set.__contains__, tags, sequence))]
            total = total + weights[doc] * (partition - torch.stack(agreeing).logsumexp(0))
    return total


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("annotated", [[True] * 5, [True, True, False, True, True]])
def test_unknown_spans_leave_their_tags_open(head, annotated):
    lengths = [4, 0, 1, 3, 4]
    rows = [(0, 0, 2, 0), (2, 0, 1, 2), (3, 1, 3, 2)]
    # Beside gold, over gold of the group, over gold of another group, alone, overlapping each other.
    unknown = [(0, 2, 4, 2), (0, 1, 4, 0), (0, 0, 4, 1), (4, 0, 3, 0), (4, 1, 4, 2), (4, 0, 1, 1)]
    weights = [0.5, 1.0, 2.0, 3.0, 0.25]
    features = TagFeatures(*(tensor.requires_grad_() for tensor in features_of(head, lengths)))
    counted = [w * a for w, a in zip(weights, annotated, strict=True)]
    naive = naive_partial_loss(head, features, lengths, rows, unknown, counted)
    expected = torch.autograd.grad(naive, features, allow_unused=True)
    gold = with_unknown(gold_spans(rows, 5, annotated), unknown, weights)
    loss, gradient = head.loss(features, np.array(lengths), gold, LABELS)
    assert loss == pytest.approx(naive.item(), rel=1e-12)
    for ours, theirs, feature in zip(gradient, expected, features, strict=True):
        theirs = torch.zeros_like(feature) if theirs is None else theirs
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-12)
