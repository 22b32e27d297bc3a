"""Small trained pipelines to put together."""

from typing import Any

from spacy.language import Language
from spacy.util import fix_random_seed

from ..pipelines import CNN, cnn_pipeline, make_examples

WIDE = {**CNN, "width": 32, "depth": 2}


def small_pipeline(seed: int, steps: int = 10, labels: tuple[str, ...] = (), **config: Any) -> Language:
    """A pipeline that is trained a little, so that its probabilities are neither 0 nor 1.

    labels: those to know, in place of all.
    """
    fix_random_seed(seed)
    head = {"@architectures": "spacy_medflat.EfficientGlobalPointer.v1", "head_size": 16, "tok2vec": WIDE}
    nlp = cnn_pipeline(**{"model": head, **config})
    key = nlp.get_pipe("medflat_ner").key
    for label in labels:
        nlp.get_pipe("medflat_ner").add_label(label)
    examples = make_examples(nlp, key)
    nlp.get_pipe("medflat_ner").initialize(lambda: examples, labels=labels or None)
    optimizer = nlp.create_optimizer()
    optimizer.learn_rate = 0.01
    for _ in range(steps):
        nlp.update(examples, sgd=optimizer)
    return nlp
