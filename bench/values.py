"""Values of tests and drugs: scores on annotated notes, misses, and the time of the components beside each other.

    python -m bench.values assets/corpus/values_held_out.jsonl

The gold entities are given. The times are those of one text of 100,000 characters, made of the notes.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from time import process_time
from typing import Annotated, Any

import spacy
import typer
from rich.console import Console
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from bench.harness import environment, with_gold
from spacy_medflat.corpus.reader import create_cmeee_reader
from spacy_medflat.linking.component import CodeLinker
from spacy_medflat.values.attributes import value_of, value_shown
from spacy_medflat.values.scorer import same, score_values

KEY = "sc"
LENGTH = 100_000
COMPONENTS = ("medflat_sections", "medflat_context", "medflat_values", "medflat_linker")
CODES = Path("assets/codes.tsv")


def main(
    data: Annotated[Path, typer.Argument(help="Notes whose entities have values.")],
    output: Annotated[Path, typer.Option(help="JSON file for the figures.")] = Path("metrics/values.json"),
) -> None:
    """Score and time the component."""
    console = Console(soft_wrap=True)
    nlp = spacy.blank("zh")
    for name in COMPONENTS:
        pipe = nlp.add_pipe(name)
        if isinstance(pipe, CodeLinker):
            pipe.add(CODES)
    examples = [_read(nlp, example) for example in create_cmeee_reader(data)(nlp)]
    scores = score_values(examples)
    pairs = [pair for example in examples for pair in _pairs(example)]
    right = sum(gold == found or bool(gold and found and same(gold, found)) for _, gold, found in pairs)
    console.print(f"{len(examples)} lines, {len(pairs)} tests and drugs, {right / len(pairs):.3f} right")
    console.print(_table(scores), markup=False)
    console.print("\n".join(_misses(pairs)), markup=False)
    seconds = _seconds(nlp, examples)
    console.print(", ".join(f"{name} {took:.2f} s" for name, took in seconds.items()))
    figures = {"data": data.name, "environment": environment(), "right": right / len(pairs), "scores": scores}
    output.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({**figures, "seconds": seconds}, ensure_ascii=False, indent=2)
    output.write_text(text, encoding="utf8")


def _read(nlp: Language, example: Example) -> Example:
    """An example whose prediction has the gold entities, and what the pipeline says about them."""
    return Example(nlp(with_gold(nlp, [example.reference], KEY)), example.reference)


def _pairs(example: Example) -> Iterator[tuple[str, Any, Any]]:
    text = example.reference.text
    for gold, found in zip(example.reference.spans[KEY], example.predicted.spans[KEY], strict=True):
        if gold.label_ in ("ite", "pro", "dru"):
            place = f"{text[: gold.start_char][-12:]}[{gold.text}]{text[gold.end_char :][:25]}"
            yield place, value_of(gold), value_of(found)


def _misses(pairs: list[tuple[str, Any, Any]]) -> Iterator[str]:
    for place, gold, found in pairs:
        if gold != found and not (gold and found and same(gold, found)):
            yield f"{place}: {value_shown(gold) or 'none'}, found {value_shown(found) or 'none'}"


def _table(scores: dict[str, Any]) -> str:
    whole = {part: scores[f"values_{KEY}_{part}"] for part in "prf"}
    rows = {"whole": whole, **scores[f"values_{KEY}_per_field"]}
    lines = [f"| {name} | {' | '.join(f'{found[part]:.3f}' for part in 'prf')} |" for name, found in rows.items()]
    return "\n".join(["| | P | R | F1 |", "|---|---|---|---|", *lines])


def _seconds(nlp: Language, examples: list[Example]) -> dict[str, float]:
    """What each component takes for one long text, of the time of one core."""
    gold: list[Doc] = []
    length = 0
    while length < LENGTH:
        gold.append(examples[len(gold) % len(examples)].reference)
        length += len(gold[-1].text) + 1
    doc = with_gold(nlp, gold, KEY)
    taken: dict[str, float] = {}
    for name, pipe in nlp.pipeline:
        begun = process_time()
        pipe(doc)
        taken[name] = process_time() - begun
    return taken


if __name__ == "__main__":
    typer.run(main)
