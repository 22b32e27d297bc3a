"""A service against `nlp.pipe` on the same texts; its memory; workers that are killed; requests at random.

    python -m bench.serve load --model MODEL --data CMeEE_dev.json --texts 400 --clients 16
    python -m bench.serve memory --requests 20000
    python -m bench.serve killed --model MODEL --texts 400
    python -m bench.serve fuzz --requests 5000

All of it on the network of this machine alone. Without --model, a small pipeline is made. `load` gives characters a
second of both in turn, and how long single requests take. `memory` compares what all processes hold after 1,000
requests and after all. `killed` kills a worker again and again under load, and ends with 1 if a request had no result.
`fuzz` ends with 1 if an answer was a defect, or the service does not answer afterwards. Linux only.
"""

import json
import os
import signal
import statistics
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from bench.fuzzed import Shot, fire, request, shots, wrong_with
from bench.harness import environment, interleave, report
from bench.served import Served, ask_all, served, small_pipeline
from spacy_medflat.loading import load_model
from spacy_medflat.runtime import use_threads
from spacy_medflat.vectors.notes import iter_texts

FIRST = 1_000
CORPUS = Path(__file__).parents[1] / "assets" / "corpus" / "dev.json"


def main(
    what: Annotated[str, typer.Argument(help="load, memory, killed or fuzz.")],
    model: Annotated[
        str | None, typer.Option(help="Package name or folder of a pipeline. A small one by default.")
    ] = None,
    data: Annotated[list[Path] | None, typer.Option(help="Texts. Those of assets/corpus/dev.json by default.")] = None,
    texts: Annotated[int, typer.Option(help="Texts of load and killed.")] = 400,
    clients: Annotated[int, typer.Option(help="Clients at once.")] = 16,
    together: Annotated[int, typer.Option(min=1, help="Texts of a request of load.")] = 1,
    rounds: Annotated[int, typer.Option(help="Rounds of load that count.")] = 3,
    requests: Annotated[int, typer.Option(help="Requests of memory and fuzz.")] = 5_000,
    kills: Annotated[int, typer.Option(help="Workers to kill.")] = 3,
    workers: Annotated[int, typer.Option(help="Worker processes.")] = 1,
    seed: Annotated[int, typer.Option(help="Of fuzz.")] = 0,
    output: Annotated[Path, typer.Option(help="JSON file for the figures.")] = Path("metrics/serve.json"),
) -> None:
    """Measure a service."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    source = list(iter_texts(data or [CORPUS]))
    chosen = list(islice(cycle(source), texts))
    with tempfile.TemporaryDirectory() as scratch:
        name = model or str(small_pipeline(Path(scratch) / "pipeline"))
        kept = ["--words", f"{scratch}/words.tsv", "--corrections", f"{scratch}/corrections.jsonl"]
        if what == "killed":
            # On a busy machine a worker takes long to start; whether requests are lost is asked, not how fast it is.
            kept += ["--max-seconds", "300"]
        with served(name, "--workers", str(workers), *kept) as service:
            if what == "load":
                load(service, name, chosen, clients, together, rounds, output)
                return
            figures: dict[str, Any]
            if what == "memory":
                figures = memory(service, source, requests, clients)
            elif what == "killed":
                figures = killed(service, chosen, clients, kills)
            elif what == "fuzz":
                figures = fuzz(service, requests, seed)
            else:
                raise typer.BadParameter("load, memory, killed or fuzz")
    Console().print(figures)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps({**figures, "environment": environment()}, indent=2), encoding="utf8")
    raise typer.Exit(bool(figures.get("wrong")))


def load(
    service: Served, model: str, texts: Sequence[str], clients: int, together: int, rounds: int, output: Path
) -> None:
    """Characters a second of service and `nlp.pipe`, in turn: batches of 64, and of what all clients ask at once."""
    use_threads(int(os.environ["OMP_NUM_THREADS"]))
    nlp = load_model(model)
    answers: list[tuple[float, str | None]] = []

    def ask() -> None:
        answers.extend(ask_all(service.port, texts, clients, together=together))

    def pipe(batch_size: int) -> None:
        for _ in nlp.pipe(texts, batch_size=batch_size):
            pass

    batches = sorted({64, min(64, clients * together)}, reverse=True)
    sides: dict[str, Callable[[], None]] = {"service": ask}
    sides |= {f"nlp.pipe in batches of {size}": partial(pipe, size) for size in batches}
    speeds = interleave(sides, sum(map(len, texts)), rounds, 1)
    wrong = Counter(wrong for _, wrong in answers if wrong)
    # The first round does not count.
    seconds = sorted(seconds for seconds, _ in answers[len(answers) // (rounds + 1) :])
    setting: dict[str, Any] = {
        "clients": clients,
        "texts": len(texts),
        "ms median": round(1000 * statistics.median(seconds)),
    }
    setting |= {"ms 99th percentile": round(1000 * seconds[int(0.99 * len(seconds))]), "wrong": dict(wrong)}
    report({f"texts a request: {together}": speeds}, setting, output)


def memory(service: Served, texts: Sequence[str], requests: int, clients: int) -> dict[str, Any]:
    """What is held after some requests, and after many."""
    # Different texts, as in the long run: pieces of those that there are.
    many = [f"{number} {text[number % 7 :]}" for number, text in zip(range(requests), cycle(texts), strict=False)]
    answers = ask_all(service.port, many[:FIRST], clients)
    first = service.memory
    answers += ask_all(service.port, many[FIRST:], clients)
    last = service.memory
    wrong = dict(Counter(wrong for _, wrong in answers if wrong))
    ratio = round(last / first, 3)
    return {
        "requests": len(answers),
        "MiB after 1,000": round(first),
        "MiB": round(last),
        "ratio": ratio,
        "wrong": wrong,
    }


def killed(service: Served, texts: Sequence[str], clients: int, kills: int) -> dict[str, Any]:
    """Requests while a worker is killed at even intervals."""
    at = {len(texts) * (i + 1) // (kills + 1) for i in range(kills)}
    done = []

    def kill(answered: int) -> None:
        if answered in at and (workers := service.workers):
            done.append(workers[0])
            os.kill(workers[0], signal.SIGKILL)

    answers = ask_all(service.port, texts, clients, kill)
    wrong = dict(Counter(wrong for _, wrong in answers if wrong))
    slowest = round(max(seconds for seconds, _ in answers), 1)
    return {"requests": len(answers), "killed": len(done), "slowest seconds": slowest, "wrong": wrong}


def fuzz(service: Served, requests: int, seed: int) -> dict[str, Any]:
    """Requests at random, then a right one."""
    statuses: Counter[int] = Counter()
    wrong: Counter[str] = Counter()
    for shot in shots(requests, seed):
        status, body = fire(service.port, shot)
        statuses[status] += 1
        if problem := wrong_with(shot, status, body):
            wrong[problem] += 1
            Console(stderr=True).print(problem, shot.parts[0][:300], body[:300])
    last, _ = fire(service.port, Shot([request("POST", "/annotate", '{"text":"患者咳嗽"}'.encode())]))
    if last != 200:
        wrong[f"status {last} of a right request afterwards"] += 1
    alive = service.process.poll() is None
    return {"requests": requests, "statuses": dict(sorted(statuses.items())), "alive": alive, "wrong": dict(wrong)}


if __name__ == "__main__":
    typer.run(main)
