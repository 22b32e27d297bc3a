"""What adversarial training costs beside clean training: time, in alternating rounds, and peak memory.

    python -m bench.adversarial --encoder FOLDER_OR_NAME --data CMeEE_train.json

All sides train one pipeline (the encoder, and `medflat_ner` on it) on the same batches. Prints characters a second, the
cost as a multiple of clean training, and the peak of processes that train one side each; writes all to a JSON file.
"""

import json
import random
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import spacy
import typer
from rich.console import Console
from rich.table import Table
from spacy.language import Language
from spacy.training import Example
from spacy.util import fix_random_seed

from bench.harness import interleave, report
from bench.memory import peak
from spacy_medflat.corpus.reader import create_cmeee_reader
from spacy_medflat.training.adversarial.attacks import FGM, PGD, Attack
from spacy_medflat.training.adversarial.callbacks import create_adversarial_training, unwrap
from spacy_medflat.training.optimizer.layerwise import create_layerwise_adamw

SIDES: dict[str, Attack | None] = {"clean": None, "FGM": FGM(1.0), "PGD 3": PGD(1.0, 0.3, 3)}
TRANSFORMER = {"@architectures": "spacy_medflat.CharTransformer.v1", "window": 256}
LISTENER = {
    "@architectures": "spacy-transformers.TransformerListener.v1",
    "grad_factor": 1.0,
    "pooling": {"@layers": "reduce_mean.v1"},
    "upstream": "*",
}
HEAD = {"@architectures": "spacy_medflat.EfficientGlobalPointer.v1", "tok2vec": LISTENER}


def main(
    encoder: Annotated[str, typer.Option(help="Encoder, with weights.")],
    data: Annotated[Path, typer.Option(help="Annotated texts.")],
    texts: Annotated[int, typer.Option(help="Texts of a round.")] = 600,
    rounds: Annotated[int, typer.Option(help="Rounds of each side that count, after one that does not.")] = 5,
    batch: Annotated[int, typer.Option(help="Texts of a batch.")] = 32,
    processes: Annotated[int, typer.Option(help="Processes of each side whose memory is measured.")] = 3,
    target: Annotated[Literal["output", "weights"], typer.Option(help="What is attacked.")] = "output",
    output: Annotated[Path, typer.Option(help="JSON file for the figures.")] = Path("metrics/adversarial.json"),
    child: Annotated[str, typer.Option(hidden=True)] = "",
) -> None:
    """Measure clean training, FGM and PGD with three steps."""
    nlp = _pipeline(encoder, data)
    batches = make_batches(nlp, data, texts, batch)
    names = [child] if child else list(SIDES)
    sides = {name: _side(nlp, batches, SIDES[name], target) for name in names}
    if child:
        # Twice: the optimizer makes its state at the end of the first step.
        for _ in range(2):
            sides[child]()
        # The peak of the whole process, loading included, in MiB.
        print(json.dumps(peak()))
        return
    peaks: dict[str, list[float]] = {name: [] for name in SIDES}
    command = [sys.executable, "-m", "bench.adversarial", "--encoder", encoder, "--data", str(data)]
    command += ["--texts", str(min(texts, 8 * batch)), "--batch", str(batch), "--target", target]
    for _ in range(processes):
        for name in SIDES:
            done = subprocess.run([*command, "--child", name], check=True, capture_output=True, text=True)
            peaks[name].append(json.loads(done.stdout.splitlines()[-1]))
    n_chars = sum(len(eg.text) for group in batches for eg in group)
    results = {"training": interleave(sides, n_chars, rounds, warm_up=1)}
    setting = {"texts": texts, "characters": n_chars, "batch": batch, "target": target, "encoder": Path(encoder).name}
    report(results, setting, output)
    _report_memory(peaks, output)


def _report_memory(peaks: dict[str, list[float]], output: Path) -> None:
    table = Table("side", "peak (MiB)", "range", "this / clean", title="memory, one process for each figure")
    medians = {name: statistics.median(values) for name, values in peaks.items() if values}
    for name, median in medians.items():
        ratio = median / medians["clean"]
        table.add_row(name, f"{median:,.0f}", f"{min(peaks[name]):,.0f}–{max(peaks[name]):,.0f}", f"{ratio:.3f}")
    Console().print(table)
    figures = json.loads(output.read_text(encoding="utf8"))
    figures["memory"] = {
        "peaks": peaks,
        "ratios": {name: median / medians["clean"] for name, median in medians.items()},
    }
    output.write_text(json.dumps(figures, indent=2), encoding="utf8")


def _pipeline(encoder: str, data: Path) -> Language:
    nlp = spacy.blank("zh")
    nlp.add_pipe("transformer", config={"model": {**TRANSFORMER, "name": encoder}})
    nlp.add_pipe("medflat_ner", config={"model": HEAD})
    sample = list(create_cmeee_reader(data, limit=2000)(nlp))
    fix_random_seed(0)
    nlp.initialize(lambda: sample)
    return nlp


def _side(
    nlp: Language, batches: list[list[Example]], attack: Attack | None, target: Literal["output", "weights"]
) -> Callable[[], None]:
    optimizer = create_layerwise_adamw(encoder_rate=1e-5, head_rate=1e-4)

    def train() -> None:
        if attack is not None:
            create_adversarial_training(attack, target=target)(nlp)
        for group in batches:
            nlp.update(group, sgd=optimizer)
        unwrap(nlp)

    return train


def make_batches(nlp: Language, data: Path, texts: int, size: int) -> list[list[Example]]:
    """Batches of texts of like length, as the default batcher makes them, in random order."""
    examples = sorted(create_cmeee_reader(data, limit=texts)(nlp), key=lambda eg: len(eg.text))
    groups = [examples[i : i + size] for i in range(0, len(examples), size)]
    random.Random(0).shuffle(groups)
    return groups


if __name__ == "__main__":
    typer.run(main)
