"""Where the time of `nlp.pipe` goes: the encoder itself, and all that is around it.

    python -m bench.shares MODEL --data CMeEE_dev.json

Needs a pipeline with a component `transformer` of torch. Prints a table, and writes the figures as JSON.
"""

import json
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import spacy
import typer
from rich.console import Console
from rich.table import Table
from spacy.language import Language

from bench.harness import environment
from spacy_medflat._internals import module_of
from spacy_medflat.corpus.formats.registry import read_records

ENCODER = "the encoder's forward pass"


def main(
    model: Annotated[str, typer.Argument(help="Package name or folder of a trained pipeline.")],
    data: Annotated[Path, typer.Option(help="Texts, in any format that `convert` reads.")],
    texts: Annotated[int, typer.Option(help="Texts that are read.")] = 1000,
    output: Annotated[Path, typer.Option(help="JSON file for the figures.")] = Path("metrics/shares.json"),
) -> None:
    """Time the parts of a pipeline while it reads texts."""
    nlp = spacy.load(model)
    raw = [record.text for record in read_records(data)][:texts]
    for _ in nlp.pipe(raw[:64]):
        pass
    spent: defaultdict[str, float] = defaultdict(float)
    _watch(nlp, spent)
    begin = perf_counter()
    for _ in nlp.pipe(raw):
        pass
    total = perf_counter() - begin
    inside = spent.pop(ENCODER)
    spent["transformer, the rest"] = spent.pop("transformer") - inside
    parts = {ENCODER: inside, **spent, "all else": total - inside - sum(spent.values())}
    n_chars = sum(map(len, raw))
    title = f"{len(raw):,} texts, {n_chars:,} characters in {total:.2f} s: {n_chars / total:,.0f} characters/s"
    table = Table("part", "seconds", "%", title=title)
    for name, seconds in parts.items():
        table.add_row(name, f"{seconds:.3f}", f"{100 * seconds / total:.1f}")
    Console().print(table)
    setting = {"texts": len(raw), "characters": n_chars}
    figures = {"setting": setting, "environment": environment(), "seconds": total, "parts": parts}
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(figures, indent=2), encoding="utf8")


def _watch(nlp: Language, spent: defaultdict[str, float]) -> None:
    """Let every part add its seconds."""
    for name, pipe in nlp.pipeline:
        for method in ("predict", "set_annotations"):
            _time(pipe, method, name, spent)
    nlp.tokenizer = _Tokenizer(nlp.tokenizer, spent)
    transformer: Any = nlp.get_pipe("transformer")
    (module,) = (module_of(shim) for node in transformer.model.walk() for shim in node.shims)
    _time(module, "forward", ENCODER, spent)


def _time(owner: Any, method: str, name: str, spent: defaultdict[str, float]) -> None:
    work: Callable[..., Any] | None = getattr(owner, method, None)
    if work is None:
        return

    def timed(*args: Any, **kwargs: Any) -> Any:
        begin = perf_counter()
        result = work(*args, **kwargs)
        spent[name] += perf_counter() - begin
        return result

    setattr(owner, method, timed)


class _Tokenizer:
    """Python looks a call up in the class, so a tokenizer cannot be timed in place."""

    def __init__(self, tokenizer: Any, spent: defaultdict[str, float]):
        self.tokenizer, self.spent = tokenizer, spent

    def __call__(self, text: str) -> Any:
        begin = perf_counter()
        doc = self.tokenizer(text)
        self.spent["tokenizer"] += perf_counter() - begin
        return doc


if __name__ == "__main__":
    typer.run(main)
