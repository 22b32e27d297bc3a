"""The service as users start it: a process of its own with a small pipeline, asked over the network of this machine."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
import spacy
from typer.testing import CliRunner

from spacy_medflat.cli import medflat_cli

from .. import pipelines
from .fakes import JSON, page_of

ROOT = Path(__file__).parents[2]
TEXT = "患者贫血，右肺上叶结节"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    nlp = pipelines.lattice_pipeline(folder / "lexicon.tsv", vectors=False)
    pipelines.add_head(nlp, pipelines.CNN)
    pipelines.train(nlp, 5)
    nlp.get_pipe("medflat_ner").cfg["threshold"] = 0.05
    nlp.to_disk(folder / "pipeline")
    page_of(folder / "page", app_js="export {};")
    return folder / "pipeline"


class Service:
    """A running service."""

    def __init__(self, model, *options, **variables):
        command = [sys.executable, "-m", "spacy", "medflat", "serve", model, "--port", "0"]
        # A worker that is started again may take long on a busy machine.
        command += ["--page", model.parent / "page", "--max-seconds", "300", *options]
        self.log = model.parent / f"log-{time.monotonic_ns()}"
        self.process = subprocess.Popen(
            list(map(str, command)),
            stdout=subprocess.PIPE,
            stderr=self.log.open("w"),
            text=True,
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1", **variables},
        )
        line = self.process.stdout.readline()
        found = re.search(r"is served at (http://\S+):(\d+)$", line)
        assert found, f"{line}{self.log.read_text()}"
        self.address, self.port = f"{found[1]}:{found[2]}", int(found[2])
        self.client = httpx.Client(base_url=self.address, timeout=300)

    def worker(self):
        """The process that has the pipeline."""
        lists = [path.read_text().split() for path in Path(f"/proc/{self.process.pid}/task").glob("*/children")]
        commands = {int(pid): Path(f"/proc/{pid}/cmdline").read_text() for pids in lists for pid in pids}
        return next(pid for pid, command in commands.items() if "spawn_main" in command)

    def stop(self, number=signal.SIGTERM):
        """Ask it to end. RETURNS: its exit code."""
        self.process.send_signal(number)
        code = self.process.wait(30)
        self.client.close()
        self.process.stdout.close()
        return code

    def raw(self, data, seconds=5.0, half=False):
        """What is answered to bytes that no client would send."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as connection:
            connection.sendall(data)
            if half:
                return b""
            received = b""
            try:
                while part := connection.recv(65536):
                    received += part
            except (TimeoutError, ConnectionResetError):
                pass
            return received


@pytest.fixture(scope="module")
def service(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("kept")
    running = Service(model, "--corrections", folder / "corrections.jsonl", "--words", folder / "words.tsv")
    yield running
    worker = running.worker()
    running.stop(signal.SIGKILL)
    # No worker is left behind, and no text and no word is in the log.
    assert gone(worker)
    log = running.log.read_text("utf8")
    assert " 200 " in log and not re.search("[\u4e00-\u9fff]", log), log


def gone(pid):
    """Whether a process ends within some seconds."""
    for _ in range(400):
        status = Path(f"/proc/{pid}/status")
        if not status.exists() or "State:\tZ" in status.read_text():
            return True
        time.sleep(0.02)
    return False


def test_it_finds_what_the_pipeline_finds(service, model):
    (result,) = service.client.post("/annotate", json={"text": TEXT}).json()["results"]
    found = {(entity["start"], entity["end"], entity["label"]) for entity in result["entities"]}
    assert found == set(pipelines.spans_of(spacy.load(model)(TEXT))) and found
    assert service.client.get("/").text.startswith("<!doctype html>")
    assert service.client.get("/health").json()["workers"] == {"alive": 1, "wanted": 1}


def test_a_word_acts_at_once(service):
    def words():
        answer = service.client.post("/annotate", json={"text": "甲乙丙片", "words": True})
        return [(word["type"], word["source"]) for word in answer.json()["results"][0]["words"]]

    assert words() == []
    service.client.post("/lexicon", json={"words": [{"word": "甲乙丙片", "type": "dru"}]})
    assert words() == [("dru", "user")]
    # A worker that comes in the place of another one has it, too.
    os.kill(service.worker(), signal.SIGKILL)
    assert words() == [("dru", "user")]
    service.client.request("DELETE", "/lexicon", json={"words": ["甲乙丙片"]})
    assert words() == []


@pytest.mark.parametrize(
    "path",
    ["/page/../../../etc/passwd", "/../etc/passwd", "/page/./index.html", "/page/..%2f..%2fx", "/page//index.html"],
)
def test_paths_reach_no_file(service, path):
    answer = service.raw(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 404") and b"root:" not in answer and b'"not_found"' in answer


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /annotate HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"Connection: close\r\nx: " + b"y" * 100_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\n\r\n",
    ],
)
def test_what_is_no_http_of_ours(service, data):
    assert service.raw(data).split(b" ")[1] in (b"400", b"403", b"200")
    assert service.client.get("/health").status_code == 200


