"""How large the batches of an encoder should be on a CPU: `nlp.pipe` by what a batch is said to cost beside its items.

    python -m bench.batches MODEL --data CMeEE_dev.json

Texts come in groups of `--group`, as from a service with few requests at a time, or from `nlp.pipe(batch_size=...)`.
With the highest overhead batches are as few as can be, and padding is most. Prints a row when it is done: characters a
second, and the share of padding in what the encoder reads.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Annotated, Any

import numpy as np
import typer
from spacy.language import Language

import spacy_medflat.windows
from bench.harness import environment, interleave
from spacy_medflat.corpus.formats.registry import read_records
from spacy_medflat.encoder.architecture import EncoderLimits
from spacy_medflat.loading import load_model
from spacy_medflat.windows import cheapest_batches, split_windows

FEW = 10**6


def main(
    model: Annotated[str, typer.Argument(help="Package name or folder of a trained pipeline.")],
    data: Annotated[Path, typer.Option(help="Texts, in any format that `convert` reads.")],
    group: Annotated[list[int] | None, typer.Option(help="Texts at a time. 16, 64 and 128 by default.")] = None,
    overhead: Annotated[list[int] | None, typer.Option(help="Overheads, in characters.")] = None,
    bfloat16: Annotated[bool, typer.Option("--bfloat16", help="In half precision.")] = False,
    busy: Annotated[bool, typer.Option("--busy", help="Count processor time: others use the machine, too.")] = False,
    texts: Annotated[int, typer.Option(help="Texts of a round.")] = 128,
    rounds: Annotated[int, typer.Option(help="Rounds of each overhead that count.")] = 3,
) -> None:
    """Let a pipeline read the same texts with batches of several overheads, in turn."""
    nlp = load_model(model, mixed_precision=bfloat16)
    raw = [record.text for record in read_records(data)][:texts]
    values = overhead or [FEW, 8, 24, 48, 64]
    print("| texts at a time | " + " | ".join("few batches" if n >= FEW else str(n) for n in values) + " |")
    print("|---:" * (len(values) + 1) + "|", flush=True)
    transformer: Any = nlp.get_pipe("transformer")
    limits = next(node.attrs["limits"] for node in transformer.model.walk() if node.name == "char_transformer")
    for size in group or [16, 64, 128]:
        sides: dict[str, Callable[[], None]] = {str(n): partial(_read, nlp, raw, size, n) for n in values}
        speeds = interleave(sides, sum(map(len, raw)), rounds, 1, process_time if busy else perf_counter)
        shares = [_padding(raw, size, limits, n) for n in values]
        cells = [f"{median(speeds[str(n)]):,.0f}, {share:.0%}" for n, share in zip(values, shares, strict=True)]
        print(f"| {size} | " + " | ".join(cells) + " |", flush=True)
    print(environment())


def _read(nlp: Language, raw: list[str], size: int, overhead: int) -> None:
    spacy_medflat.windows.CPU_OVERHEAD = overhead
    for _ in nlp.pipe(raw, batch_size=size):
        pass


def _padding(raw: list[str], size: int, limits: EncoderLimits, overhead: int) -> float:
    """The share of padding in what the encoder reads of groups of `size` texts."""
    pieces = padded = 0
    for i in range(0, len(raw), size):
        windows = [split_windows(len(text), limits.window, limits.overlap) for text in raw[i : i + size]]
        # Two special pieces in each.
        lengths = np.sort(np.concatenate([w.ends - w.starts for w in windows])) + 2
        for batch in cheapest_batches(lengths[:, None], limits.max_batch_items, overhead):
            pieces += int(lengths[batch].sum())
            padded += len(lengths[batch]) * int(lengths[batch].max())
    return 1 - pieces / padded


if __name__ == "__main__":
    typer.run(main)
