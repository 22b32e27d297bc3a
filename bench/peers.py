"""Ours beside others' ways to find entities: speed, peak memory, and cost against the length of a text.

    python -m bench.peers --encoder FOLDER_OR_NAME --data CMeEE_train.json

All sides have the same encoder, texts, batches and machine, and take turns in one process; memory and long texts are
measured in processes of their own. Prints tables, and writes every figure as JSON and the tables as Markdown.
"""

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter, process_time
from typing import Annotated, Any

import spacy
import typer

from bench.harness import environment, interleave, report
from bench.isa import obey_environment
from bench.memory import forget_peak, peak
from bench.sides import ASSETS, SIDES, Setting, Side
from spacy_medflat.corpus.reader import create_cmeee_reader
from spacy_medflat.experiments.report.tables import Table

LENGTHS = (100, 1_000, 10_000, 100_000)
# What a process of its own measures: one round of training, of inference, and one text of each length.
TASKS = ("train", "infer", "long")

# length (characters of the text, 0 for a round of many), seconds, peak in MiB: of the whole process in training, and
# beyond what the trained side holds in inference.
Measured = dict[str, float]


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
    inference: Annotated[
        bool, typer.Option("--inference", help="Only the speed of inference, after one round of training.")
    ] = False,
    busy: Annotated[bool, typer.Option("--busy", help="With --inference: count processor time.")] = False,
    output: Annotated[Path, typer.Option(help="JSON file; a Markdown file of the same name is written too.")] = Path(
        "metrics/peers.json"
    ),
    child: Annotated[str, typer.Option(hidden=True)] = "",
) -> None:
    """Measure training, inference, peak memory and long texts of all sides."""
    obey_environment()
    setting = Setting(encoder, data, texts, batch, vectors, lexicon)
    if child:
        name, task = child.split("|")
        for measured in _measure(name, task, setting):
            print(json.dumps(measured), flush=True)
        return
    names = side or list(SIDES)
    missing = {
        "edsnlp": None if find_spec("edsnlp") else "edsnlp is not installed",
        "ours, FLAT over words": None if vectors else "no --vectors given",
    }
    left_out = {
        name: reason for name in names for prefix, reason in missing.items() if reason and name.startswith(prefix)
    }
    names = [name for name in names if name not in left_out]
    command = [sys.executable, "-m", "bench.peers", "--encoder", encoder, "--data", str(data), "--batch", str(batch)]
    command += ["--texts", str(texts), "--lexicon", str(lexicon), *(["--vectors", str(vectors)] if vectors else [])]
    raw = [eg.text for eg in create_cmeee_reader(data, limit=texts)(spacy.blank("zh"))]
    n_chars = sum(map(len, raw))
    infer: dict[str, Callable[[], None]]
    if inference:
        infer = {name: partial(_trained(name, setting).infer, raw) for name in names}
        speeds = interleave(infer, n_chars, rounds, 1, process_time if busy else perf_counter)
        report({"inference": speeds}, {"texts": texts, "characters": n_chars, "batch": batch}, output)
        return
    figures: dict[str, Any] = {
        "setting": {"texts": texts, "characters": n_chars, "batch": batch, "encoder": Path(encoder).name},
        "environment": environment(),
        "left out": left_out,
        "processes": {},
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    # Before the sides are built here: all of them take memory that long texts need.
    for name in names:
        figures["processes"][name] = {task: _run(command, name, task) for task in TASKS}
        output.write_text(json.dumps(figures, indent=2), encoding="utf8")
    sides = {name: SIDES[name](setting) for name in names}
    figures["training"] = interleave({name: sides[name].train for name in names}, n_chars, rounds, warm_up)
    infer = {name: partial(sides[name].infer, raw) for name in names}
    figures["inference"] = interleave(infer, n_chars, rounds, warm_up=1)
    output.write_text(json.dumps(figures, indent=2), encoding="utf8")
    page = _page(figures)
    output.with_suffix(".md").write_text(page, encoding="utf8")
    print(page)


def _run(command: list[str], name: str, task: str) -> list[Measured]:
    """What a process of its own measures. If it runs out of memory, that is a result: what it had printed by then."""
    done = subprocess.run([*command, "--child", f"{name}|{task}"], stdout=subprocess.PIPE, text=True)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def _trained(name: str, setting: Setting) -> Side:
    """A side after one round. The first step makes the optimizer's state; an untrained head finds half of all spans."""
    side = SIDES[name](setting)
    side.train()
    return side


def _measure(name: str, task: str, setting: Setting) -> Iterator[Measured]:
    """Measure one task in this process, where nothing else has been done."""
    side = _trained(name, setting._replace(texts=min(setting.texts, 8 * setting.batch)))
    if task == "train":
        yield _timed(side.train, 0)
        return
    raw = [eg.text for eg in create_cmeee_reader(setting.data)(spacy.blank("zh"))]
    if task == "infer":
        yield _timed(partial(side.infer, raw[: setting.texts]), forget_peak())
        return
    text = "".join(raw)
    text *= -(-LENGTHS[-1] // len(text))
    for length in LENGTHS:
        if side.longest is None or length <= side.longest:
            yield _timed(partial(side.infer, [text[:length]]), forget_peak(), length)


def _timed(work: Callable[[], object], before: float, length: int = 0) -> Measured:
    begin = perf_counter()
    work()
    return {"length": length, "seconds": perf_counter() - begin, "peak": peak() - before}


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
            measured = figures["processes"][name][child]
            memory = f"{measured[0]['peak']:,.0f}" if measured else "failed"
            row += [f"{speeds[task][name]:,.0f} ({spread})", f"{ratio:.2f}", memory]
        rows.append(row)
    header = ["side"]
    for task, memory in (("training", "peak MiB"), ("inference", "MiB more")):
        header += [f"{task}, characters/s", f"{names[0]} / this", memory]
    parts = [Table(header, rows).markdown()]
    header = ["one text of", *(f"{length:,} characters" for length in LENGTHS)]
    rows = []
    for name in names:
        found = {measured["length"]: measured for measured in figures["processes"][name]["long"]}
        values = [found.get(n) for n in LENGTHS]
        cells = [f"{value['seconds']:.2f} s, {value['peak']:,.0f} MiB more" if value else "–" for value in values]
        rows.append([name, *cells])
    parts += [Table(header, rows).markdown(), "–: longer than the side reads, or than memory allows."]
    parts.append("“MiB more”: the peak beyond what the trained side holds before it reads.")
    parts += [f"Left out: {name} ({reason})." for name, reason in figures["left out"].items()]
    setting = {**figures["setting"], **figures["environment"]}
    parts.append(", ".join(f"{name} {value}" for name, value in setting.items()))
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    typer.run(main)
