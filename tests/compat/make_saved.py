"""Save small pipelines, an interrupted training and an interrupted run, for `test_saved.py` to load.

Run it in the repository of the version whose files are to be kept, with that version installed:

    python tests/compat/make_saved.py FOLDER

It writes zip files, and `expected.json` with what the pipelines find. Everything is done by the command line and the
configs, so that it needs no module of a version. The files in this folder were made by commit 8696ef7, with spaCy
3.8.18, thinc 8.3.14, torch 2.13.0 and transformers 4.53.2.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

import numpy as np
import spacy
from spacy.util import fix_random_seed, registry
from thinc.api import Config
from transformers import BertConfig, BertModel, BertTokenizerFast
from typer.testing import CliRunner

from spacy_medflat.cli import medflat_cli

STOP = 45
COMMON = "的一不在有是大中年病人心肺血痛高下上左右肝性术治"
LEXICON = {
    "右肺": "bod",
    "支气管": "bod",
    "鼻腔": "bod",
    "肺炎": "dis",
    "肺炎支原体": "mic",
    "阿奇霉素": "dru",
    "鼻塞": "sym|dis",
    "患儿": "",
}
DICTIONARY = ["患儿", "首选", "连用", "治疗", "明显"]
WINDOW = {"window": 32, "overlap": 8}
FLAT = {
    "@architectures": "spacy_medflat.FlatLattice.v1",
    "n_heads": 2,
    "feed_forward": 16,
    "attention_dropout": 0.1,
    "word_types": ["bod", "dis", "dru", "mic", "sym"],
    **WINDOW,
}
CNN = {
    "@architectures": "spacy.HashEmbedCNN.v2",
    "pretrained_vectors": None,
    "width": 16,
    "depth": 1,
    "embed_size": 100,
    "window_size": 1,
    "maxout_pieces": 2,
    "subword_features": False,
}
ADVERSARY = {
    "@callbacks": "spacy_medflat.adversarial_training.v1",
    "attack": {"@misc": "spacy_medflat.FGM.v1", "epsilon": 0.2},
    "start_step": 5,
}


@registry.loggers("stop.v1")
def create_stopping_logger() -> Any:
    """A logger that interrupts the training: settings of the logger are the only ones that may differ on resuming."""

    def setup(nlp: Any, stdout: IO = sys.stdout, stderr: IO = sys.stderr) -> Any:
        steps = iter(range(STOP))

        def log_step(info: dict[str, Any] | None) -> None:
            if next(steps, None) is None:
                raise InterruptedError

        return log_step, lambda: None

    return setup


def run(*arguments: str | Path, fails: bool = False) -> None:
    """A command of `python -m spacy medflat`."""
    found = CliRunner().invoke(medflat_cli, [str(argument) for argument in arguments])
    if fails != bool(found.exit_code):
        raise RuntimeError(found.output) from found.exception


def write_inputs(corpus: Path) -> list[str]:
    """Write corpus, lexicon, vectors and encoder to the current folder; return texts to read."""
    for name, length in (("train", 10), ("dev", 5)):
        sentences = [row for row in json.loads((corpus / f"{name}.json").read_text("utf8")) if len(row["text"]) < 60]
        Path(f"{name}.json").write_text(json.dumps(sentences[:length], ensure_ascii=False), "utf8")
    texts = [row["text"] for name in ("train", "dev") for row in json.loads(Path(f"{name}.json").read_text("utf8"))]
    Path("lexicon.tsv").write_text("".join(f"{word}\t{kind or '-'}\n" for word, kind in LEXICON.items()), "utf8")
    words = "".join(f"{word} {count} n\n" for count, word in enumerate(DICTIONARY, 5))
    Path("dictionary.txt").write_text(words, "utf8")
    random = np.random.default_rng(0)
    known = sorted({*LEXICON, *"".join((*LEXICON, *DICTIONARY))} - {"鼻腔"})
    rows = (f"{word} {' '.join(map(str, random.standard_normal(8).round(3)))}\n" for word in known)
    Path("vectors.txt").write_text(f"{len(known)} 8\n{''.join(rows)}", "utf8")
    run("vectors", "convert", "vectors.txt", "vectors")
    write_encoder(Path("encoder"), texts)
    return ["", *texts[:4], *texts[-4:], "".join(texts[:3]), f"{texts[0]}\n {texts[1]}", "无殊"]


def write_encoder(folder: Path, texts: Iterable[str]) -> None:
    """A BERT with random weights over the characters of the texts."""
    vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *sorted({*COMMON, *"".join(texts).lower()} - {" "})]
    Path("vocab.txt").write_text("\n".join(vocab) + "\n", "utf8")
    BertTokenizerFast(vocab_file="vocab.txt").save_pretrained(folder)
    fix_random_seed(0)
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    BertModel(BertConfig(vocab_size=len(vocab), max_position_embeddings=40, **sizes)).save_pretrained(folder)


def zh_medflat(default: Config) -> Config:
    """The default config, made small."""
    config = default.copy()
    config["paths"] = {**config["paths"], "encoder": "encoder", "lexicon": "lexicon.tsv", "vectors": "vectors"}
    config["components"]["transformer"]["model"].update(WINDOW)
    # No score is near it, so that rounding changes no span.
    config["components"]["medflat_ner"]["threshold"] = 0.47
    head = config["components"]["medflat_ner"]["model"]
    head.update({"head_size": 8, "max_width": 32})
    head["tok2vec"].update(FLAT)
    config["initialize"]["after_init"] = ADVERSARY
    return config


def on_cnn(default: Config, head: dict[str, Any], words: dict[str, Any] | None = None, **flat: Any) -> Config:
    """A head on a CNN, or on FLAT over a CNN if there are words."""
    config = default.copy()
    tok2vec = {**FLAT, **flat, "tok2vec": CNN} if words else CNN
    components = {"medflat_ner": {"factory": "medflat_ner", "model": {**head, "tok2vec": tok2vec}}}
    if words:
        components = {"lattice": {"factory": "medflat_lattice", "words": words}, **components}
        config["paths"]["vectors"] = "vectors"
    config["components"] = components
    config["nlp"]["pipeline"] = [*components]
    config["training"]["annotating_components"] = ["lattice"] if words else []
    return config


def train(config: Config, name: str, *, steps: int = 100, seed: int = 0, stop: bool = False) -> None:
    """Train the pipeline of a config, named `<name>.cfg`, to the folder `name`; with `stop`, to a checkpoint only."""
    rate = {"@schedules": "warmup_linear.v1", "initial_rate": 0.02, "warmup_steps": 5, "total_steps": 2 * steps}
    config = config.copy()
    config["paths"].update({"train": "train.json", "dev": "dev.json"})
    config["system"]["seed"] = seed
    training = config["training"]
    training.update({"max_steps": steps, "eval_frequency": 20, "batcher": {**training["batcher"], "size": 300}})
    training["optimizer"].update({"encoder_rate": rate, "head_rate": rate, "average_decay": 0.8, "layer_decay": 0.9})
    path = Path(f"{name}.cfg")
    config.to_disk(path)
    if stop:
        config["training"]["logger"] = {"@loggers": "stop.v1"}
        config.to_disk(Path("stop.cfg"))
    run("train", "stop.cfg" if stop else path, "--output", name, fails=stop)


def keep(source: Path | str, name: str, output: Path) -> None:
    """Pack a folder."""
    shutil.make_archive(str(output / name), "zip", source)


def keep_training(output: Path) -> None:
    """An interrupted training of `zh_medflat`: its inputs and its last checkpoint, with the paths of one folder."""
    folder = Path("training")
    *_, last = sorted(Path("stopped", "checkpoints").iterdir())
    (folder / "out" / "checkpoints").mkdir(parents=True)
    shutil.copy(last, folder / "out" / "checkpoints")
    for name in ("zh_medflat.cfg", "train.json", "dev.json", "lexicon.tsv"):
        shutil.copy(name, folder)
    for name in ("vectors", "encoder"):
        shutil.copytree(name, folder / name)
    keep(folder, "training", output)


def keep_annotation(texts: list[str], output: Path) -> None:
    """An interrupted run over piped texts, the texts, and what the run gives that nobody interrupts."""
    folder = Path("annotation")
    folder.mkdir()
    lines = [json.dumps({"id": i, "text": text}, ensure_ascii=False) + "\n" for i, text in enumerate(texts)]
    (folder / "texts.jsonl").write_text("".join(lines), "utf8")
    settings = ["--model", "zh_medflat/model-last", "--n-process", "1", "--buffer", "2"]
    command = [sys.executable, "-m", "spacy", "medflat", "annotate", "-", *settings, "--output"]
    subprocess.run([*command, folder / "whole.jsonl"], input="".join(lines).encode(), check=True)
    shutil.rmtree(folder / "whole.jsonl.run")
    with subprocess.Popen([*command, folder / "out.jsonl"], stdin=subprocess.PIPE) as process:
        assert process.stdin
        process.stdin.write("".join(lines[:4]).encode())
        process.stdin.flush()
        while len([*folder.glob("out.jsonl.run/_receipts/*.json")]) < 2:
            time.sleep(0.1)
        process.send_signal(signal.SIGKILL)
    keep(folder, "annotation", output)


def found(folder: str, texts: list[str]) -> list[dict[str, Any]]:
    """The spans of a saved pipeline with their scores."""
    nlp = spacy.load(folder)
    return [
        {
            "text": doc.text,
            "spans": [
                [span.start_char, span.end_char, span.label_, round(float(score), 7)]
                for span, score in zip(doc.spans["sc"], doc.spans["sc"].attrs["scores"], strict=True)
            ],
        }
        for doc in nlp.pipe(texts)
    ]


def main(root: Path, output: Path) -> None:
    """Make all files. root: the repository, whose config and corpus are used."""
    output.mkdir(parents=True, exist_ok=True)
    default = Config().from_disk(root / "configs" / "flat_words.cfg", interpolate=False)
    texts = write_inputs(root / "assets" / "corpus")
    efficient, pointer, tags = (
        {"@architectures": f"spacy_medflat.{name}.v1"}
        for name in ("EfficientGlobalPointer", "GlobalPointer", "LinearNested")
    )
    small = {"head_size": 4, "max_width": 32}
    segmenter = {"@misc": "spacy_medflat.SegmenterWords.v1", "segmenter": "jieba", "model": "dictionary.txt"}
    lexicon = {"@misc": "spacy_medflat.LexiconWords.v1", "path": "lexicon.tsv"}
    union = {"@misc": "spacy_medflat.UnionWords.v1", "sources": {"lexicon": lexicon, "segmenter": segmenter}}
    other = {"fusion": "attention", "shared_positions": False, "learned_positions": True, "gated": False, "width": 8}
    train(zh_medflat(default), "stopped", steps=60, stop=True)
    train(zh_medflat(default), "zh_medflat", steps=60)
    train(on_cnn(default, {**tags, "groups": [["bod"], ["sym"]]}), "linear_nested", steps=200)
    train(on_cnn(default, {**pointer, **small}, union, **other), "global_pointer")
    train(on_cnn(default, {**efficient, **small}), "member", seed=0)
    train(on_cnn(default, {**efficient, **small}), "other_member", seed=1)
    run("ensemble", "member/model-last", "other_member/model-last", "--output", "ensemble/model-last")
    expected = {}
    for name in ("zh_medflat", "linear_nested", "global_pointer", "ensemble"):
        keep(f"{name}/model-last", name, output)
        expected[name] = found(f"{name}/model-last", texts)
    lines = (
        f'"{name}": [\n' + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]"
        for name, rows in expected.items()
    )
    (output / "expected.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf8")
    keep_training(output)
    keep_annotation(texts, output)


if __name__ == "__main__":
    target = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as work:
        here = Path.cwd()
        os.chdir(work)
        main(here, target)
