"""How long the command line and a pipeline take to start, and how many modules they import.

    python -m bench.start zh_medflat

Each start is a process of its own, in turns. Beside them is what spaCy takes where this package is not installed.
Processor time is told, because on a busy machine the time by the clock is that of the others.
"""

import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bench.harness import environment

_HIDE = """
import importlib.metadata
import catalogue
found = [entry for group in importlib.metadata.entry_points().groups for entry in
         importlib.metadata.entry_points(group=group)]
others = [entry for entry in found if not entry.value.startswith("spacy_medflat")]
catalogue.AVAILABLE_ENTRY_POINTS = importlib.metadata.EntryPoints(others)
"""
_HELP = """
import contextlib, io, sys
sys.argv = ["spacy", *{words}]
from spacy.cli import setup_cli
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    setup_cli()
"""
_TELL = """
import json, sys, time
print(json.dumps([time.process_time(), len(sys.modules)]))
"""


def main(
    model: Annotated[str, typer.Argument(help="Package name or folder of a trained pipeline.")],
    rounds: Annotated[int, typer.Option(help="Starts of each kind.")] = 5,
    output: Annotated[Path, typer.Option(help="JSON file for the figures.")] = Path("metrics/start.json"),
) -> None:
    """Start everything in turns."""
    encoder = "import spacy, spacy_transformers; from transformers import AutoTokenizer, BertModel, BertTokenizerFast"
    kinds = {
        "spacy --help, without us": _HIDE + _HELP.format(words=["--help"]),
        "spacy medflat --help": _HELP.format(words=["medflat", "--help"]),
        "spacy.blank, without us": _HIDE + "import spacy; spacy.blank('zh')",
        "spacy.blank": "import spacy; spacy.blank('zh')",
        "spaCy, spacy-transformers and a BERT": encoder,
        f"spacy.load({Path(model).name})": f"import spacy; spacy.load({model!r})",
    }
    figures: dict[str, list[tuple[float, int]]] = {kind: [] for kind in kinds}
    for _ in range(rounds):
        for kind, code in kinds.items():
            done = subprocess.run([sys.executable, "-W", "ignore", "-c", code + _TELL], capture_output=True, check=True)
            figures[kind].append(tuple(json.loads(done.stdout.splitlines()[-1])))
    table = Table("start", "seconds of a processor", "range", "modules")
    for kind, found in figures.items():
        seconds = [one[0] for one in found]
        spread = f"{min(seconds):.2f}–{max(seconds):.2f}"
        table.add_row(kind, f"{statistics.median(seconds):.2f}", spread, f"{found[0][1]:,}")
    Console().print(table)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps({"environment": environment(), "starts": figures}, indent=2), encoding="utf8")


if __name__ == "__main__":
    typer.run(main)
