"""Words of one's own in the lattice of a pipeline: python examples/add_words.py zh_medflat 经皮肾镜 pro my_pipeline"""

import sys
from typing import Any

import spacy


def main(model: str, word: str, kind: str, output: str) -> None:
    nlp = spacy.load(model)
    lattice: Any = nlp.get_pipe("lattice")
    lattice.add_words({word: kind})
    doc = nlp(f"拟行{word}术")
    print("words of the lattice:", [(span.text, span.label_) for span in doc.spans["lattice"]])
    nlp.to_disk(output)


if __name__ == "__main__":
    main(*sys.argv[1:])
