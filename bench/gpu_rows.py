"""The rows of `bench.gpu`: training steps, reading, and single layers."""

import gc
import json
from collections.abc import Callable, Iterator
from functools import partial
from itertools import cycle
from pathlib import Path
from statistics import median
from time import monotonic
from typing import Any

import spacy
import torch
from spacy.language import Language
from spacy.training import Example
from spacy.util import fix_random_seed

from bench.adversarial import HEAD, SIDES, TRANSFORMER, make_batches
from bench.flat import BATCH, HEADS, make_run
from bench.gpu_device import Row, begin_peak, gpu_share, read_peak, timed, wait
from spacy_medflat.training.adversarial.callbacks import create_adversarial_training, unwrap
from spacy_medflat.training.adversarial.update import AdversarialUpdate
from spacy_medflat.training.optimizer.layerwise import create_layerwise_adamw

WARM_UP = 3
TEXTS = 3000
# So that the first steps overflow seldom: the loss is a sum over texts and labels.
SCALER = {"init_scale": 1024.0}
Batches = list[list[Example]]


def make_pipeline(
    folder: Path, shape: tuple[int, int, int], data: Path, batch: int, texts: int
) -> tuple[Language, Batches]:
    """An encoder with random weights in mixed precision and a pointer head on it, and what they are trained on.

    folder (Path): for the recipe.
    shape (int, int, int): width, layers and heads of the encoder.
    data (Path): annotated texts. batch, texts (int): of a step, and altogether; 0 for `TEXTS`.
    """
    names = ("hidden_size", "num_hidden_layers", "num_attention_heads")
    recipe: dict[str, Any] = {**dict(zip(names, shape, strict=True)), "intermediate_size": 4 * shape[0]}
    recipe["position_embedding_type"] = "absolute"
    (folder / "recipe.json").write_text(json.dumps(recipe), encoding="utf8")
    nlp = spacy.blank("zh")
    encoder = {"name": str(folder), "mixed_precision": True, "grad_scaler_config": SCALER, "max_batch_items": 2**14}
    nlp.add_pipe("transformer", config={"model": {**TRANSFORMER, **encoder}})
    nlp.add_pipe("medflat_ner", config={"model": HEAD})
    batches = make_batches(nlp, data, texts or TEXTS, batch)
    examples = [example for group in batches for example in group]
    fix_random_seed(0)
    nlp.initialize(lambda: examples)
    return nlp, batches


def training_row(
    what: str, side: str, nlp: Language, batches: Batches, steps: int, until: float, device: torch.device
) -> Row:
    """Some steps of training, adversarial or not, as long as there is time.

    side (str): one of `bench.adversarial.SIDES`.
    until (float): a time of `monotonic`.
    """
    attack = SIDES[side]
    optimizer = create_layerwise_adamw(encoder_rate=1e-5, head_rate=1e-4)
    groups = cycle(batches)

    def step() -> int:
        group = next(groups)
        nlp.update(group, sgd=optimizer)
        return sum(len(example.x) for example in group)

    try:
        if attack is not None:
            create_adversarial_training(attack)(nlp)
        for _ in range(min(WARM_UP, steps)):
            step()
        begin_peak(device)
        seconds, characters, done = _steps(step, steps, until, device)
        memory = read_peak(device)
        share = gpu_share(step, device) if monotonic() < until else None
        note = "" if done == steps else f"stopped after {done} of {steps} steps: its share of the time is used"
        if isinstance(nlp.update, AdversarialUpdate) and nlp.update.stats.skipped:
            note = f"{note} {nlp.update.stats.skipped} attacks skipped".strip()
        return Row(what, side, characters / seconds, seconds / done, memory, share, note)
    except torch.cuda.OutOfMemoryError:
        return Row(what, side, note="the GPU has not enough memory")
    finally:
        unwrap(nlp)
        release(device)


def _steps(step: Callable[[], int], steps: int, until: float, device: torch.device) -> tuple[float, int, int]:
    """Seconds, characters and steps that were made, one at least."""
    wait(device)
    begin, characters, done = monotonic(), 0, 0
    while done < steps and (not done or monotonic() < until):
        characters += step()
        done += 1
    wait(device)
    return monotonic() - begin, characters, done


def reading_row(what: str, nlp: Language, batches: Batches, until: float, device: torch.device) -> Row:
    """`nlp.pipe` over the texts, again and again until half of the time is used, and once at least."""
    texts = [example.text for group in batches for example in group]

    def read() -> int:
        for _ in nlp.pipe(texts, batch_size=256):
            pass
        return sum(map(len, texts))

    begin = monotonic()
    timed(lambda: [None for _ in nlp.pipe(texts[:256], batch_size=256)], device)
    begin_peak(device)
    seconds, characters, done = _steps(read, 10, begin + (until - begin) / 2, device)
    memory = read_peak(device)
    share = gpu_share(read, device) if monotonic() + 8 * seconds / done < until else None
    return Row(what, "mixed precision", characters / seconds, seconds / done, memory, share)


def layer_rows(device: torch.device, small: bool, until: float) -> Iterator[Row]:
    """One layer: FLAT beside torch's own and beside the paper's formula, in float32, as in `bench.flat`."""
    width, rounds = (32, 2) if small else (768, 20)
    HEADS.setdefault(32, 4)
    for length, density in ((32, 0.2),) if small else ((128, 0.2), (128, 0.6), (512, 0.2)):
        sides = ["flat", "plain"] + ["naive"] * (length <= 128 and density == 0.2)
        batch = BATCH.get(length, 2)
        for mode in ("training", "inference"):
            what = f"layer, {mode}, {batch} × {length}, {density} words a character"
            plain: list[Row] = []
            # The plain layer first: the others are given as multiples of it.
            for side in sorted(sides, key=lambda side: side != "plain"):
                if monotonic() > until:
                    yield Row(what, side, note="not measured: the share of the time is used")
                    continue
                run = partial(make_run, side, mode, width, length, density, batch, device)
                row = _layer_row(what, side, run, batch * length, rounds, until, device)
                plain.append(row)
                yield _beside(row, plain[0])


def _layer_row(
    what: str,
    side: str,
    make: Callable[[], Callable[[], Any]],
    n_chars: int,
    rounds: int,
    until: float,
    device: torch.device,
) -> Row:
    try:
        run = make()
        for _ in range(3):
            run()
        before = begin_peak(device)
        run()
        memory = read_peak(device) - before
        seconds: list[float] = []
        while len(seconds) < rounds and (not seconds or monotonic() < until):
            seconds.append(timed(run, device))
        share = gpu_share(run, device)
    except torch.cuda.OutOfMemoryError:
        return Row(what, side, note="the GPU has not enough memory")
    finally:
        release(device)
    return Row(what, side, n_chars / median(seconds), median(seconds), memory, share)


def _beside(row: Row, plain: Row) -> Row:
    if row is plain or row.seconds is None or plain.seconds is None or not plain.memory:
        return row
    ratios = (
        f"{row.seconds / plain.seconds:.2f} × the time, {(row.memory or 0) / plain.memory:.2f} × the memory of plain"
    )
    return row._replace(note=f"{row.note} {ratios}".strip())


def release(device: torch.device) -> None:
    """Give back what the last row held."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
