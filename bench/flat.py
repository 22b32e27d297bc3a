"""Time and memory of one FLAT layer, a plain transformer encoder layer of the same size, and the paper's formula.

    python -m bench.flat

The sides of the comparison, on random vectors and words; reading words from Docs is not part of it:

- flat: the default kind (fusion `ff`, feed-forward of four times the width, gated, windows of 256, dropout 0.1);
- plain: torch's `TransformerEncoderLayer` with the same dropout, over whole texts;
- naive: FLAT as its paper writes it, without windows and dropout; longer texts need tens of GiB. Its results
  are first checked against those of the flat side.

Times are medians of training steps (forward and backward) and of inference; the sides alternate in one process. Memory
is the peak above that at the start of a pass, each case in a process of its own (Linux). A second table has the time of
inference on one text, by its length.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Annotated, Any

import numpy as np
import torch
import typer
from torch import Tensor, nn

from bench.harness import environment
from bench.memory import forget_peak, peak
from bench.naive_flat import naive_flat
from spacy_medflat.flat.batch import DocWords, cut_windows, pack_parts
from spacy_medflat.flat.model import FlatTexts
from spacy_medflat.flat.settings import FlatSettings

HEADS = {768: 12, 512: 8}
# Texts of a batch for each length: a longer text, fewer of them.
BATCH = {128: 8, 512: 8, 2048: 2}
# How often words of 2, 3, … characters come in the lattice of CMeEE dev (all matches of 260,706 medical words).
WORD_LENGTHS = (0.733, 0.153, 0.074, 0.026, 0.009, 0.004, 0.001)
WORD_WIDTH = 100
CPU = torch.device("cpu")
LENGTHS = ", ".join(map(str, BATCH))


def main(
    rounds: Annotated[int, typer.Option(help="Rounds that count, after one that does not.")] = 5,
    lengths: Annotated[
        list[int] | None, typer.Option("--length", help=f"Characters of a text: {LENGTHS}. All by default.")
    ] = None,
    busy: Annotated[bool, typer.Option("--busy", help="Count processor time: others use the machine, too.")] = False,
    naive: Annotated[bool, typer.Option(help="The naive formula, too, with texts of 128 characters.")] = True,
    output: Annotated[Path, typer.Option(help="JSON file for the figures.")] = Path("metrics/flat.json"),
    child: Annotated[str, typer.Option(hidden=True)] = "",
) -> None:
    """Compare time and peak memory."""
    if child:
        side, mode, *sizes = child.split(",")
        print(_extra_memory(side, mode, *map(float, sizes)))
        return
    columns = ("width", "texts × characters", "words / character", "", "seconds", "/ plain", "MiB", "/ plain")
    print("| " + " | ".join(columns) + " |\n" + "|---" * len(columns) + "|", flush=True)
    clock = process_time if busy else perf_counter
    cases = []
    for width, length, density in product(HEADS, lengths or BATCH, (0.0, 0.2, 0.6)):
        cases.append(_compare(width, length, density, rounds, clock, naive and length == 128 and density == 0.2))
        for mode, sides in cases[-1]["sides"].items():
            for side, figures in sides.items():
                row = (
                    str(width),
                    f"{BATCH[length]} × {length:,}",
                    str(density),
                    f"{mode}, {side}",
                    f"{figures['seconds']:.3f}",
                    f"{figures['time ratio']:.2f}",
                    f"{figures['memory']:,.0f}",
                    f"{figures['memory ratio']:.2f}",
                )
                print("| " + " | ".join(row) + " |", flush=True)
    print("\none text, inference, width 768:", flush=True)
    long = {}
    for length in (256, 1024, 4096):
        long[length] = seconds = _seconds(make_run("flat", "inference", 768, length, 0.4, 1), rounds, clock)
        print(f"{length:,} characters {seconds:.3f} s, {seconds / length * 1e6:.0f} µs a character", flush=True)
    print(environment())
    output.parent.mkdir(parents=True, exist_ok=True)
    figures = {"environment": environment(), "cases": cases, "one text": long}
    output.write_text(json.dumps(figures, indent=2), encoding="utf8")


def _compare(
    width: int, length: int, density: float, rounds: int, clock: Callable[[], float], naive: bool
) -> dict[str, Any]:
    sides = ["flat", "plain"]
    if naive:
        sides.append("naive")
        _check_naive(width, length, density)
    result: dict[str, Any] = {"width": width, "length": length, "density": density, "sides": {}}
    for mode in ("training", "inference"):
        runs = {side: make_run(side, mode, width, length, density, BATCH[length]) for side in sides}
        seconds: dict[str, list[float]] = {side: [] for side in sides}
        for i in range(rounds + 1):
            for side, run in runs.items():
                begin = clock()
                run()
                if i:
                    seconds[side].append(clock() - begin)
        memory = {side: _memory_in_a_child(side, mode, width, length, density) for side in sides}
        result["sides"][mode] = {
            side: {
                "seconds": median(seconds[side]),
                "time ratio": median(seconds[side]) / median(seconds["plain"]),
                "memory": memory[side],
                "memory ratio": memory[side] / memory["plain"],
                "rounds": seconds[side],
            }
            for side in sides
        }
    return result


def _check_naive(width: int, length: int, density: float) -> None:
    ours, naive = (make_run(side, "inference", width, length, density, 2)() for side in ("flat", "naive"))
    torch.testing.assert_close(ours.view(-1), naive.reshape(-1), rtol=1e-3, atol=1e-4)


def make_run(
    side: str, mode: str, width: int, length: int, density: float, batch: int, device: torch.device = CPU
) -> Callable[[], Tensor]:
    """One pass over random texts: forward and backward, or forward alone.

    side (str): `flat`, `plain` or `naive`. mode (str): `training` or `inference`.
    width, length, batch (int), density (float): of the vectors, characters of a text, texts, words a character.
    """
    torch.manual_seed(0)
    chars = torch.randn(batch * length, width).to(device)
    words = [_random_words(length, density, seed) for seed in range(batch)]
    features = torch.randn(sum(len(found.heads) for found in words), WORD_WIDTH).to(device)
    call: Callable[[Tensor], Tensor]
    module: nn.Module
    if side == "plain":
        layer = nn.TransformerEncoderLayer(width, HEADS[width], 4 * width, dropout=0.1, batch_first=True)
        module, call = layer, lambda x: layer(x.view(batch, length, width))
    else:
        flat = FlatTexts(width, WORD_WIDTH, FlatSettings(n_heads=HEADS[width], attention_dropout=0.1, dropout=0.1))
        module = flat
        with torch.no_grad():
            flat.flat.gate.fill_(1.0)
        if side == "flat":
            windows, _ = cut_windows([length] * batch, words, 256, 32, 256)
            # As in a pipeline: parts of a bounded size in prediction, all at once in training.
            parts = pack_parts(windows, flat.flat.settings.max_batch_items if mode == "inference" else 10**9, device)
            call = lambda x: flat(x, features, parts)  # noqa: E731
        else:
            (part,) = pack_parts(cut_windows([length] * batch, words, length, 0, 10**9)[0], 10**9, device)
            call = lambda x: naive_flat(  # noqa: E731
                flat.flat, x.view(batch, length, width), features[part.word_rows], part.layout
            )
    module.to(device).train(mode == "training")

    def run() -> Tensor:
        if mode == "training":
            out = call(chars.clone().requires_grad_())
            out.sum().backward()
            return out
        with torch.no_grad():
            return call(chars)

    return run


def _random_words(length: int, density: float, seed: int) -> DocWords:
    random = np.random.default_rng(seed)
    places: set[tuple[int, int]] = set()
    while len(places) < density * length:
        size = int(random.choice(len(WORD_LENGTHS), p=WORD_LENGTHS)) + 2
        head = int(random.integers(0, length - size + 1))
        places.add((head, head + size - 1))
    heads, tails = np.array(sorted(places), dtype=np.int64).reshape(-1, 2).T
    return DocWords(heads, tails, np.arange(len(heads)) + seed * len(heads))


def _seconds(run: Callable[[], Tensor], rounds: int, clock: Callable[[], float]) -> float:
    run()
    times = []
    for _ in range(rounds):
        begin = clock()
        run()
        times.append(clock() - begin)
    return median(times)


def _memory_in_a_child(side: str, mode: str, width: int, length: int, density: float) -> float:
    case = f"{side},{mode},{width},{length},{density}"
    command = [sys.executable, "-m", "bench.flat", "--child", case]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout.splitlines()[-1])


def _extra_memory(side: str, mode: str, width: float, length: float, density: float) -> float:
    """Peak memory of one pass beyond the weights and inputs, in MiB."""
    # What a first pass of any size takes, for the code of libraries above all, is not counted.
    make_run(side, mode, int(width), 16, density, 1)()
    run = make_run(side, mode, int(width), int(length), density, BATCH[int(length)])
    before = forget_peak()
    run()
    return peak() - before


if __name__ == "__main__":
    typer.run(main)
