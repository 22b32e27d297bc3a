import numpy as np
import pytest

from spacy_medflat.compression.choose import choose_exceptions, score_change
from spacy_medflat.ner.span_finder import LOWEST_SCORE
from spacy_medflat.ner.spans import Candidates, logit


def spans(*rows):
    start, end, label, score = (np.array(column) for column in zip(*rows, strict=True))
    return Candidates(start, end, label, logit(score))


class Layer:
    """A layer whose 8 bits lower every score by `harm`."""

    def __init__(self, name, harm):
        self.name, self.harm, self.int8 = name, harm, False

    def __str__(self):
        return self.name

    def use(self, int8):
        self.int8 = int8


def reader(layers):
    return lambda: [spans((0, 2, 0, 0.9 - sum(layer.harm for layer in layers if layer.int8)))]


def test_the_change_of_scores_counts_spans_that_come_and_go():
    one, other = spans((0, 2, 0, 0.9), (3, 4, 1, 0.5)), spans((0, 2, 0, 0.8))
    assert score_change([one], [other]) == pytest.approx((0.1 + 0.5 - LOWEST_SCORE) / 2)
    assert score_change([one], [one]) == 0
    assert score_change([Candidates.empty()], [Candidates.empty()]) == 0


def test_all_layers_are_compressed_if_that_changes_little():
    layers = [Layer("a", 0.001), Layer("b", 0.002)]
    choice = choose_exceptions(layers, reader(layers))
    assert (choice.kept, choice.changes) == ([], {})
    assert choice.change == choice.change_of_all == pytest.approx(0.003, abs=1e-4)
    assert all(layer.int8 for layer in layers)


def test_the_layer_that_changes_most_stays_as_it_was():
    layers = [Layer(f"layer {i}", 0.4 if i == 2 else 0.0001) for i in range(8)]
    choice = choose_exceptions(layers, reader(layers))
    assert choice.kept == [layers[2]]
    assert [layer.int8 for layer in layers] == [i != 2 for i in range(8)]
    assert choice.change_of_all == pytest.approx(0.4007, abs=1e-4)
    assert choice.change < 0.01
    assert max(choice.changes, key=choice.changes.get) == "layer 2"


def test_only_some_layers_stay_as_they_were():
    layers = [Layer(str(i), 0.05) for i in range(8)]
    choice = choose_exceptions(layers, reader(layers))
    assert len(choice.kept) == 2
    assert sum(layer.int8 for layer in layers) == 6
