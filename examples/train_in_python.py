"""Training without a config file: python examples/train_in_python.py assets/corpus/train.json my_pipeline 200

A small CNN reads the characters, so that this takes a minute; `spacy project run train` shows the real thing.
"""

import sys
from pathlib import Path

import spacy
from spacy.util import fix_random_seed, minibatch

from spacy_medflat.corpus.reader import create_cmeee_reader


def main(corpus: str, output: str, steps: str) -> None:
    fix_random_seed(0)
    nlp = spacy.blank("zh")
    nlp.add_pipe("medflat_ner")
    examples = list(create_cmeee_reader(Path(corpus))(nlp))
    optimizer = nlp.initialize(lambda: examples)
    batches = list(minibatch(examples, 16))
    for step in range(int(steps)):
        losses: dict[str, float] = {}
        nlp.update(batches[step % len(batches)], sgd=optimizer, losses=losses)
        if step % 50 == 0:
            print(f"step {step}: loss {losses['medflat_ner']:.1f}")
    scores = nlp.evaluate(examples[:50])
    print(f"F1 on what it was trained on: {scores['spans_sc_f']:.2f}")
    nlp.to_disk(output)


if __name__ == "__main__":
    main(*sys.argv[1:])
