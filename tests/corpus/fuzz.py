"""Damaged files of every format, and a plain reader of its own that says which annotations are still in them."""

import json
import random
import re
import shutil
import sys
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from click.testing import Result
from spacy.tokens import DocBin
from spacy.vocab import Vocab

from spacy_medflat.cli.check_data import check_data
from spacy_medflat.cli.convert import convert
from spacy_medflat.corpus.formats.registry import read_records, write_records
from spacy_medflat.corpus.record import Entity, Record

from ..cli.apps import run

TEXTS = ["右肺上叶腺癌，咳嗽3天。", "患者👩胃癌术后，口服阿司匹林。", "无异常。", "肝S6段结节ⅢＷ", "咳嗽咳痰", "双肺野"]
LABELS = ["dis", "bod", "sym", "dru"]
SOURCES = {
    "cmeee": "a.json",
    "cmeee lines": "c.jsonl",
    "doccano": "d.jsonl",
    "jsonl": "j.jsonl",
    "prodigy": "p.jsonl",
    "labelstudio": "l.json",
    "bio": "b.bio",
    "docbin": "s.spacy",
    "brat": "folder",
}
ENDINGS = {"converted", "converted, skipped texts listed", "refused with a message"}
"""How a run may end; others are defects."""
OUTPUTS = ["out.json", "out.jsonl", "out.spacy", "out.bio"]


def records(rng: random.Random) -> Iterator[Record]:
    """Random records with nested entities."""
    for number, text in enumerate(rng.sample(TEXTS, rng.randint(2, len(TEXTS)))):
        entities = {
            (start, rng.randint(start + 1, len(text)), rng.choice(LABELS))
            for start in rng.choices(range(len(text)), k=rng.randint(0, 4))
        }
        yield Record(text, [Entity(*entity) for entity in sorted(entities)], id=f"n{number}", meta={"ward": number})


def damaged(rng: random.Random, folder: Path, kind: str) -> Path:
    """Write a file or folder of a format and damage it once or more."""
    path = folder / SOURCES[kind]
    write_records(records(rng), path, kind.removesuffix(" lines"))
    files = [path] if path.is_file() else sorted(path.rglob("*.*"))
    if kind == "docbin" and rng.random() < 0.7:
        # Behind the checksum.
        path.write_bytes(zlib.compress(_damaged_bytes(rng, zlib.decompress(path.read_bytes()))))
        return path
    for _ in range(rng.randint(1, 3)):
        file = rng.choice(files)
        structured = kind not in ("bio", "brat", "docbin") and rng.random() < 0.6
        file.write_bytes((_damaged_json if structured else _damaged_bytes)(rng, file.read_bytes()))
    if kind == "brat" and rng.random() < 0.2:
        (path / "orphan.ann").write_text("T1\tdis 0 1\t肺\n", encoding="utf8")
    return path


def _damaged_bytes(rng: random.Random, data: bytes) -> bytes:
    start = rng.randint(0, len(data))
    end = min(len(data), start + rng.choice([1, 1, 3, 20]))
    lines = data.splitlines(keepends=True)
    text = data.decode("utf-8", "replace")
    choices = [
        lambda: data[:start] + data[end:],
        lambda: data[:start] + rng.randbytes(end - start) + data[end:],
        lambda: data[:start] + data[start:end] * 2 + data[end:],
        lambda: data[:start],
        lambda: b"",
        lambda: b"".join(rng.sample(lines, len(lines))),
        lambda: b"".join(x.decode("utf-8", "replace").encode("gb18030") if rng.random() < 0.3 else x for x in lines),
        lambda: text.encode("utf-16"),
        lambda: b"\xef\xbb\xbf" + data,
        lambda: data.replace(b"\n", b"\r\n"),
        lambda: data.replace(b"\t", b" ", 1),
        lambda: re.sub(rb"[0-9]", lambda m: b"%d" % rng.randint(0, 99), data, count=rng.randint(1, 3)),
        lambda: data.replace(b'"', rng.choice([b"'", b""]), 1),
        lambda: data[:start] + b"\n" + data[start:],
        lambda: data + rng.choice([b"{", b"null\n", b"[1]\n", b"\x00", b"x\n", b'{"text": "\\ud83d"}\n']),
    ]
    return rng.choice(choices)()


def _damaged_json(rng: random.Random, data: bytes) -> bytes:
    """Change a key or a value of the JSON, which stays JSON."""
    try:
        array = data[:1] == b"["
        values = json.loads(data) if array else [json.loads(line) for line in data.splitlines()]
    except ValueError:
        return _damaged_bytes(rng, data)
    nodes = [node for node in _nodes(values) if node]
    if nodes:
        _change(rng, rng.choice(nodes))
    lines = [json.dumps(value, ensure_ascii=rng.random() < 0.5) for value in values]
    text = "[" + ",\n".join(lines) + "]" if array else "".join(f"{line}\n" for line in lines)
    return text.encode("utf-8", "surrogatepass")


def _nodes(value: Any) -> Iterator[Any]:
    if isinstance(value, (dict, list)):
        yield value
        for item in value.values() if isinstance(value, dict) else value:
            yield from _nodes(item)


def _change(rng: random.Random, node: Any) -> None:
    odd = [None, True, -1, 0, 3.5, 2**70, float("nan"), "", "\ud83d", "x", [], {}, [[0, 1, "dis"]], [{"start": 0}]]
    keys = list(node) if isinstance(node, dict) else list(range(len(node)))
    key = rng.choice(keys)
    if isinstance(node, list) or rng.random() < 0.5:
        node[key] = rng.choice(odd)
        return
    names = [
        "entites",
        "spans",
        "label",
        "labels",
        "entities",
        "annotations",
        "predictions",
        "answer",
        "data",
        "x",
        "lables",
    ]
    value = node[key] if rng.random() < 0.3 else node.pop(key)
    node[rng.choice([*names, str(key)[1:], str(key).upper()])] = value


