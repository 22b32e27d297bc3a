"""Pretraining: its speed against a plain loop of torch, and its memory for a little and for much text.

    python -m bench.pretraining speed --data medical_text.txt.gz
    python -m bench.pretraining memory

`speed` trains a new encoder of six layers on the same texts with the command's own code, reading, packing and masking
included, and with a loop that has its batches ready: the same encoder, whose scores are computed at the masked places
by transformers' own head, AdamW, clipping, nothing else. Rounds alternate. `memory` runs the command on generated texts
of two sizes, one process each, and prints the peaks and their ratio. Both write JSON. Memory needs Linux.
"""

import json
import random
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from bench.harness import environment, interleave, report
from spacy_medflat.encoder.pieces import PieceMap
from spacy_medflat.encoder.pretraining.encoder_source import find_recipe, load_masked_lm
from spacy_medflat.encoder.pretraining.epochs import Sequences, epoch_of
from spacy_medflat.encoder.pretraining.masking import MaskedBatch, MaskPieces, mask_batch
from spacy_medflat.encoder.pretraining.packing import CharacterPieces
from spacy_medflat.encoder.pretraining.pretrain_settings import PretrainSettings
from spacy_medflat.encoder.pretraining.run_options import Watcher
from spacy_medflat.encoder.pretraining.survey import survey_texts
from spacy_medflat.encoder.pretraining.text_inputs import find_inputs
from spacy_medflat.encoder.pretraining.trainer import Trainer
from spacy_medflat.encoder.pretraining.vocabulary import frequent_characters
from spacy_medflat.runtime import bfloat16_pays

RECIPE = {
    "hidden_size": 256,
    "num_hidden_layers": 6,
    "num_attention_heads": 4,
    "intermediate_size": 1024,
    "max_position_embeddings": 128,
    "position_embedding_type": "absolute",
}
STEPS_A_ROUND = 4
cli = typer.Typer()


