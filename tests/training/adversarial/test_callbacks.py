import json

import numpy as np
import pytest
import spacy
from spacy.cli.train import train
from spacy.language import DEFAULT_CONFIG
from spacy.util import fix_random_seed, registry
from thinc.api import Config

from spacy_medflat.training.adversarial.attacks import FGM
from spacy_medflat.training.adversarial.callbacks import create_adversarial_training
from spacy_medflat.training.adversarial.update import AdversarialUpdate

from ...pipelines import LISTENER, write_recipe
from ..victims import HEADS, gold, weights

BASE = """
[paths]
encoder = null
data = null
log = null

[nlp]
lang = "zh"
pipeline = ["transformer","medflat_ner"]

[components]

[components.transformer]
factory = "transformer"

[components.transformer.model]
@architectures = "spacy_medflat.CharTransformer.v1"
name = ${paths.encoder}
window = 64
overlap = 16

[components.medflat_ner]
factory = "medflat_ner"

[corpora]

[corpora.train]
@readers = "spacy.Corpus.v1"
path = ${paths.data}

[corpora.dev]
@readers = "spacy.Corpus.v1"
path = ${paths.data}

[training]
seed = 1
dropout = 0.1
accumulate_gradient = 2
max_steps = 4
eval_frequency = 2
frozen_components = []

[training.batcher]
@batchers = "spacy.batch_by_sequence.v1"
size = 5

[training.logger]
@loggers = "spacy_medflat.ConsoleLogger.v1"
output_file = ${paths.log}
"""
ATTACK = """
[initialize]

[initialize.after_init]
@callbacks = "spacy_medflat.adversarial_training.v1"
start_epoch = 1

[initialize.after_init.attack]
@misc = "spacy_medflat.PGD.v1"
epsilon = 0.5
alpha = 0.3
steps = 2

[training.before_update]
@callbacks = "spacy_medflat.adversarial_clock.v1"
"""


def trained(folder, config_text, **overrides):
    """`spacy train` in a folder, and the pipeline it saved."""
    folder.mkdir(parents=True)
    encoder = write_recipe(folder / "encoder")
    nlp = spacy.blank("zh")
    data = spacy.tokens.DocBin(docs=[eg.reference for eg in gold(nlp)])
    data.to_disk(folder / "data.spacy")
    config = DEFAULT_CONFIG.merge(Config().from_str(config_text, interpolate=False))
    config["components"]["medflat_ner"]["model"] = {**HEADS["medflat_ner"], "tok2vec": LISTENER}
    config.to_disk(folder / "config.cfg", interpolate=False)
    paths = {"encoder": folder / "encoder", "data": folder / "data.spacy", "log": folder / "logs" / "log.jsonl"}
    paths["encoder"] = encoder
    settings = {f"paths.{name}": str(path) for name, path in paths.items()}
    fix_random_seed(0)
    train(folder / "config.cfg", folder / "out", overrides={**settings, **overrides})
    return spacy.load(folder / "out" / "model-last")


def test_spacy_train(tmp_path, capsys):
    plain = trained(tmp_path / "plain", BASE)
    header = capsys.readouterr().out
    assert "LOSS ADV" not in header
    attacked = trained(tmp_path / "attacked", BASE + ATTACK)
    again = trained(tmp_path / "again", BASE + ATTACK)
    table = capsys.readouterr().out
    assert "LOSS ADV M..." in table and "LOSS MEDFL..." in table
    assert attacked.pipe_names == plain.pipe_names and type(attacked.update) is type(plain.update)
    assert not isinstance(attacked.update, AdversarialUpdate)
    plain_weights, attacked_weights, repeated = weights(plain), weights(attacked), weights(again)
    assert plain_weights.keys() == attacked_weights.keys()
    assert any((plain_weights[key] != attacked_weights[key]).any() for key in plain_weights)
    for key, value in attacked_weights.items():
        np.testing.assert_array_equal(value, repeated[key])
    assert sorted(_files(tmp_path / "plain")) == sorted(_files(tmp_path / "attacked"))
    assert plain("右肺上叶腺癌").spans.keys() == attacked("右肺上叶腺癌").spans.keys()
    lines = [json.loads(line) for line in (tmp_path / "attacked/logs/log.jsonl").read_text().splitlines()]
    assert [(line["step"], line["epoch"]) for line in lines] == [(0, 0), (2, 2), (4, 4)]
    assert "medflat_ner_adversarial" not in lines[0]["losses"]
    assert lines[1]["losses"]["medflat_ner_adversarial"] > 0 and lines[1]["losses"]["medflat_ner"] > 0
    assert "spans_sc_f" in lines[2]["scores"] and lines[2]["words"] > 0


def _files(folder):
    return [str(path.relative_to(folder)) for path in (folder / "out").rglob("*") if path.is_file()]


def test_attack_off_trains_as_without(tmp_path):
    plain = trained(tmp_path / "plain", BASE)
    off = trained(tmp_path / "off", BASE + ATTACK, **{"initialize.after_init.share": 0.0})
    for key, value in weights(plain).items():
        np.testing.assert_array_equal(value, weights(off)[key])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"weight": -1.0}, "weight .* -1.0"),
        ({"weight": float("nan")}, "weight .* nan"),
        ({"share": 1.5}, "share .* 1.5"),
        ({"share": -0.1}, "share .* -0.1"),
        ({"start_step": -1}, "start_step .* -1 and 0"),
        ({"start_epoch": -2}, "start_epoch .* 0 and -2"),
        ({"target": "weights", "norm": "text"}, "norm 'text' cannot be"),
    ],
)
def test_bad_settings_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        create_adversarial_training(FGM(1.0), **settings)


def test_the_config_is_validated():
    config = {"@callbacks": "spacy_medflat.adversarial_training.v1", "attack": {"@misc": "spacy_medflat.FGM.v1"}}
    config["attack"]["epsilon"] = 1.0
    assert callable(registry.resolve({"c": config})["c"])
    for wrong in ({"target": "embedding"}, {"norm": "token"}, {"attack": 3}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            registry.resolve({"c": {**config, **wrong}})
