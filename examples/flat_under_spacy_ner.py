"""FLAT under spaCy's own `ner`: python examples/flat_under_spacy_ner.py assets/corpus/train.json 200

FLAT is a tok2vec, so any component of spaCy's can sit on it. Here it reads characters alone (spans_key = None).
"""

import sys
from pathlib import Path

import spacy
from spacy.util import filter_spans, fix_random_seed, minibatch

from spacy_medflat.corpus.reader import create_cmeee_reader

CNN = {
    "@architectures": "spacy.HashEmbedCNN.v2",
    "pretrained_vectors": None,
    "width": 32,
    "depth": 1,
    "embed_size": 1000,
    "window_size": 1,
    "maxout_pieces": 2,
    "subword_features": True,
}
FLAT = {"@architectures": "spacy_medflat.FlatLattice.v1", "spans_key": None, "n_heads": 2, "tok2vec": CNN}
PARSER = {
    "@architectures": "spacy.TransitionBasedParser.v2",
    "state_type": "ner",
    "extra_state_tokens": False,
    "hidden_width": 32,
    "maxout_pieces": 2,
    "use_upper": True,
    "tok2vec": FLAT,
}


def main(corpus: str, steps: str) -> None:
    fix_random_seed(0)
    nlp = spacy.blank("zh")
    nlp.add_pipe("ner", config={"model": PARSER})
    examples = list(create_cmeee_reader(Path(corpus))(nlp))
    for example in examples:
        # spaCy's recognizer holds no nesting: the longest spans stay.
        example.reference.ents = filter_spans(list(example.reference.spans["sc"]))
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.005
    batches = list(minibatch(examples, 16))
    for step in range(int(steps)):
        nlp.update(batches[step % len(batches)], sgd=optimizer)
    print(f"F1 of flat entities on what it was trained on: {nlp.evaluate(examples[:50])['ents_f']:.2f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
