"""A pipeline that loads fast, archives for it, and what it finds in them."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import spacy

from spacy_medflat.linking.rows import CodeRow
from spacy_medflat.scale.run import annotate_corpus
from spacy_medflat.scale.run_settings import RunSettings

from . import faults

WORDS = {"右肺": "bod", "右肺上叶": "bod", "右肺上叶腺癌": "dis", "咳嗽": "sym"}
TEXTS = ["右肺上叶腺癌，咳嗽。", "", "无殊", "咳嗽\n咳嗽3天", "右肺上叶" * 9]


def save_ruler(folder: Path, *, faulty: bool = False) -> Path:
    """Save a pipeline that finds the words above, nested; one that makes trouble needs `faults.__file__` as code."""
    nlp = spacy.blank("zh")
    if faulty:
        nlp.add_pipe("medflat_faults")
    ruler = nlp.add_pipe("span_ruler", config={"spans_key": "sc"})
    ruler.add_patterns([{"label": label, "pattern": list_of(word)} for word, label in WORDS.items()])
    nlp.to_disk(folder)
    return folder


def save_judge(folder: Path) -> Path:
    """Save the pipeline above that also says what a text says about what it finds."""
    nlp = spacy.load(save_ruler(folder))
    nlp.add_pipe("medflat_sections")
    nlp.add_pipe("medflat_context")
    nlp.to_disk(folder)
    return folder


def save_coder(folder: Path) -> Path:
    """Save the pipeline above with results of what it calls a symptom, and codes of diseases."""
    nlp = spacy.load(save_ruler(folder))
    nlp.add_pipe("medflat_values", config={"tests": ["sym"]})
    nlp.add_pipe("medflat_linker", config={"labels": ["dis"]})
    linker: Any = nlp.get_pipe("medflat_linker")
    linker.add([CodeRow("C34", "肺腺癌"), CodeRow("C34.1", "肺上叶腺癌")])
    nlp.to_disk(folder)
    return folder


def list_of(word: str) -> list[dict[str, str]]:
    """A pattern of one token for each character."""
    return [{"ORTH": char} for char in word]


def expected(text: str) -> set[tuple[int, int, str]]:
    """What the pipeline finds: every word at every place."""
    return {
        (start, start + len(word), label)
        for word, label in WORDS.items()
        for start in range(len(text))
        if text.startswith(word, start)
    }


def rows(count: int) -> list[dict[str, Any]]:
    """Records with an identifier that comes twice, a nested field, and texts of all lengths."""
    return [
        {"id": f"n{number // 2}", "text": TEXTS[number % len(TEXTS)], "ward": {"nr": number, "名": "呼吸科"}}
        for number in range(count)
    ]


def write_lines(path: Path, values: Iterable[Any]) -> Path:
    """Write JSON lines, strings as they are."""
    lines = (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for value in values)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def read_lines(path: Path) -> list[Any]:
    """Read JSON lines."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def run(inputs: Path | list[Path], output: Path, model: Path, **settings: Any) -> Any:
    """Annotate with parts of 3 texts, unless told otherwise."""
    paths = inputs if isinstance(inputs, list) else [inputs]
    progress = settings.pop("progress", lambda state: None)
    chosen = {"buffer": 3, "n_process": 1, "code": Path(faults.__file__), **settings}
    return annotate_corpus(
        [str(path) for path in paths], output, RunSettings(model=str(model), **chosen), progress=progress
    )


def spans_of(row: dict[str, Any]) -> set[tuple[int, int, str]]:
    """The entities of an output record."""
    return {(entity["start"], entity["end"], entity["label"]) for entity in row["entities"]}
