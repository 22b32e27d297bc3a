"""The nested entities of a text, with their scores: python examples/read_a_text.py zh_medflat 胸部CT见右肺下叶结节"""

import sys

import spacy


def main(model: str, text: str) -> None:
    nlp = spacy.load(model)
    doc = nlp(text)
    spans = doc.spans["sc"]
    for span, score in zip(spans, spans.attrs["scores"], strict=True):
        outer = [other.text for other in spans if other != span and other.start <= span.start and span.end <= other.end]
        inside = f", inside {outer[0]}" if outer else ""
        print(f"{span.start_char}-{span.end_char} {span.label_} {span.text} {score:.2f}{inside}")


if __name__ == "__main__":
    main(*sys.argv[1:])