def visible(path: Path) -> dict[str, int]:
    """How many annotations a plain reader sees, by places that are like those of the package.

    It knows no format: in JSON an annotation is whatever has two integers and a label.
    """
    if path.is_dir():
        return {file.relative_to(path).with_suffix("").as_posix(): _brat(file) for file in path.rglob("*.ann")}
    data = path.read_bytes()
    if path.suffix == ".spacy":
        return dict(enumerate_docs(data))
    if path.suffix == ".bio":
        return _bio(data)
    text = data.decode("utf-8", "replace").removeprefix("\ufeff")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, list):
        return {f"record {number}": _spans(item) for number, item in enumerate(value, 1)}
    found = {}
    for number, line in enumerate(data.split(b"\n"), 1):
        try:
            found[f"line {number}"] = _spans(json.loads(line.decode("utf-8", "replace").removeprefix("\ufeff")))
        except (ValueError, RecursionError):
            continue
    return found


def _spans(value: Any) -> int:
    if isinstance(value, list):
        if len(value) == 3 and type(value[0]) is type(value[1]) is int and isinstance(value[2], str):
            return 1
        return sum(map(_spans, value))
    if not isinstance(value, dict):
        return 0
    offsets = [v for k, v in value.items() if re.match("start|end", k) and type(v) is int]
    if len(offsets) == 2:
        labels = value.get("labels")
        if isinstance(labels, list):
            return len(labels)
        return int(any(isinstance(value.get(name), str) for name in ("label", "type")))
    return sum(map(_spans, value.values()))


def _brat(file: Path) -> int:
    return len(re.findall(r"(?m)^T[^\t\n]*\t\S+ -?[0-9]+ -?[0-9]+", file.read_bytes().decode("utf-8", "replace")))


def _bio(data: bytes) -> dict[str, int]:
    found: Counter[str] = Counter()
    first = None
    for number, line in enumerate(data.decode("utf-8", "replace").split("\n"), 1):
        line = line.removesuffix("\r")
        if not line.strip("\ufeff \t") or line.startswith("-DOCSTART-"):
            first = None if not line.strip() or line.startswith("-DOCSTART-") else first
            continue
        first = first or number
        found[f"line {first}"] += bool(re.search(r"[\t ][BSU][-_][^\t ]*$", line))
    return dict(found)


def enumerate_docs(data: bytes) -> Iterator[tuple[str, int]]:
    """Place and number of spans of each document; nothing if the bytes are damaged."""
    try:
        for number, doc in enumerate(DocBin().from_bytes(data).get_docs(Vocab()), 1):
            yield f"record {number}", sum(map(len, doc.spans.values()))
    except Exception:
        return


def lost_in_silence(path: Path) -> list[str]:
    """Places at which fewer annotations are read than are visible, and nothing is reported."""
    read: Counter[str] = Counter()
    skipped: list[str] = []
    reported: list[str] = []

    def key(place: str) -> str:
        found = re.search(r"(line|record) [0-9]+", place) if path.is_file() else re.match(r"(.*)\.(txt|ann)\b", place)
        return (found[0] if path.is_file() else Path(found[1]).name) if found else place

    for record in read_records(path, on_skip=lambda problem: skipped.append(problem.place)):
        read[key(record.place)] += len(record.entities)
        reported += [key(problem.place) for problem in record.problems]
    reported += map(key, skipped)
    lost = [p for p, count in visible(path).items() if read[p] < count and Path(p).name not in reported]
    if path.suffix != ".bio":
        return lost
    # A broken line names itself, not the first one of its sentence.
    numbers = sorted(int(place.split()[1]) for place in reported)
    firsts = [int(place.split()[1]) for place in visible(path)]
    spans = {first: min([n for n in firsts if n > first], default=sys.maxsize) for first in firsts}
    return [p for p in lost if not any(int(p.split()[1]) <= n < spans[int(p.split()[1])] for n in numbers)]


def fuzz(count: int, seed: int, folder: Path, keep: Path | None = None) -> Counter[str]:
    """Damage files, convert and check them, and compare with the plain reader.

    RETURNS (Counter of str): how many files ended how; only `ENDINGS` may occur.
    """
    outcomes: Counter[str] = Counter()
    for number in range(count):
        rng = random.Random(f"{seed} {number}")
        kind = list(SOURCES)[number % len(SOURCES)]
        work = folder / str(number)
        work.mkdir()
        path = damaged(rng, work, kind)
        output = work / rng.choice(OUTPUTS)
        try:
            outcome = _outcome(path, output, run(convert, path, output), run(check_data, path))
        except Exception:
            # `run` raises what the commands do not catch.
            outcome = "traceback"
        outcomes[outcome] += 1
        outcomes[f"{kind}: {outcome}"] += 1
        if keep and outcome not in ENDINGS:
            shutil.copytree(work, keep / f"{kind}-{number}", dirs_exist_ok=True)
        shutil.rmtree(work)
    return outcomes


def _outcome(path: Path, output: Path, converted: Result, checked: Result) -> str:
    if checked.exit_code > converted.exit_code:
        return "only converted"
    if converted.exit_code:
        # A file that is read may have fields that the output cannot hold.
        sound = converted.stderr.startswith("Error: ") and converted.stderr.count("\n") == 1 and not output.exists()
        return "refused with a message" if sound else "refused badly"
    if lost_in_silence(path):
        return "lost"
    listed = re.search(r"^(unreadable|rejected|broken_annotation) ", converted.stdout, re.M)
    return "converted, skipped texts listed" if listed else "converted"
