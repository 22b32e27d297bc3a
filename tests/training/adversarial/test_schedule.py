import pytest
from thinc.api import Adam

from spacy_medflat.training.adversarial.callbacks import create_adversarial_clock, unwrap

from ..victims import attack_it, gold, victim


def test_start_and_share_count_steps_not_parts():
    nlp = victim("medflat_ner")
    examples = gold(nlp)
    attack_it(nlp, start_step=2)
    optimizer = Adam(0.01)
    attacked = []
    for _ in range(4):
        for part in (examples[:2], examples[2:]):
            nlp.update(part, sgd=False)
            attacked.append(nlp.update.stats.attacked)
        nlp.get_pipe("medflat_ner").finish_update(optimizer)
    assert attacked == [0, 0, 0, 0, 1, 2, 3, 4]
    attack_it(nlp, share=0.5)
    for _ in range(20):
        before = nlp.update.stats.attacked
        for part in (examples[:2], examples[2:]):
            nlp.update(part, sgd=False)
        assert nlp.update.stats.attacked - before in (0, 2)
        nlp.get_pipe("medflat_ner").finish_update(optimizer)
    assert 4 < nlp.update.stats.attacked / 2 < 16


def test_start_epoch_needs_the_clock():
    nlp = victim("medflat_ner")
    attack_it(nlp, start_epoch=1)
    with pytest.raises(ValueError, match="adversarial_clock"):
        nlp.update(gold(nlp), sgd=False)
    clock = create_adversarial_clock()
    for step, epoch in enumerate((0, 0, 1)):
        clock(nlp, {"step": step, "epoch": epoch})
        nlp.update(gold(nlp), sgd=False)
    assert nlp.update.stats.attacked == 1
    clock(unwrap(nlp), {"step": 0, "epoch": 0})
