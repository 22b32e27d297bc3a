"""Small trainings from a config file, as a user starts them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import spacy
import torch
from spacy.language import Language
from spacy.tokens import DocBin
from spacy.training.initialize import init_nlp
from spacy.util import load_config

from spacy_medflat.training.resume.state import dump_weights

from ..pipelines import make_examples, transformer_pipeline, write_recipe

RATE = {"@schedules": "warmup_linear.v1", "initial_rate": 0.01, "warmup_steps": 2, "total_steps": 20}
ADAMW = {
    "@optimizers": "spacy_medflat.LayerwiseAdamW.v1",
    "encoder_rate": RATE,
    "head_rate": RATE,
    "layer_decay": 0.8,
    "average_decay": 0.9,
}
BATCHER = {"@batchers": "spacy.batch_by_words.v1", "size": 40, "tolerance": 0.2}


@contextmanager
def one_thread() -> Iterator[None]:
    """Small tensors wait for threads longer than they compute, on a busy machine much longer."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def write_config(
    folder: Path,
    nlp: Language,
    optimizer: dict[str, Any] = ADAMW,
    after_init: dict[str, Any] | None = None,
    **training: Any,
) -> Path:
    """Write the texts and a config that trains the pipeline on them, with dropout: about 3 steps an epoch."""
    folder.mkdir(parents=True, exist_ok=True)
    examples = make_examples(nlp) * 2
    DocBin(docs=[example.reference for example in examples]).to_disk(folder / "train.spacy")
    config = nlp.config.copy()
    corpus = {"@readers": "spacy.Corpus.v1", "path": str(folder / "train.spacy")}
    config["corpora"] = {"train": corpus, "dev": corpus}
    settings = {"optimizer": optimizer, "batcher": BATCHER, "dropout": 0.2, "max_steps": 12, "eval_frequency": 5}
    config["training"] = {**config["training"], **settings, **training}
    config["initialize"] = {**config["initialize"], "after_init": after_init}
    path = folder / "config.cfg"
    config.to_disk(path)
    return path


def transformer_config(folder: Path, **settings: Any) -> Path:
    """A config with an encoder of two layers, with dropout of its own, and `medflat_ner`."""
    encoder = write_recipe(folder / "encoder", num_hidden_layers=2, dropout=0.1)
    return write_config(folder, transformer_pipeline(encoder), **settings)


def initialized(config: Path) -> Language:
    """The pipeline of a config, ready to be trained."""
    return init_nlp(load_config(config, interpolate=False))


def saved_weights(folder: Path) -> dict[str, np.ndarray]:
    """The weights of a saved pipeline."""
    return dump_weights(spacy.load(folder))


def assert_equal_weights(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    """Bit for bit."""
    assert one.keys() == other.keys()
    differing = [name for name in one if not np.array_equal(one[name], other[name])]
    assert not differing
