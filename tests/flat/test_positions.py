import math

import pytest
import torch

from spacy_medflat.flat.positions import PositionTables, sinusoids

LIKE = torch.zeros(0, dtype=torch.float64)


def test_sinusoids_are_those_of_the_formula():
    rows = sinusoids(-3, 2, 6, LIKE)
    assert rows.shape == (6, 6)
    for row, distance in enumerate(range(-3, 3)):
        for k in range(3):
            angle = distance / 10000 ** (2 * k / 6)
            assert rows[row, 2 * k].item() == pytest.approx(math.sin(angle), abs=1e-15)
            assert rows[row, 2 * k + 1].item() == pytest.approx(math.cos(angle), abs=1e-15)


def test_half_precision_tells_far_distances_apart():
    rows = sinusoids(900, 901, 64, torch.zeros(0, dtype=torch.bfloat16))
    assert rows.dtype == torch.bfloat16
    assert not torch.equal(rows[0], rows[1])


@pytest.mark.parametrize("learned", [False, True])
def test_a_distance_has_one_vector_whatever_the_range(learned):
    tables = PositionTables(8, reach=20, learned=learned).double()
    narrow, wide = tables("hh", -3, 4), tables("hh", -15, 19)
    torch.testing.assert_close(wide[12:20], narrow, rtol=0, atol=0)


def test_fixed_tables_reach_as_far_as_asked():
    tables = PositionTables(8, reach=2)
    torch.testing.assert_close(tables("hh", -500, -498), sinusoids(-500, -498, 8, torch.zeros(0)))
    assert not list(tables.parameters())
    assert not tables.state_dict()


def test_learned_tables_take_the_farthest_row_beyond_their_reach():
    tables = PositionTables(8, reach=5, learned=True)
    rows = tables("tt", -7, 7)
    assert torch.equal(rows[0], rows[2])
    assert torch.equal(rows[-1], rows[-3])


@pytest.mark.parametrize(("shared", "names"), [(True, ["all"]), (False, ["hh", "tt"])])
def test_tables_shared_or_not(shared, names):
    tables = PositionTables(8, ("hh", "tt"), 5, shared, learned=True)
    assert list(tables.tables) == names
    assert tables.same_for_all == shared
