"""Speed of the pipeline beside a plain torch loop, and beside the same pipeline on spacy-transformers' own encoder.

    python -m bench.speed --encoder FOLDER_OR_NAME --data CMeEE_train.json

All sides have the same encoder, texts and batches, and take turns. Texts are read as single characters in windows of
256. Prints characters a second and the ratio of the medians, and writes every round to a JSON file.
"""

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

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
Side = tuple[Callable[[], None], Callable[[], None]]


def main(
    encoder: Annotated[str, typer.Option(help="Encoder of all sides, with weights.")],
    data: Annotated[Path, typer.Option(help="Annotated texts.")],
    texts: Annotated[int, typer.Option(help="Texts of a round.")] = 600,
    rounds: Annotated[int, typer.Option(help="Rounds of each side that count, after two that do not.")] = 5,
    batch: Annotated[int, typer.Option(help="Texts of a batch.")] = 32,
    output: Annotated[Path, typer.Option(help="JSON file for the figures.")] = Path("metrics/speed.json"),
) -> None:
    """Measure training and inference of all sides."""
    theirs = {
        "@architectures": "spacy-transformers.TransformerModel.v3",
        "name": encoder,
        "get_spans": {"@span_getters": "spacy-transformers.strided_spans.v1", "window": 256, "stride": 224},
    }
    sides = {
        "ours": _pipeline_side(_pipeline(encoder, data, None), data, texts, batch),
        "plain torch": _plain_side(encoder, data, texts, batch),
        "TransformerModel.v3": _pipeline_side(_pipeline(encoder, data, theirs), data, texts, batch),
    }
    n_chars = sum(len(eg.text) for eg in create_cmeee_reader(data, limit=texts)(spacy.blank("zh")))
    # Two rounds of training before anything counts: like a pipeline in use, the heads then find few spans.
    results = {
        "training": interleave({name: train for name, (train, _) in sides.items()}, n_chars, rounds, warm_up=2),
        "inference": interleave({name: infer for name, (_, infer) in sides.items()}, n_chars, rounds, warm_up=1),
    }
    report(results, {"texts": texts, "characters": n_chars, "batch": batch, "encoder": Path(encoder).name}, output)


def _pipeline(encoder: str, data: Path, transformer: dict[str, Any] | None) -> Language:
    config = load_config(CONFIG, {"paths.encoder": encoder, "paths.train": str(data)})
    if transformer is not None:
        config["components"]["transformer"]["model"] = transformer
    nlp = spacy.util.load_model_from_config(config, auto_fill=True)
    sample = list(create_cmeee_reader(data, limit=2000)(nlp))
    fix_random_seed(0)
    with nlp.select_pipes(enable=["transformer", "medflat_ner"]):
        nlp.initialize(lambda: sample)
    return nlp


def _pipeline_side(nlp: Language, data: Path, texts: int, batch: int) -> Side:
    batches = _batches(nlp, data, texts, batch)
    optimizer = create_layerwise_adamw(encoder_rate=1e-4, head_rate=1e-3)
    raw = [eg.text for group in batches for eg in group]
    pipes: list[Any] = [nlp.get_pipe("transformer"), nlp.get_pipe("medflat_ner")]

    def train() -> None:
        for group in batches:
            nlp.update(group, sgd=False)  # type: ignore[arg-type]
            for pipe in pipes:
                pipe.finish_update(optimizer)

    def infer() -> None:
        for _ in nlp.pipe(raw):
            pass

    return train, infer


def _plain_side(encoder: str, data: Path, texts: int, batch: int) -> Side:
    from transformers import AutoModel, AutoTokenizer

    nlp = spacy.blank("zh")
    examples = _batches(nlp, data, texts, batch)
    labels = sorted({span.label_ for eg in create_cmeee_reader(data)(nlp) for span in eg.reference.spans["sc"]})
    batches = [[_to_text(eg, labels) for eg in group] for group in examples]
    by_length = sorted((text.chars for group in batches for text in group), key=len)
    vocab = AutoTokenizer.from_pretrained(encoder).get_vocab()
    model = PlainPointer(AutoModel.from_pretrained(encoder), vocab, len(labels))
    optimizer = make_optimizer(model)

    def train() -> None:
        for group in batches:
            train_step(model, optimizer, group)

    def infer() -> None:
        for i in range(0, len(by_length), batch):
            predict(model, by_length[i : i + batch])

    return train, infer


def _batches(nlp: Language, data: Path, texts: int, size: int) -> list[list[Example]]:
    """Batches of texts of like length, as the default batcher makes them, in random order."""
    examples = sorted(create_cmeee_reader(data, limit=texts)(nlp), key=lambda eg: len(eg.text))
    groups = [examples[i : i + size] for i in range(0, len(examples), size)]
    random.Random(0).shuffle(groups)
    return groups


def _to_text(example: Example, labels: Sequence[str]) -> Text:
    spans = example.reference.spans["sc"]
    return Text(example.text, [(s.start_char, s.end_char - 1, labels.index(s.label_)) for s in spans])


if __name__ == "__main__":
    typer.run(main)
