"""An archive annotated undisturbed and with kills on the way: is the output the same, and what memory does it take?

    python -m bench.archive MODEL --data CMeEE_train.json --data medical_text.txt.gz --megabytes 200

Makes JSON lines of so many megabytes from the texts, annotates them once undisturbed, once with `kill -9` of the whole
run at even intervals, each time resumed, and once by Ray, whose actors are killed instead. Prints bytes and the peak of
memory, all processes together, sampled each second, and writes them as JSON. Ends with 1 unless all outputs are the
same, byte for byte. Linux only.
"""

import filecmp
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from bench.harness import environment
from bench.memory import descendants, shared_size
from spacy_medflat.vectors.notes import iter_texts

# Every so-manieth text is made of many.
LONG_EVERY = 1000
LONG_PARTS = (50, 400)


def main(
    model: Annotated[str, typer.Argument(help="Package name or folder of a pipeline.")],
    data: Annotated[list[Path], typer.Option(help="Texts to draw from: .txt, a text a line, or annotated corpora.")],
    megabytes: Annotated[float, typer.Option(help="Size of the archive.")] = 200,
    kills: Annotated[int, typer.Option(help="Kills of each run that is disturbed; 0 for the undisturbed alone.")] = 3,
    n_process: Annotated[int, typer.Option(help="Processes, or actors of Ray.")] = 2,
    folder: Annotated[Path, typer.Option(help="Folder for the archive and the outputs.")] = Path("metrics/archive"),
    output: Annotated[Path, typer.Option(help="JSON file for the figures.")] = Path("metrics/archive.json"),
) -> None:
    """Annotate an archive undisturbed, killed, and by Ray."""
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / "notes.jsonl"
    make_archive(archive, list(iter_texts(data)), int(megabytes * 1e6))
    command = [sys.executable, "-m", "spacy", "medflat", "annotate", str(archive), "--model", model]
    command += ["--n-process", str(n_process)]
    runs: dict[str, dict[str, Any]] = {"undisturbed": annotate(command, folder / "undisturbed.jsonl")}
    if kills:
        share = runs["undisturbed"]["seconds"] / (kills + 1)
        runs["killed"] = annotate(command, folder / "killed.jsonl", [share] * kills)
        runs["Ray"] = annotate([*command, "--engine", "ray"], folder / "ray.jsonl", [share] * kills, actors=True)
    for run in runs.values():
        run["same"] = filecmp.cmp(runs["undisturbed"]["output"], run["output"], shallow=False)
    table = Table("run", "kills", "bytes", "seconds", "peak MiB", "first process", "largest other", "same bytes")
    for name, run in runs.items():
        cells = (f"{run[key]:,.0f}" for key in ("kills", "bytes", "seconds", "all", "first", "other"))
        table.add_row(name, *cells, str(run["same"]))
    Console().print(table)
    figures = {"archive": archive.stat().st_size, "environment": environment(), "runs": runs}
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(figures, indent=2), encoding="utf8")
    raise typer.Exit(not all(run["same"] for run in runs.values()))


def make_archive(path: Path, texts: list[str], size: int) -> None:
    """Write JSON lines until there are `size` bytes: texts drawn at random, with fields as archives have them."""
    draw = random.Random(0)
    with path.open("w", encoding="utf-8") as file:
        written = number = 0
        while written < size:
            parts = draw.randint(*LONG_PARTS) if number % LONG_EVERY == LONG_EVERY - 1 else 1
            text = "".join(draw.choices(texts, k=parts))
            line = json.dumps({"id": f"note-{number}", "ward": "呼吸科", "text": text}, ensure_ascii=False) + "\n"
            written += len(line.encode("utf-8"))
            number += 1
            file.write(line)


def annotate(command: list[str], output: Path, after: Iterable[float] = (), *, actors: bool = False) -> dict[str, Any]:
    """Run a command to its end, and watch its memory.

    command (list of str): of the run.
    output (Path): what it writes.
    after (iterable of float): seconds from one kill to the next.
    actors (bool): kill an actor of Ray, which Ray replaces, and not the run, which begins again.
    RETURNS (dict): output, its bytes, kills, seconds, and peak memory: of all processes, the first, the largest other.
    """
    peaks = {"all": 0.0, "first": 0.0, "other": 0.0}
    waits = list(after)
    kills = 0
    begin = last = time.perf_counter()
    process = _start(command, output, force=True)
    while process.poll() is None:
        pids = descendants(process.pid)
        first, *others = [shared_size(pid) for pid in pids]
        now = {"all": first + sum(others), "first": first, "other": max(others, default=0.0)}
        peaks = {name: max(peak, now[name]) for name, peak in peaks.items()}
        victims = [pid for pid in pids if _is_actor(pid)] if actors else [process.pid]
        if kills < len(waits) and time.perf_counter() - last > waits[kills] and victims:
            if actors:
                os.kill(victims[0], signal.SIGKILL)
            else:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                process = _start(command, output)
            kills += 1
            last = time.perf_counter()
        time.sleep(1)
    if process.returncode:
        raise SystemExit(f"{' '.join(process.args)} ended with {process.returncode}")  # type: ignore[arg-type]
    seconds = time.perf_counter() - begin
    return {"output": str(output), "kills": kills, "bytes": output.stat().st_size, "seconds": seconds, **peaks}


def _start(command: list[str], output: Path, *, force: bool = False) -> subprocess.Popen[bytes]:
    """Begin a run in a group of its own, so that all of it can be killed at once."""
    return subprocess.Popen([*command, "-o", str(output), *(["--force"] if force else [])], start_new_session=True)


def _is_actor(pid: int) -> bool:
    try:
        return "MapWorker" in Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False


if __name__ == "__main__":
    typer.run(main)