def test_clients_that_hang_up(service):
    head = (
        b"POST /annotate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
    )
    for data in (b"", b"POST", head, head + b'{"text": "a', head.replace(b"100", b"13") + b'{"text": "a"}'):
        service.raw(data, half=True)
    assert service.client.post("/annotate", json={"text": TEXT}).status_code == 200


def test_fifty_megabytes_get_an_answer(service):
    answer = service.client.post("/annotate", content=bytes(50_000_000), headers=JSON)
    assert answer.status_code == 413 and answer.json()["error"]["code"] == "too_large"


def test_examples(service):
    environment = {**os.environ, "PYTHONIOENCODING": "utf8"}
    command = [sys.executable, "examples/client.py", service.address, TEXT, "无殊"]
    lines = subprocess.run(command, capture_output=True, encoding="utf8", cwd=ROOT, env=environment, check=True).stdout
    assert TEXT in lines.splitlines()[0] and "无殊" in lines
    shell = ["bash", "examples/client.sh", service.address]
    done = subprocess.run(shell, capture_output=True, encoding="utf8", cwd=ROOT)
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines() if line]
    assert [answers[3]["added"], answers[4]["total"], answers[5]["removed"]] == [1, 1, 1]


def test_it_finishes_what_waits_and_keeps_its_word(model, tmp_path):
    options = ["--words", tmp_path / "words.tsv", "--host", "localhost"]
    service = Service(model, *options, MEDFLAT_TOKEN="a-token-of-this-test")
    assert service.client.get("/pipeline").status_code == 401
    service.client.headers["authorization"] = "Bearer a-token-of-this-test"
    service.client.post("/lexicon", json={"words": [{"word": "甲乙", "type": "dru"}]})
    # The other service may not write the same file.
    again = ["serve", model, "--port", "0", "--page", model.parent / "page", *options]
    second = CliRunner().invoke(medflat_cli, list(map(str, again)))
    assert second.exit_code == 1 and "another process is at work" in second.stderr
    with socket.create_connection(("127.0.0.1", service.port), timeout=30) as connection:
        body = json.dumps({"texts": [TEXT] * 5}, ensure_ascii=False).encode()
        head = f"Host: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        connection.sendall(
            f"POST /annotate HTTP/1.1\r\nAuthorization: Bearer a-token-of-this-test\r\n{head}\r\n".encode()
        )
        worker = service.worker()
        os.kill(worker, signal.SIGSTOP)
        connection.sendall(body)
        while service.client.get("/health").json()["waiting"] == 0:
            time.sleep(0.01)
        service.process.send_signal(signal.SIGTERM)
        # A request would not do: one that no process has accepted yet is reset when the service closes its port.
        with pytest.raises(ConnectionRefusedError):
            while True:
                socket.create_connection(("127.0.0.1", service.port), timeout=30).close()
        os.kill(worker, signal.SIGCONT)
        assert service.process.wait(30) == 0
        answer = b""
        while part := connection.recv(65536):
            answer += part
    assert answer.startswith(b"HTTP/1.1 200") and answer.count(b'"text_length"') == 5
    service.stop()
    assert gone(worker)
    assert "甲乙\tdru" in (tmp_path / "words.tsv").read_text("utf8")


def test_a_thousand_clients(service):
    connections = [socket.create_connection(("127.0.0.1", service.port), timeout=5) for _ in range(400)]
    assert service.client.get("/health").status_code == 200
    for connection in connections:
        connection.close()
    assert service.client.post("/annotate", json={"text": TEXT}).status_code == 200
