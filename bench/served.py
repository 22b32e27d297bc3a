"""A service in a process of its own, clients that ask it over the network of this machine, and a small pipeline."""

import http.client
import json
import queue
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import spacy
from spacy.training import Example

from bench.memory import descendants, shared_size


class Served(NamedTuple):
    """A running service.

    process (Popen): its first process.
    port (int): where it listens.
    """

    process: subprocess.Popen[str]
    port: int

    @property
    def workers(self) -> list[int]:
        """The processes that have the pipeline."""
        commands = {pid: Path(f"/proc/{pid}/cmdline") for pid in descendants(self.process.pid)[1:]}
        return [pid for pid, path in commands.items() if path.exists() and "spawn_main" in path.read_text()]

    @property
    def memory(self) -> float:
        """What all its processes hold, in MiB."""
        return sum(map(shared_size, descendants(self.process.pid)))


@contextmanager
def served(model: str | Path, *options: str) -> Iterator[Served]:
    """Run a service on any port that is free, and end it.

    model (str or Path): package name or folder of its pipeline.
    options (str): of `spacy medflat serve`.
    YIELDS (Served): it takes requests.
    """
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "index.html").write_text("<!doctype html><title>bench</title>", encoding="utf8")
        command = [sys.executable, "-m", "spacy", "medflat", "serve", str(model), "--port", "0", "--page", folder]
        with tempfile.TemporaryFile("w+") as log:
            process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=log, text=True)
            assert process.stdout is not None
            found = re.search(r":(\d+)$", process.stdout.readline())
            if not found:
                log.seek(0)
                raise SystemExit(f"the service did not start: {log.read()}")
            try:
                yield Served(process, int(found[1]))
            finally:
                process.terminate()
                process.wait(60)


def small_pipeline(folder: Path) -> Path:
    """Save a pipeline that is fast and hardly trained: a lattice, and `medflat_ner` on a small CNN."""
    texts = [
        ("患者咳嗽，予阿司匹林口服", [(2, 4, "sym"), (6, 10, "dru")]),
        ("右肺上叶腺癌", [(0, 4, "bod"), (0, 6, "dis")]),
    ]
    nlp = spacy.blank("zh")
    lattice: Any = nlp.add_pipe("medflat_lattice", name="lattice")
    lattice.add_words({"咳嗽": "sym", "阿司匹林": "dru", "右肺": "bod"})
    cnn = {"@architectures": "spacy.HashEmbedCNN.v2", "width": 32, "depth": 2, "embed_size": 500, "window_size": 1}
    cnn |= {"maxout_pieces": 2, "subword_features": True, "pretrained_vectors": None}
    head = {"@architectures": "spacy_medflat.EfficientGlobalPointer.v1", "head_size": 16, "tok2vec": cnn}
    nlp.add_pipe("medflat_ner", config={"model": head, "threshold": 0.2})
    examples = [Example.from_dict(nlp.make_doc(text), {"spans": {"sc": spans}}) for text, spans in texts]
    optimizer = nlp.initialize(lambda: examples)
    for _ in range(10):
        nlp.update(examples, sgd=optimizer)
    nlp.to_disk(folder)
    return folder


def ask_all(
    port: int,
    texts: Sequence[str],
    clients: int,
    each: Callable[[int], None] = lambda done: None,
    together: int = 1,
) -> list[Any]:
    """Send texts, by several clients at once that wait for each answer.

    each (callable): is told how many requests are answered.
    together (int): texts of a request.
    RETURNS (list of (float, str or None)): for each answer its seconds, and what is wrong with it.
    """
    waiting: queue.SimpleQueue[Sequence[str]] = queue.SimpleQueue()
    for start in range(0, len(texts), together):
        waiting.put(texts[start : start + together])
    answers: list[tuple[float, str | None]] = []

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        while True:
            try:
                asked = waiting.get_nowait()
            except queue.Empty:
                connection.close()
                return
            begin = perf_counter()
            wrong = _ask(connection, asked)
            answers.append((perf_counter() - begin, wrong))
            each(len(answers))

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def _ask(connection: http.client.HTTPConnection, texts: Sequence[str]) -> str | None:
    body = json.dumps({"texts": texts}, ensure_ascii=False).encode()
    try:
        connection.request("POST", "/annotate", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        content = answer.read()
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        return f"no answer: {error!r}"
    if answer.status != 200:
        return f"status {answer.status}"
    return "an error" if b'"error":' in content else None
