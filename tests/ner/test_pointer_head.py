from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_medflat.ner import band as band_module
from spacy_medflat.ner import pointer_head, spans
from spacy_medflat.ner.pointer import EfficientGlobalPointer, GlobalPointer
from spacy_medflat.ner.pointer_head import PointerHead
from spacy_medflat.ner.spans import SPANS_PER_START, GoldSpans, UnknownSpans, logit

from . import reference

N_IN, N_LABELS, HEAD_SIZE = 6, 2, 4
LABELS = ("a", "b")
FINDERS = (pointer_head._above, pointer_head._best)
POINTERS = [(EfficientGlobalPointer, reference.efficient_logit), (GlobalPointer, reference.pointer_logit)]


def gold_spans(rows, n_docs, annotated=None):
    columns = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    return GoldSpans(*columns, annotated=np.ones(n_docs, bool) if annotated is None else np.array(annotated))


def with_unknown(gold, rows, weight=None):
    """The gold with spans that may be there or not, and a weight of each text."""
    unknown = UnknownSpans(*np.array(sorted(rows), dtype=np.int64).reshape(-1, 4).T)
    return gold._replace(unknown=unknown, weight=None if weight is None else np.array(weight, dtype=np.float64))


def make(pointer, lengths, dtype=torch.float64, seed=0):
    torch.manual_seed(seed)
    module = pointer(N_IN, N_LABELS, HEAD_SIZE).to(dtype)
    return module, torch.randn(sum(lengths), N_IN, dtype=dtype, requires_grad=True)


def gradients(module, x, features, gradient):
    """What arrives at the vectors and the weights."""
    return torch.autograd.grad(list(features), [x, *module.parameters()], list(gradient))


@pytest.fixture(params=["one chunk", "many chunks"])
def chunks(request, monkeypatch):
    if request.param == "many chunks":
        monkeypatch.setattr(band_module.iter_chunks, "__defaults__", (10,))
    monkeypatch.setattr(band_module.make_band, "__defaults__", (5,))


@pytest.mark.parametrize(("pointer", "logit"), POINTERS)
@pytest.mark.parametrize("max_width", [3, 20])
def test_loss_and_gradient_equal_the_formula(chunks, pointer, logit, max_width):
    lengths = [9, 0, 1, 14, 3]
    gold = {(0, 0, 3, 0), (0, 1, 2, 0), (0, 1, 2, 1), (2, 0, 1, 1), (3, 5, 8, 0), (3, 13, 14, 1), (3, 6, 7, 0)}
    module, x = make(pointer, lengths)
    features = module(x)
    loss, gradient = PointerHead(max_width).loss(features, np.array(lengths), gold_spans(sorted(gold), 5), LABELS)
    naive = reference.loss(x.split(lengths), partial(logit, module), gold, max_width, N_LABELS)
    assert loss == pytest.approx(naive.item(), rel=1e-12)
    for ours, theirs in zip(
        gradients(module, x, features, gradient), torch.autograd.grad(naive, [x, *module.parameters()]), strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("pointer", "logit"), POINTERS)
@pytest.mark.parametrize("max_width", [3, 20])
def test_unknown_spans_are_in_no_sum_and_weights_are_factors(chunks, pointer, logit, max_width):
    lengths = [9, 0, 1, 14, 3]
    gold = {(0, 0, 3, 0), (0, 1, 2, 1), (3, 5, 8, 0), (3, 13, 14, 1)}
    # Over and under gold, with its label and another, over the seam of two blocks, too wide, and all of a text.
    unknown = {(0, 0, 3, 1), (0, 1, 3, 0), (0, 4, 6, 0), (2, 0, 1, 0), (2, 0, 1, 1), (3, 5, 7, 0), (3, 0, 12, 1)}
    unknown |= {(4, i, j, label) for i in range(3) for j in range(i + 1, 4) for label in range(2)}
    weight = [1.0, 3.0, 0.5, 0.25, 2.0]
    module, x = make(pointer, lengths)
    features = module(x)
    spans = with_unknown(gold_spans(sorted(gold), 5), unknown, weight)
    loss, gradient = PointerHead(max_width).loss(features, np.array(lengths), spans, LABELS)
    texts = x.split(lengths)
    naive = reference.loss(texts, partial(logit, module), gold, max_width, N_LABELS, unknown, weight)
    assert loss == pytest.approx(naive.item(), rel=1e-12)
    reached = torch.autograd.grad(naive, [x, *module.parameters()])
    for ours, theirs in zip(gradients(module, x, features, gradient), reached, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)
    # All cells of the last text are unknown.
    assert not any(d[-3:].any() for d in gradient if len(d) == sum(lengths))


def test_the_score_of_an_unknown_span_has_no_gradient():
    spans = with_unknown(gold_spans([(0, 0, 1, 0)], 1), {(0, 1, 3, 0), (0, 1, 3, 1)})

    class Scores(tuple):
        """Logits that are free of each other, in place of a module's."""

        def __new__(cls, scores):
            return super().__new__(cls, (scores,))

        def logits(self, starts, ends):
            return self[0][:, starts[..., :, None], ends[..., None, :]].transpose(0, 1) * 1.0

        def logits_at(self, first, last, label):
            return self[0][label, first, last]

    scores = Scores(torch.randn(2, 4, 4, dtype=torch.float64))
    _, (gradient,) = PointerHead(4).loss(scores, np.array([4]), spans, LABELS)
    assert (gradient[:, 1, 2] == 0).all() and (gradient[:, 1, 3] > 0).all() and gradient[0, 0, 0] < 0


