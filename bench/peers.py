"""Ours beside others' ways to find entities: speed, peak memory, and cost against the length of a text.

    python -m bench.peers --encoder FOLDER_OR_NAME --data CMeEE_train.json

All sides have the same encoder, texts, batches and machine, and take turns in one process; memory and long texts are
measured in processes of their own. Prints tables, and writes every figure as JSON and the tables as Markdown.
"""

import json
import resource
import statistics
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import spacy
import typer

from bench.harness import environment, interleave
from bench.sides import ASSETS, SIDES, Setting
from spacy_medflat.corpus.reader import create_cmeee_reader
from spacy_medflat.report.tables import Table

LENGTHS = (100, 1_000, 10_000, 100_000)


def main(
    encoder: Annotated[str, typer.Option(help="Encoder of all sides, with weights.")],
    data: Annotated[Path, typer.Option(help="Annotated texts.")],
    texts: Annotated[int, typer.Option(help="Texts of a round.")] = 600,
    rounds: Annotated[int, typer.Option(help="Rounds of each side that count, after those that do not.")] = 5,
    warm_up: Annotated[
        int, typer.Option(help="Rounds of training before any that counts, so that heads find few spans.")
    ] = 2,
    batch: Annotated[int, typer.Option(help="Texts of a batch.")] = 32,
    side: Annotated[list[str] | None, typer.Option(help=f"Sides; by default all: {', '.join(SIDES)}.")] = None,
    lexicon: Annotated[Path, typer.Option(help="Lexicon for FLAT.")] = ASSETS / "lexicon.tsv",
    vectors: Annotated[Path | None, typer.Option(help="Vectors for FLAT; without them it is left out.")] = None,
    output: Annotated[Path, typer.Option(help="JSON file; a Markdown file of the same name is written too.")] = Path(
        "metrics/peers.json"
    ),
    child: Annotated[str, typer.Option(hidden=True)] = "",
) -> None:
    """Measure training, inference, peak memory and long texts of all sides."""
    setting = Setting(encoder, data, texts, batch, vectors, lexicon)
    if child:
        name, task = child.split("|")
        print(json.dumps(_measure(name, task, setting)))
        return
    names = side or list(SIDES)
    missing = {
        "edsnlp ner_crf": None if find_spec("edsnlp") else "edsnlp is not installed",
        "ours, with FLAT": None if vectors else "no --vectors given",
    }
    left_out = {name: reason for name in names if (reason := missing.get(name))}
    names = [name for name in names if name not in left_out]
    sides = {name: SIDES[name](setting) for name in names}
    raw = [eg.text for eg in create_cmeee_reader(data, limit=texts)(spacy.blank("zh"))]
    n_chars = sum(map(len, raw))
    training = interleave({name: sides[name].train for name in names}, n_chars, rounds, warm_up)
    inference = interleave({name: _reading(sides[name].infer, raw) for name in names}, n_chars, rounds, warm_up=1)
    longest = {name: sides[name].longest for name in names}
    del sides
    command = [sys.executable, "-m", "bench.peers", "--encoder", encoder, "--data", str(data), "--batch", str(batch)]
    command += ["--lexicon", str(lexicon), *(["--vectors", str(vectors)] if vectors else [])]
    peaks: dict[str, dict[str, float]] = {name: {} for name in names}
    lengths: dict[str, dict[int, dict[str, float]]] = {name: {} for name in names}
    for name in names:
        for task in ("train", "infer"):
            peaks[name][task] = _run(command, name, task)["peak"]
        for length in LENGTHS:
            if longest[name] is None or length <= (longest[name] or 0):
                lengths[name][length] = _run(command, name, f"read {length}")
    figures = {
        "setting": {"texts": texts, "characters": n_chars, "batch": batch, "encoder": Path(encoder).name},
        "environment": environment(),
        "training": training,
        "inference": inference,
        "peak MiB": peaks,
        "lengths": lengths,
        "left out": left_out,
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(figures, indent=2), encoding="utf8")
    page = _page(figures)
    output.with_suffix(".md").write_text(page, encoding="utf8")
    print(page)


def _reading(infer: Any, raw: Sequence[str]) -> Any:
    def read() -> None:
        infer(raw)

    return read


def _run(command: list[str], name: str, task: str) -> dict[str, float]:
    done = subprocess.run([*command, "--child", f"{name}|{task}"], capture_output=True, text=True)
    if done.returncode:
        # One that runs out of memory is a result, too.
        return {"peak": float("nan"), "seconds": float("nan")}
    return json.loads(done.stdout.splitlines()[-1])


def _measure(name: str, task: str, setting: Setting) -> dict[str, float]:
    """Seconds of a task, and the peak of the whole process, loading included, in MiB."""
    side = SIDES[name](setting._replace(texts=min(setting.texts, 8 * setting.batch)))
    if task == "train":
        # Twice: the optimizer makes its state at the end of the first step.
        side.train()
        work = side.train
    else:
        # An untrained head would find half of all spans.
        side.train()
        length = int(task.removeprefix("read ")) if task.startswith("read") else 0
        raw = [eg.text for eg in create_cmeee_reader(setting.data)(spacy.blank("zh"))]
        text = "".join(raw)
        work = _reading(side.infer, [text[:length]] if length else raw[: setting.texts])
    begin = perf_counter()
    work()
    seconds = perf_counter() - begin
    return {"seconds": seconds, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def _page(figures: dict[str, Any]) -> str:
    """The figures as Markdown."""
    names = list(figures["training"])
    speeds = {
        task: {name: statistics.median(values) for name, values in figures[task].items()}
        for task in ("training", "inference")
    }
    ours = {task: speeds[task][names[0]] for task in speeds}
    rows = []
    for name in names:
        row = [name]
        for task, child in (("training", "train"), ("inference", "infer")):
            spread = f"{min(figures[task][name]):,.0f}–{max(figures[task][name]):,.0f}"
            ratio = ours[task] / speeds[task][name]
            peak = figures["peak MiB"][name][child]
            row += [f"{speeds[task][name]:,.0f} ({spread})", f"{ratio:.2f}", f"{peak:,.0f}"]
        rows.append(row)
    header = ["side"]
    for task in ("training", "inference"):
        header += [f"{task}, characters/s", f"{names[0]} / this", "peak MiB"]
    parts = [Table(header, rows).markdown()]
    cells = [[_length_cell(figures["lengths"][name].get(length)) for length in LENGTHS] for name in names]
    header = ["one text of", *(f"{length:,} characters" for length in LENGTHS)]
    parts.append(Table(header, [[name, *row] for name, row in zip(names, cells, strict=True)]).markdown())
    parts += [f"Left out: {name} ({reason})." for name, reason in figures["left out"].items()]
    setting = {**figures["setting"], **figures["environment"]}
    parts.append(", ".join(f"{name} {value}" for name, value in setting.items()))
    return "\n\n".join(parts) + "\n"


def _length_cell(found: dict[str, float] | None) -> str:
    if found is None:
        return "–"
    if found["seconds"] != found["seconds"]:
        return "failed"
    return f"{found['seconds']:.2f} s, {found['peak']:,.0f} MiB"


if __name__ == "__main__":
    typer.run(main)
