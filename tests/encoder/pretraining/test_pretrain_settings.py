import pytest

from spacy_medflat.encoder.pretraining.pretrain_settings import PretrainSettings
from spacy_medflat.errors import MedflatError


def settings(**values):
    return PretrainSettings.checked(encoder="x", **values)


def test_steps():
    assert settings(steps=7, characters=10**9).steps_for(5) == 7
    assert settings(batch=10, length=102, characters=2001).steps_for(5) == 3
    assert settings(batch=10, length=102, epochs=1.5).steps_for(1000) == 2
    assert settings(batch=10, length=102).steps_for(1) == 1


def test_the_rate_rises_and_falls_to_zero():
    rates = [settings(rate=1.0, warmup=0.2).rate_at(step, 100) for step in range(100)]
    assert rates.index(max(rates)) == 20 and max(rates) == 1.0
    assert all(0 < rate <= 1 for rate in rates) and rates[-1] == pytest.approx(1 / 80)
    assert settings(rate=1.0, warmup=0).rate_at(0, 10) == 1.0
    assert settings(rate=1.0, warmup=1).rate_at(9, 10) < 1.0
    assert settings(rate=1.0, warmup=1).rate_at(0, 1) > 0


def test_the_masked_share_falls():
    shares = [settings(first_mask_share=0.3).mask_share_at(step, 11) for step in range(11)]
    assert shares[0] == 0.3 and shares[5] == pytest.approx(0.225) and shares[-1] == pytest.approx(0.15)
    assert settings().mask_share_at(0, 1) == 0.15


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [("mask_share", 1.0, "--mask-share: .*, got 1.0"), ("rate", 0, "--rate"), ("dropout", 1, "--dropout")],
)
def test_what_cannot_be_is_named_as_the_option(name, value, message):
    with pytest.raises(MedflatError, match=message):
        settings(**{name: value})
