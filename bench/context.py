"""What is said about entities: scores on annotated notes, misses, deciding cues, time by length; beside others.

    python -m bench.context assets/corpus/context_held_out.jsonl --peers

The gold entities are given. medspaCy's ConText and negspaCy get the same cues, as far as they can hold them, and are
left out where they are not installed.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import spacy
import typer
from rich.console import Console
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from bench.context_peers import PEERS
from bench.harness import environment, with_gold
from spacy_medflat.context.attributes import ATTRIBUTE_OF, VALUES, values_of
from spacy_medflat.context.scorer import score_context
from spacy_medflat.corpus.reader import create_cmeee_reader

KEY = "sc"
LENGTHS = (1_000, 10_000, 100_000)
# The others' time grows with the square of the length.
LONGEST_OF_OTHERS = 10_000
CUES_SHOWN = 20
HEAD = ("", "P", "R", "F1", "right")


def ours() -> Language:
    """A pipeline of the two components."""
    nlp = spacy.blank("zh")
    nlp.add_pipe("medflat_sections")
    nlp.add_pipe("medflat_context")
    return nlp


def main(
    data: Annotated[Path, typer.Argument(help="Notes whose entities have assertion, experiencer and temporality.")],
    peers: Annotated[bool, typer.Option("--peers", help="Run the others too.")] = False,
    output: Annotated[Path, typer.Option(help="JSON file for the figures.")] = Path("metrics/context.json"),
) -> None:
    """Score and time the components."""
    console = Console(soft_wrap=True)
    sides: dict[str, Callable[[], Language]] = {"ours": ours}
    if peers:
        sides |= {name: make for name, (package, make) in PEERS.items() if find_spec(package)}
    figures: dict[str, Any] = {"data": data.name, "environment": environment()}
    for name, make in sides.items():
        nlp = make()
        examples = [_judged(nlp, example) for example in create_cmeee_reader(data)(nlp)]
        scores = score_context(examples)
        seconds = {
            length: _seconds(nlp, examples, length)
            for length in LENGTHS
            if name == "ours" or length <= LONGEST_OF_OTHERS
        }
        figures[name] = {"scores": scores, "seconds": seconds}
        console.print(_table(name, scores), markup=False)
        console.print(", ".join(f"{length:,} characters {took:.3f} s" for length, took in seconds.items()))
        if name == "ours":
            console.print("\n".join(_misses(examples)), markup=False)
            console.print(_deciding(examples), markup=False)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(figures, ensure_ascii=False, indent=2), encoding="utf8")


def _judged(nlp: Language, example: Example) -> Example:
    """An example whose prediction has the gold entities, and what the pipeline says about them."""
    doc = with_gold(nlp, [example.reference], KEY)
    return Example(nlp(doc), example.reference)


def _seconds(nlp: Language, examples: list[Example], length: int) -> float:
    """What the pipeline takes for one text, made of the notes."""
    texts: list[Doc] = []
    while sum(len(doc.text) + 1 for doc in texts) < length:
        texts.append(examples[len(texts) % len(examples)].reference)
    doc = with_gold(nlp, texts, KEY)
    begun = perf_counter()
    nlp(doc)
    return perf_counter() - begun


def _misses(examples: list[Example]) -> Iterator[str]:
    for example in examples:
        text = example.reference.text
        for gold, found in zip(example.reference.spans[KEY], example.predicted.spans[KEY], strict=True):
            wrong = {name: value for name, value in values_of(gold).items() if values_of(found)[name] != value}
            if wrong:
                said = ", ".join(f"{value}, found {values_of(found)[name]}" for name, value in wrong.items())
                cues = "、".join(cue.text for cue in found._.cues)
                start, end = max(gold.start_char - 25, 0), gold.end_char + 15
                around = text[start : gold.start_char] + f"[{gold.text}]" + text[gold.end_char : end]
                yield f"{around.replace(chr(10), ' ')}: {said} ({cues})"


def _deciding(examples: list[Example]) -> str:
    """The cues that decided most often: what each speaks for, of how many entities, and how many it got right."""
    decided: Counter[tuple[str, str]] = Counter()
    right: Counter[tuple[str, str]] = Counter()
    for example in examples:
        for gold, found in zip(example.reference.spans[KEY], example.predicted.spans[KEY], strict=True):
            cues = {(cue.text, cue.value) for cue in found._.cues}
            decided.update(cues)
            right.update(cue for cue in cues if values_of(gold).get(ATTRIBUTE_OF[cue[1]]) == cue[1])
    rows = [[*cue, str(count), str(right[cue])] for cue, count in decided.most_common(CUES_SHOWN)]
    return _markdown(("cue", "value", "entities", "right"), rows)


def _table(name: str, scores: dict[str, Any]) -> str:
    rows = []
    for attribute in VALUES:
        if scores[f"context_{KEY}_{attribute}_acc"] is None:
            continue
        rows.append([attribute, "", "", "", f"{scores[f'context_{KEY}_{attribute}_acc']:.3f}"])
        for value, found in (scores[f"context_{KEY}_{attribute}_per_value"] or {}).items():
            rows.append([value, *(f"{found[part]:.3f}" for part in "prf"), ""])
    return f"{name}: {scores[f'context_{KEY}_spans']} entities\n{_markdown(HEAD, rows)}"


def _markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = (f"| {' | '.join(row)} |" for row in (head, *rows))
    return "\n".join([next(lines), "|" + "---|" * len(head), *lines])


if __name__ == "__main__":
    typer.run(main)
