"""How often a pipeline finds entities in ordinary text, where there are hardly any.

    python -m bench.ordinary zh_medflat statutes.txt.gz dialogue.txt.gz --texts 2000

Some are right: a statute on health names diseases. So the figures of two pipelines are compared, not held against zero.
"""

import gzip
import io
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from spacy_medflat.loading import load_model


def main(
    model: Annotated[str, typer.Argument(help="An installed pipeline, or its folder.")],
    data: Annotated[list[Path], typer.Argument(help="Files with a text a line, plain or gzipped.")],
    texts: Annotated[int, typer.Option(min=1, help="Read so many texts of each, spread over the file.")] = 2000,
    spans_key: Annotated[str, typer.Option(help="Span group of the entities.")] = "sc",
) -> None:
    """Count spans by label, for 1,000 characters."""
    nlp = load_model(model)
    table = Table(title=f"spans of {model} for 1,000 characters")
    for column in ("texts", "characters", "spans", "most frequent"):
        table.add_column(column, justify="left" if column in ("texts", "most frequent") else "right")
    for path in data:
        chosen = list(_spread(path, texts))
        n_characters = sum(map(len, chosen))
        found = Counter((s.label_, s.text) for doc in nlp.pipe(chosen) for s in doc.spans.get(spans_key, ()))
        labels = Counter[str]()
        for (label, _), count in found.items():
            labels[label] += count
        rate = 1000 * sum(found.values()) / max(n_characters, 1)
        by_label = ", ".join(f"{label} {1000 * count / n_characters:.2f}" for label, count in labels.most_common())
        strings = " ".join(f"{string} ({label}, {count})" for (label, string), count in found.most_common(12))
        table.add_row(path.name, f"{n_characters:,}", f"{rate:.2f}", f"{by_label}\n{strings}")
    Console(width=160).print(table)


def _spread(path: Path, limit: int) -> Iterator[str]:
    """Texts at equal distances in a file."""
    with _opened(path) as file:
        step = max(sum(1 for _ in file) // limit, 1)
    with _opened(path) as file:
        yield from (line.strip() for line in islice(file, 0, step * limit, step))


def _opened(path: Path) -> io.TextIOWrapper:
    return gzip.open(path, "rt", encoding="utf8") if path.suffix == ".gz" else path.open(encoding="utf8")


if __name__ == "__main__":
    typer.run(main)
