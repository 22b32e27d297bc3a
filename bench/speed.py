"""Speed of the pipeline beside the plain torch loop: same encoder, same texts, same batches, turn and turn about.

    python -m bench.speed --encoder FOLDER_OR_NAME --data CMeEE_train.json

Prints characters a second of each round and the ratio of the medians, and writes them to a JSON file.
"""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import spacy
import typer
from spacy.language import Language
from spacy.training import Example
from spacy.util import fix_random_seed, load_config

from bench.harness import interleave, report
from bench.plain import PlainPointer, Text, make_optimizer, predict, train_step
from spacy_medflat.corpus.reader import create_cmeee_reader
from spacy_medflat.training.layerwise import create_layerwise_adamw

CONFIG = Path(__file__).parent.parent / "configs" / "default.cfg"


def main(
    encoder: Annotated[str, typer.Option(help="Encoder of both sides, with weights.")],
    data: Annotated[Path, typer.Option(help="Annotated texts.")],
    texts: Annotated[int, typer.Option(help="Texts of a round.")] = 600,
    rounds: Annotated[int, typer.Option(help="Rounds of each side that count, after one that does not.")] = 5,
    batch: Annotated[int, typer.Option(help="Texts of a batch.")] = 32,
    output: Annotated[Path, typer.Option(help="JSON file for the figures.")] = Path("metrics/speed.json"),
) -> None:
    """Measure training and inference of both sides."""
    nlp = _pipeline(encoder, data)
    examples = list(create_cmeee_reader(data, limit=texts)(nlp))
    fix_random_seed(0)
    random.shuffle(examples)
    batches = _batches(examples, batch)
    labels = nlp.get_pipe("medflat_ner").labels  # type: ignore[attr-defined]
    plain_batches = [[_to_text(eg, labels) for eg in group] for group in batches]
    plain = _plain(encoder, len(labels))
    plain_optimizer = make_optimizer(plain)
    optimizer = create_layerwise_adamw(encoder_rate=1e-4, head_rate=1e-3)
    raw = [eg.text for eg in examples]

    def train_ours() -> None:
        for group in batches:
            nlp.update(group, sgd=False)  # type: ignore[arg-type]
            for name in ("transformer", "medflat_ner"):
                nlp.get_pipe(name).finish_update(optimizer)  # type: ignore[attr-defined]

    def train_plain() -> None:
        for group in plain_batches:
            train_step(plain, plain_optimizer, group)

    def run_ours() -> None:
        for _ in nlp.pipe(raw):
            pass

    def run_plain() -> None:
        by_length = sorted(raw, key=len)
        for i in range(0, len(by_length), batch):
            predict(plain, by_length[i : i + batch])

    n_chars = sum(map(len, raw))
    # The head learns to find few spans first, as a pipeline in use does.
    for _ in range(2):
        train_ours()
        train_plain()
    results = {
        "training": interleave({"ours": train_ours, "plain": train_plain}, n_chars, rounds),
        "inference": interleave({"ours": run_ours, "plain": run_plain}, n_chars, rounds),
    }
    report(results, {"texts": len(raw), "characters": n_chars, "batch": batch, "encoder": Path(encoder).name}, output)


def _pipeline(encoder: str, data: Path) -> Language:
    config = load_config(CONFIG, {"paths.encoder": encoder, "paths.train": str(data)})
    nlp = spacy.util.load_model_from_config(config, auto_fill=True)
    sample = list(create_cmeee_reader(data)(nlp))
    with nlp.select_pipes(enable=["transformer", "medflat_ner"]):
        nlp.initialize(lambda: sample)
    return nlp


def _plain(encoder: str, n_labels: int) -> PlainPointer:
    from transformers import AutoModel, AutoTokenizer

    return PlainPointer(
        AutoModel.from_pretrained(encoder), AutoTokenizer.from_pretrained(encoder).get_vocab(), n_labels
    )


def _batches(examples: Sequence[Example], size: int) -> list[list[Example]]:
    """Batches of texts of like length, as the default batcher makes them, in random order."""
    ordered = sorted(examples, key=lambda eg: len(eg.text))
    groups = [ordered[i : i + size] for i in range(0, len(ordered), size)]
    random.shuffle(groups)
    return groups


def _to_text(example: Example, labels: Sequence[str]) -> Text:
    spans = example.reference.spans["sc"]
    return Text(example.text, [(s.start_char, s.end_char - 1, labels.index(s.label_)) for s in spans])


if __name__ == "__main__":
    typer.run(main)
