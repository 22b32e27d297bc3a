"""Speed of the lattice: characters a second from ready Docs to spans, tokenizing left out.

    python -m bench.lattice LEXICON... --data CMeEE_dev.json

The lexicons are merged and filtered by the default rules. The sides are the whole component, its parts, and on request
a pkuseg model.
"""

import statistics
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Annotated

import spacy
import typer
from rich.console import Console
from spacy.tokens import Doc
from spacy.util import minibatch

from bench.harness import interleave, report
from spacy_medflat.corpus.formats.registry import read_records
from spacy_medflat.lattice.component import Lattice
from spacy_medflat.lattice.lexicon import Lexicon, read_lexicon
from spacy_medflat.lattice.lexicon_words import LexiconWords
from spacy_medflat.lattice.segmenter import SegmenterWords


def main(
    lexicons: Annotated[list[Path], typer.Argument(help="Lexicon files.")],
    data: Annotated[Path, typer.Option(help="Texts, in any format that `convert` reads.")],
    pkuseg: Annotated[str | None, typer.Option(help="Name or folder of a pkuseg model to time as well.")] = None,
    rounds: Annotated[int, typer.Option(help="Rounds that count.")] = 7,
    batch_size: Annotated[int, typer.Option(help="Texts in a batch.")] = 128,
    output: Annotated[Path, typer.Option(help="JSON file for the figures.")] = Path("metrics/lattice.json"),
) -> None:
    """Time the component and its parts."""
    console = Console()
    nlp = spacy.blank("zh")
    texts = [record.text for record in read_records(data)]
    docs = [nlp.make_doc(text) for text in texts]
    n_chars = sum(map(len, texts))
    words = LexiconWords()
    console.print(f"reading the lexicons: {_timed(lambda: _fill(words.lexicon, lexicons)):.2f} s")
    console.print(f"making the automaton: {_timed(words.matcher):.2f} s for {words.matcher().n_words:,} words")
    lattice = Lattice(nlp.vocab, words)

    def find() -> None:
        for batch in minibatch(texts, batch_size):
            words.find(list(batch))

    sides: dict[str, Callable[[], None]] = {
        "component": lambda: _run(lattice, docs, batch_size),
        "finding words only": find,
        "one Doc at a time": lambda: _run(lattice, docs, 1),
    }
    results = {"lexicon": interleave(sides, n_chars, rounds, warm_up=1)}
    if pkuseg:
        segmenter = SegmenterWords(model=pkuseg)
        segmenter.initialize()
        slow = Lattice(nlp.vocab, segmenter)
        results["pkuseg"] = interleave({"component": lambda: _run(slow, docs, batch_size)}, n_chars, 1, warm_up=0)
    for name, speeds in results.items():
        console.print(f"{name}: {statistics.median(speeds['component']):,.0f} characters a second")
    n_spans = sum(len(doc.spans[lattice.key]) for doc in lattice.pipe(docs))
    console.print(f"{n_spans / n_chars:.3f} words a character")
    setting = {"texts": len(texts), "characters": n_chars, "words": words.matcher().n_words, "batch": batch_size}
    report(results, setting, output)


def _fill(lexicon: Lexicon, paths: list[Path]) -> None:
    for path in paths:
        lexicon.merge(read_lexicon(path))


def _run(lattice: Lattice, docs: list[Doc], batch_size: int) -> None:
    for _ in lattice.pipe(docs, batch_size=batch_size):
        pass


def _timed(run: Callable[[], object]) -> float:
    begin = perf_counter()
    run()
    return perf_counter() - begin


if __name__ == "__main__":
    typer.run(main)
