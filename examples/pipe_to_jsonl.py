"""Entities of many texts, a line each: python examples/pipe_to_jsonl.py zh_medflat notes.txt out.jsonl

For archives that take hours use `spacy medflat annotate`, which resumes after an interruption.
"""

import json
import sys
from pathlib import Path

import spacy


def main(model: str, notes: str, output: str) -> None:
    nlp = spacy.load(model)
    with Path(notes).open(encoding="utf8") as lines, Path(output).open("w", encoding="utf8") as out:
        texts = ((line.rstrip("\n"), number) for number, line in enumerate(lines, 1))
        for doc, number in nlp.pipe(texts, as_tuples=True, batch_size=64):
            entities = [{"start": s.start_char, "end": s.end_char, "label": s.label_} for s in doc.spans["sc"]]
            out.write(json.dumps({"line": number, "text": doc.text, "entities": entities}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
