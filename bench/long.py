"""One long text against the same text in pieces: time and peak memory, each in a process of its own.

    python -m bench.long training/model-best --data CMeEE_dev.json

The text is the concatenation of the data's texts.
"""

import json
import statistics
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from typing import Annotated

import spacy
import typer
from rich.console import Console
from rich.table import Table

from bench.harness import environment
from bench.memory import peak
from spacy_medflat.corpus.formats.registry import read_records


def main(
    model: Annotated[str, typer.Argument(help="Package name or folder of a trained pipeline.")],
    data: Annotated[Path, typer.Option(help="Texts, in any format that `convert` reads.")],
    length: Annotated[int, typer.Option(help="Characters of the long text.")] = 50_000,
    pieces: Annotated[int, typer.Option(help="Pieces of the other side.")] = 500,
    rounds: Annotated[int, typer.Option(help="Processes of each side, which alternate.")] = 3,
    output: Annotated[Path, typer.Option(help="JSON file for the figures.")] = Path("metrics/long.json"),
    child: Annotated[int, typer.Option(hidden=True)] = 0,
) -> None:
    """Compare time and peak memory of one long text and of its pieces."""
    if child:
        print(json.dumps(_measure(model, data, length, child)))
        return
    sides: dict[str, list[dict[str, float]]] = {"one text": [], f"{pieces} pieces": []}
    for _ in range(rounds):
        for name, n in zip(sides, (1, pieces), strict=True):
            command = [sys.executable, "-m", "bench.long", model, "--data", str(data), "--length", str(length)]
            done = subprocess.run([*command, "--child", str(n)], check=True, capture_output=True, text=True)
            sides[name].append(json.loads(done.stdout.splitlines()[-1]))
    table = Table("", *sides, "ratio of medians", title=f"{length:,} characters, {rounds} processes of each")
    figures: dict[str, object] = {"environment": environment(), "runs": sides}
    for name, unit in (("seconds", "s"), ("peak", "MiB")):
        one, many = (statistics.median(run[name] for run in runs) for runs in sides.values())
        table.add_row(name, f"{one:.2f} {unit}", f"{many:.2f} {unit}", f"{one / many:.3f}")
        figures[name] = {"one": one, "pieces": many, "ratio": one / many}
    console = Console()
    console.print(table)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(figures, indent=2), encoding="utf8")


def _measure(model: str, data: Path, length: int, n: int) -> dict[str, float]:
    nlp = spacy.load(model)
    text = "".join(record.text for record in read_records(data))[:length]
    if len(text) < length:
        text = (text * (length // len(text) + 1))[:length]
    size = -(-length // n)
    texts = [text[i : i + size] for i in range(0, length, size)]
    nlp(text[:200])
    begin = perf_counter()
    found = sum(len(doc.spans["sc"]) for doc in nlp.pipe(texts))
    seconds = perf_counter() - begin
    # The peak of the whole process, loading included, in MiB.
    return {"seconds": seconds, "peak": peak(), "spans": found}


if __name__ == "__main__":
    typer.run(main)