@cli.command()
def speed(
    data: Annotated[Path, typer.Option(help="Texts, one a line.")],
    encoder: Annotated[str, typer.Option(help="Encoder with weights; by default a new one of 6 × 256.")] = "",
    batch: Annotated[int, typer.Option(help="Sequences in a step.")] = 32,
    rounds: Annotated[int, typer.Option(help="Rounds that count.")] = 7,
    output: Annotated[Path, typer.Option(help="JSON file for the figures.")] = Path("metrics/pretraining_speed.json"),
) -> None:
    """Train with the command's code and with a plain loop, alternately."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "recipe.json").write_text(json.dumps(RECIPE), encoding="utf8")
        settings = PretrainSettings(
            encoder=encoder or folder,
            vocabulary=0 if encoder else 7000,
            batch=batch,
            dropout=0.0,
            mixed_precision=bfloat16_pays(torch.device("cpu")),
        )
        ours, plain = _sides(settings, data)
    sides = {"medflat pretrain": ours, "plain loop": plain}
    characters = STEPS_A_ROUND * batch * settings.length
    speeds = interleave(sides, characters, rounds, warm_up=1)
    setting = {"encoder": Path(encoder).name or "6 x 256", "batch": batch, "bfloat16": settings.mixed_precision}
    report({"train": speeds}, setting, output)


def _sides(settings: PretrainSettings, data: Path) -> tuple[Callable[[], None], Callable[[], None]]:
    inputs = find_inputs([str(data)])
    survey = survey_texts(inputs, settings.held_out)
    characters = frequent_characters(survey.frequency, settings.vocabulary) if settings.vocabulary else None

    def trainer_of() -> tuple[Trainer, CharacterPieces]:
        tokenizer, model = load_masked_lm(settings, find_recipe(settings), characters, Watcher(), new=True)
        pieces = PieceMap(tokenizer)
        mask_pieces = MaskPieces.of(pieces, tokenizer, model.encoder.config.vocab_size)
        return Trainer(model, mask_pieces, settings, steps=1000), CharacterPieces(pieces)

    trainer, encode = trainer_of()
    sequences = Sequences(lambda epoch: epoch_of(inputs, survey, encode, settings.length, 0, epoch))
    step = 0

    def ours() -> None:
        nonlocal step
        for _ in range(STEPS_A_ROUND):
            trainer.update(sequences.batch(settings.batch), step)
            step += 1

    other, _ = trainer_of()
    ready = [_masked(sequences.batch(settings.batch), settings, other.pieces) for _ in range(STEPS_A_ROUND)]
    return ours, _PlainLoop(other.model.model, settings, ready)


def _masked(batch: NDArray[np.int32], settings: PretrainSettings, pieces: MaskPieces) -> MaskedBatch:
    return mask_batch(batch, settings.mask_share, pieces, np.random.default_rng(0))


class _PlainLoop:
    """What one writes on an afternoon, with the projection at the masked places alone.

    model (BertForMaskedLM): the model.
    settings (PretrainSettings): rate, clipping and precision.
    batches (list of MaskedBatch): what a round trains on.
    """

    def __init__(self, model: Any, settings: PretrainSettings, batches: list[MaskedBatch]):
        self.model, self.settings = model, settings
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=settings.rate, fused=True)
        self.batches = [tuple(map(torch.from_numpy, (b.ids, b.places, b.targets))) for b in batches]

    def __call__(self) -> None:
        self.model.train()
        for ids, places, targets in self.batches:
            with torch.autocast("cpu", torch.bfloat16, enabled=self.settings.mixed_precision):
                hidden = self.model.bert(input_ids=ids).last_hidden_state
                scores = self.model.cls(hidden.flatten(0, 1)[places])
            torch.nn.functional.cross_entropy(scores.float(), targets).backward()
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.clip)
            self.optimizer.step()
            self.optimizer.zero_grad()


@cli.command()
def memory(
    small: Annotated[float, typer.Option(help="Megabytes of text.")] = 10,
    large: Annotated[float, typer.Option(help="Megabytes of text.")] = 1000,
    steps: Annotated[int, typer.Option(help="Steps of each training.")] = 20,
    folder: Annotated[Path, typer.Option(help="Folder for texts and encoders.")] = Path("metrics/pretraining"),
    output: Annotated[Path, typer.Option(help="JSON file for the figures.")] = Path("metrics/pretraining_memory.json"),
) -> None:
    """Run the command on a little and on much text. Ends with 1 if the peak grows by more than a tenth."""
    (folder / "recipe").mkdir(parents=True, exist_ok=True)
    (folder / "recipe" / "recipe.json").write_text(json.dumps(RECIPE), encoding="utf8")
    peaks = {}
    for megabytes in (small, large):
        texts = folder / f"{megabytes:g}.txt"
        make_texts(texts, int(megabytes * 1e6))
        command = [sys.executable, "-m", "bench.pretraining", "peak", str(texts), "-e", str(folder / "recipe")]
        command += ["-o", str(folder / f"{megabytes:g}"), "--force", "--vocabulary", "7000", "--steps", str(steps)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr)
        peaks[f"{megabytes:g} MB"] = float(done.stdout.splitlines()[-1])
        texts.unlink()
    first, last = peaks.values()
    table = Table("texts", "peak MiB", "to the first")
    for name, peak in peaks.items():
        table.add_row(name, f"{peak:,.0f}", f"{peak / first:.3f}")
    Console().print(table)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps({"peaks": peaks, "environment": environment()}, indent=2), encoding="utf8")
    raise typer.Exit(last > 1.1 * first)


@cli.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def peak(context: typer.Context) -> None:
    """Run `medflat pretrain` with all other arguments, and print the most memory that the process had, in MiB."""
    from spacy_medflat.cli import medflat_cli

    medflat_cli(["pretrain", *context.args], standalone_mode=False)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def make_texts(path: Path, size: int) -> None:
    """Write lines of Chinese characters, some frequent and many rare, until there are so many bytes."""
    draw = np.random.default_rng(0)
    characters = np.array([chr(0x4E00 + i) for i in range(6000)])
    lengths = random.Random(0)
    with path.open("w", encoding="utf8") as file:
        while file.tell() < size:
            block = characters[np.minimum(draw.zipf(1.3, 2**16) - 1, 5999)]
            start = 0
            while start < len(block):
                n = lengths.randint(20, 120)
                file.write("".join(block[start : start + n]) + "\n")
                start += n


if __name__ == "__main__":
    cli()