def test_texts_without_annotation_add_nothing():
    module, x = make(EfficientGlobalPointer, [6, 8])
    features, head = module(x), PointerHead(10)
    gold = gold_spans([(1, 0, 2, 0)], 2, annotated=[False, True])
    loss, gradient = head.loss(features, np.array([6, 8]), gold, LABELS)
    alone, _ = head.loss(module(x[6:]), np.array([8]), gold_spans([(0, 0, 2, 0)], 1), LABELS)
    assert loss == pytest.approx(alone)
    assert all((d[:6] == 0).all() and (d[6:] != 0).any() for d in gradient)
    nothing, gradient = head.loss(features, np.array([6, 8]), gold_spans([], 2, annotated=[False, False]), LABELS)
    assert nothing == 0.0 and not any(d.any() for d in gradient)


def test_large_logits_give_finite_gradients():
    module, x = make(EfficientGlobalPointer, [12], torch.float32)
    loss, gradient = PointerHead(12).loss(module(x * 1000), np.array([12]), gold_spans([(0, 3, 5, 1)], 1), LABELS)
    assert np.isfinite(loss) and all(torch.isfinite(d).all() and d.dtype == torch.float32 for d in gradient)


@settings(max_examples=25, deadline=None)
@given(
    lengths=st.lists(st.integers(0, SPANS_PER_START // N_LABELS), min_size=1, max_size=4).filter(sum),
    max_width=st.integers(1, 14),
    seed=st.integers(0, 1000),
    pointer=st.sampled_from(POINTERS),
)
def test_candidates_are_the_spans_above_the_lowest_logit_of_their_label(lengths, max_width, seed, pointer):
    module, x = make(pointer[0], lengths, seed=seed)
    lowest = np.array([-1.5, -2.2])
    found = PointerHead(max_width).candidates(module(x), np.array(lengths), lowest, LABELS)
    assert len(found) == len(lengths)
    for text, candidates in zip(x.split(lengths), found, strict=True):
        expected = {}
        for i in range(len(text)):
            for j in range(i, min(len(text), i + max_width)):
                for label in range(N_LABELS):
                    logit = pointer[1](module, text, i, j, label).item()
                    if logit > lowest[label]:
                        expected[i, j + 1, label] = logit
        spans = list(zip(*(column.tolist() for column in candidates[:3]), strict=True))
        assert spans == sorted(expected, key=lambda s: (s[0], -s[1], s[2]))
        np.testing.assert_allclose(candidates.logit, [expected[span] for span in spans], rtol=1e-5)


@pytest.mark.parametrize(("pointer", "logit"), POINTERS)
def test_candidates_do_not_depend_on_the_chunks(monkeypatch, pointer, logit):
    lengths = np.array([70, 3, 0, 40])
    module, x = make(pointer, lengths.tolist())
    once = PointerHead(9).candidates(module(x), lengths, np.full(2, -2.0), LABELS)
    monkeypatch.setattr(band_module.iter_chunks, "__defaults__", (10,))
    again = PointerHead(9).candidates(module(x), lengths, np.full(2, -2.0), LABELS)
    for ours, theirs in zip(once, again, strict=True):
        assert [c.tolist() for c in ours[:3]] == [c.tolist() for c in theirs[:3]]
        np.testing.assert_allclose(ours.logit, theirs.logit, rtol=1e-6)
    assert sum(len(candidates.start) for candidates in once) > 50


@pytest.mark.parametrize("threshold", [0.0, 0.3])
def test_of_the_spans_that_start_at_one_token_the_best_are_kept(chunks, monkeypatch, caplog, threshold):
    lengths, lowest = np.array([12, 5]), logit([threshold] * 2)
    features = make(GlobalPointer, lengths)[0](20 * torch.randn(17, N_IN, dtype=torch.float64))
    for module in (spans, pointer_head):
        monkeypatch.setattr(module, "SPANS_PER_START", 10**6)
    everything = PointerHead(12).candidates(features, lengths, lowest, LABELS)
    assert not caplog.records
    for module in (spans, pointer_head):
        monkeypatch.setattr(module, "SPANS_PER_START", 3)
    bounded = PointerHead(12).candidates(features, lengths, lowest, LABELS)
    left_out = 0
    for all_, few in zip(everything, bounded, strict=True):
        for start in range(12):
            best = sorted(all_.logit[all_.start == start])[-3:]
            assert sorted(few.logit[few.start == start]) == best
        left_out += len(all_.start) - len(few.start)
    assert left_out and (f"{left_out} spans above" in caplog.text) == (threshold == 0)


@pytest.mark.parametrize("lowest", [-np.inf, -2.0, 3.0, np.inf])
@pytest.mark.parametrize("pointer", [EfficientGlobalPointer, GlobalPointer])
def test_a_gpu_finds_what_a_cpu_finds(chunks, pointer, lowest):
    lengths = np.array([30, 0, 1, 14, 3])
    module, x = make(pointer, lengths.tolist())
    limits = torch.tensor([lowest, -2.0])[:, None, None]
    band = band_module.make_band(lengths, 20)
    with torch.no_grad():
        features = module(x)
        found = [find(features, band_module.iter_chunks(band, 2), limits) for find in FINDERS]
    (places, logits, dropped), (other_places, other_logits, other_dropped) = found
    order, other_order = (np.lexsort(cells) for cells in (places, other_places))
    for column, other in zip(places, other_places, strict=True):
        np.testing.assert_array_equal(column[order], other[other_order])
    np.testing.assert_array_equal(logits[order], other_logits[other_order])
    assert dropped == other_dropped and (dropped > 0 or lowest > -2.0)
