import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from spacy.util import registry

from spacy_medflat.training.adversarial.attacks import (
    FGM,
    PGD,
    FreeLB,
    RandomPerturbation,
    Rows,
    norms,
    project,
    text_groups,
    unit,
)

ATTACKS = [FGM(0.5), PGD(0.5, 0.3, 4), FreeLB(0.5, 0.3, 4), RandomPerturbation(0.5)]


def draw(seed, lengths, width=6, scale=1.0):
    """A gradient of texts with padding up to the longest, and its rows."""
    generator = torch.Generator().manual_seed(seed)
    gradient = scale * torch.randn(len(lengths), max(lengths), width, generator=generator)
    real = torch.arange(max(lengths))[None] < torch.tensor(lengths)[:, None]
    gradient[~real] = 0.0
    group, count = text_groups(gradient.shape, [], "text")
    return gradient.flatten(0, 1), Rows(group, real.flatten(), count)


def run(attack, gradient, rows, seed=0):
    """The perturbations of an attack whose gradient is a little different at each step."""
    deltas = [attack.start(gradient, rows, torch.Generator().manual_seed(seed))]
    for step in range(1, attack.steps):
        deltas.append(attack.move(deltas[-1], gradient + step * gradient.roll(1, -1), rows))
    return deltas


@given(
    seed=st.integers(0, 99),
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=5),
    scale=st.sampled_from([1e-30, 1e-5, 1.0, 1e5, 1e30]),
    attack=st.sampled_from(ATTACKS),
)
def test_each_text_stays_inside_its_ball_and_padding_at_zero(seed, lengths, scale, attack):
    gradient, rows = draw(seed, lengths, scale=scale)
    for delta in run(attack, gradient, rows):
        assert delta.dtype == torch.float32 and delta.isfinite().all()
        length = delta.double().square().sum(-1)
        by_text = torch.zeros(rows.groups, dtype=torch.float64).index_add_(0, rows.group, length).sqrt()
        assert (by_text <= 0.5 * (1 + 1e-5)).all()
        assert (by_text > 0).all()
        assert not delta[~rows.real].any()


@pytest.mark.parametrize("attack", [FGM(0.5), PGD(0.5, 0.3, 4)])
def test_neither_batch_nor_padding_nor_scale_matters(attack):
    gradient, rows = draw(0, [3, 7, 5])
    together = run(attack, gradient, rows)[-1].reshape(3, 7, -1)
    for i, length in enumerate([3, 7, 5]):
        mine = gradient.reshape(3, 7, -1)[i, :length]
        alone = Rows(torch.zeros(length, dtype=torch.int64), torch.ones(length, dtype=torch.bool), 1)
        for scale in (1.0, 2.0**16, 2.0**-20):
            delta = run(attack, scale * mine, alone)[-1]
            torch.testing.assert_close(delta, together[i, :length], rtol=1e-6, atol=1e-7)


def test_one_step_of_pgd_with_alpha_epsilon_is_fgm():
    gradient, rows = draw(1, [4, 2])
    (pgd,), (fgm,) = run(PGD(0.7, 0.7, 1), gradient, rows), run(FGM(0.7), gradient, rows)
    assert torch.equal(pgd, fgm)


def test_steps_add_up_and_are_projected():
    gradient, rows = draw(1, [4])
    attack = PGD(0.5, 0.2, 5)
    deltas = [attack.start(gradient, rows, torch.Generator())]
    for _ in range(4):
        deltas.append(attack.move(deltas[-1], gradient, rows))
    lengths = [float(delta.norm()) for delta in deltas]
    assert lengths == pytest.approx([0.2, 0.4, 0.5, 0.5, 0.5], rel=1e-5)


def test_a_step_may_be_longer_than_the_ball():
    gradient, rows = draw(1, [4])
    assert float(PGD(0.5, 2.0, 1).start(gradient, rows, torch.Generator()).norm()) == pytest.approx(0.5)


def test_without_gradient_there_is_no_perturbation():
    gradient, rows = draw(1, [4, 3])
    gradient[rows.group == 1] = 0.0
    delta = FGM(1.0).start(gradient, rows, torch.Generator())
    assert delta.isfinite().all() and not delta[rows.group == 1].any()


def test_random_attacks_repeat_under_a_seed():
    gradient, rows = draw(1, [4, 3])
    for attack in (RandomPerturbation(0.5), FreeLB(0.5, 0.1, 3)):
        first, again, other = (run(attack, gradient, rows, seed)[0] for seed in (1, 1, 2))
        assert torch.equal(first, again) and not torch.equal(first, other)


def test_random_perturbation_ignores_the_gradients_direction():
    gradient, rows = draw(1, [4, 3])
    (one,), (other,) = (run(RandomPerturbation(0.5), g, rows) for g in (gradient, -gradient))
    assert torch.equal(one, other)
    assert norms(one, rows).tolist() == pytest.approx([0.5, 0.5])


def test_epsilon_zero_is_no_perturbation():
    gradient, rows = draw(1, [4, 3])
    for attack in (FGM(0.0), PGD(0.0, 0.1, 3), FreeLB(0.0, 0.1, 3), RandomPerturbation(0.0)):
        assert not any(delta.any() for delta in run(attack, gradient, rows))


def test_groups():
    assert text_groups((2, 3, 8), [3, 2], "text")[0].tolist() == [0, 0, 0, 1, 1, 1]
    assert text_groups((2, 3, 8), [3, 2], "tensor")[0].tolist() == [0] * 6
    # Tokens one behind the other, an empty text among them.
    assert text_groups((5, 8), [3, 0, 2], "text")[0].tolist() == [0, 0, 0, 2, 2]
    assert text_groups((5, 8), [3, 0, 2], "text")[1] == 3
    # Rows that are not the tokens.
    assert text_groups((4, 8), [3, 0, 2], "text")[0].tolist() == [0] * 4
    assert text_groups((2, 3, 2, 8), [3, 2], "text")[0].tolist() == [0] * 6 + [1] * 6


def test_no_rows():
    rows = Rows(torch.zeros(0, dtype=torch.int64), torch.zeros(0, dtype=torch.bool), 1)
    nothing = torch.zeros(0, 4)
    assert unit(nothing, rows).shape == project(nothing, rows, 1.0).shape == (0, 4)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("FGM", {"epsilon": -0.1}, "epsilon of FGM .* -0.1"),
        ("RandomPerturbation", {"epsilon": float("nan")}, "epsilon of RandomPerturbation .* nan"),
        ("PGD", {"epsilon": float("inf"), "alpha": 0.1, "steps": 3}, "epsilon of PGD .* inf"),
        ("PGD", {"epsilon": 1.0, "alpha": 0.0, "steps": 3}, "alpha of PGD .* 0.0"),
        ("FreeLB", {"epsilon": 1.0, "alpha": -1.0, "steps": 3}, "alpha of FreeLB .* -1.0"),
        ("FreeLB", {"epsilon": 1.0, "alpha": 1.0, "steps": 0}, "steps of FreeLB .* 0"),
    ],
)
def test_bad_settings_are_named(name, settings, message):
    with pytest.raises(ValueError, match=message):
        registry.misc.get(f"spacy_medflat.{name}.v1")(**settings)
