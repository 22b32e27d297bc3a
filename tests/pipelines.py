"""Small pipelines and examples that several tests share."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import spacy
from spacy.language import Language
from spacy.training import Example
from spacy.util import fix_random_seed, minibatch

from spacy_medflat.corpus.reader import create_cmeee_reader
from spacy_medflat.lattice.lexicon import read_lexicon

ASSETS = Path(__file__).parents[1] / "assets"
DATA = Path(__file__).parent / "data"
"""A small corpus and lexicon that stay as they are, so that what a test finds does not change with what is shipped."""

KEY = "sc"
RECIPE = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32, "dropout": 0.0}

# text, (start, end, label): nesting, two labels on one span, an entity at 0, one at the end, a newline inside one.
SENTENCES: list[tuple[str, list[tuple[int, int, str]]]] = [
    ("右肺上叶腺癌术后", [(0, 4, "bod"), (0, 6, "dis"), (0, 7, "pro")]),
    ("患者贫血，右肺上叶结节", [(2, 4, "dis"), (2, 4, "sym"), (5, 9, "bod"), (5, 11, "sym")]),
    ("予阿司匹林100mg口服", [(1, 5, "dru")]),
    ("无殊", []),
    ("双下肢\n水肿，CINⅡ-Ⅲ级", [(0, 3, "bod"), (0, 6, "sym"), (7, 14, "dis")]),
]


def make_examples(nlp: Language, key: str = KEY) -> list[Example]:
    """The sentences as training examples."""
    return [Example.from_dict(nlp.make_doc(text), {"spans": {key: spans}}) for text, spans in SENTENCES]


def write_recipe(folder: Path, **settings: Any) -> Path:
    """An encoder folder with a recipe, small unless told otherwise."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "recipe.json").write_text(json.dumps({**RECIPE, **settings}), encoding="utf8")
    return folder


def cnn_pipeline(**config: Any) -> Language:
    """`medflat_ner` alone, on its default tok2vec."""
    nlp = spacy.blank("zh")
    nlp.add_pipe("medflat_ner", config=config)
    return nlp


def transformer_pipeline(encoder: Path | str, **config: Any) -> Language:
    """`transformer` with a character encoder, and `medflat_ner` that listens to it."""
    nlp = spacy.blank("zh")
    model = {"@architectures": "spacy_medflat.CharTransformer.v1", "name": str(encoder), "window": 64, "overlap": 16}
    nlp.add_pipe("transformer", config={"model": model})
    head = {"@architectures": "spacy_medflat.EfficientGlobalPointer.v1", "head_size": 16, "tok2vec": LISTENER}
    nlp.add_pipe("medflat_ner", config={"model": head, **config})
    return nlp


WORDS = {
    "右肺": "bod",
    "右肺上叶": "bod",
    "腺癌": "dis",
    "贫血": "dis|sym",
    "结节": "sym",
    "阿司匹林": "dru",
    "术后": "",
}
CNN = {
    "@architectures": "spacy.HashEmbedCNN.v2",
    "pretrained_vectors": None,
    "width": 16,
    "depth": 1,
    "embed_size": 200,
    "window_size": 1,
    "maxout_pieces": 2,
    "subword_features": True,
}
LISTENER = {
    "@architectures": "spacy-transformers.TransformerListener.v1",
    "grad_factor": 1.0,
    "pooling": {"@layers": "reduce_mean.v1"},
    "upstream": "*",
}


def add_vectors(nlp: Language, width: int = 8) -> None:
    """A vector for each character of the words, and for one of the words."""
    random = np.random.default_rng(0)
    for text in sorted({*"".join(WORDS), "右肺"}):
        nlp.vocab.set_vector(text, random.standard_normal(width).astype("f"))


def flat_config(tok2vec: dict[str, Any] = CNN, **settings: Any) -> dict[str, Any]:
    """The config of FLAT over a tok2vec, small unless told otherwise."""
    sizes = {"n_heads": 2, "feed_forward": 16, "dropout": 0.0, "attention_dropout": 0.0, "window": 16, "overlap": 4}
    return {"@architectures": "spacy_medflat.FlatLattice.v1", "tok2vec": tok2vec, **sizes, **settings}


def lattice_pipeline(lexicon: Path, vectors: bool = True) -> Language:
    """`lattice` with the words above, and their vectors; `lexicon` is the file to write them to."""
    lexicon.write_text("".join(f"{word}\t{kind}\n" for word, kind in WORDS.items()), encoding="utf8")
    nlp = spacy.blank("zh")
    if vectors:
        add_vectors(nlp)
    nlp.add_pipe(
        "medflat_lattice",
        name="lattice",
        config={"words": {"@misc": "spacy_medflat.LexiconWords.v1", "path": str(lexicon)}},
    )
    return nlp


def flat_pipeline(lexicon: Path, vectors: bool = True, tok2vec: dict[str, Any] = CNN, **settings: Any) -> Language:
    """`lattice`, and `medflat_ner` on FLAT over a tok2vec."""
    nlp = lattice_pipeline(lexicon, vectors)
    add_head(nlp, flat_config(tok2vec, **settings))
    return nlp


def add_head(nlp: Language, tok2vec: dict[str, Any]) -> None:
    """Add a small `medflat_ner` on a tok2vec."""
    head = {"@architectures": "spacy_medflat.EfficientGlobalPointer.v1", "head_size": 16, "tok2vec": tok2vec}
    nlp.add_pipe("medflat_ner", config={"model": head})


def train(nlp: Language, steps: int, rate: float = 0.005, annotates: Sequence[str] = ()) -> dict[str, float]:
    """Initialize and train on the sentences; returns the losses of the last step.

    annotates: components whose annotations the others learn from.
    """
    fix_random_seed(0)
    examples = make_examples(nlp)
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = rate
    losses: dict[str, float] = {}
    for _ in range(steps):
        losses = {}
        nlp.update(examples, sgd=optimizer, losses=losses, annotates=annotates)
    return losses


def spans_of(doc: Any, key: str = KEY) -> list[tuple[int, int, str]]:
    """Start and end character and label of each span."""
    return [(span.start_char, span.end_char, span.label_) for span in doc.spans[key]]


def sample_examples(nlp: Language, name: str, limit: int) -> list[Example]:
    """The first sentences of the small corpus, `train` or `dev`, as examples."""
    return list(create_cmeee_reader(DATA / f"{name}.json", limit=limit)(nlp))


def sample_pipeline() -> Language:
    """`medflat_ner`, trained a little on 60 sentences of the small corpus, and a lattice with its lexicon."""
    nlp = cnn_pipeline()
    training = sample_examples(nlp, "train", 60)
    fix_random_seed(0)
    optimizer = nlp.initialize(lambda: training)
    optimizer.learn_rate = 0.003
    for _ in range(4):
        for batch in minibatch(training, 15):
            nlp.update(batch, sgd=optimizer)
    nlp.add_pipe("medflat_lattice", name="lattice", first=True)
    nlp.get_pipe("lattice").words.lexicon = read_lexicon(DATA / "lexicon.tsv")
    return nlp
