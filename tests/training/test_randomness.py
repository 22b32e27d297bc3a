import random

import numpy as np
import torch

from spacy_medflat.training.randomness import dump_random_state, load_random_state, with_own_randomness


def draw():
    return random.random(), random.gauss(0, 1), np.random.normal(), torch.rand(2).tolist()


def test_random_states_go_on():
    random.gauss(0, 1)
    np.random.normal()
    state = dump_random_state()
    drawn = [draw() for _ in range(3)]
    load_random_state(state)
    assert drawn == [draw() for _ in range(3)]


def test_a_stream_with_its_own_randomness():
    def stream():
        for _ in range(3):
            yield draw()

    start = dump_random_state()
    alone = list(stream())
    load_random_state(start)
    expected = [draw() for _ in range(3)]
    load_random_state(start)
    mixed, outside = [], []
    for item in with_own_randomness(stream()):
        mixed.append(item)
        outside.append(draw())
    assert mixed == alone and outside == expected
