"""Speed of our character transformer beside spacy-transformers' own, in the same pipeline on the same texts.

    python -m bench.encoder --encoder FOLDER_OR_NAME --data CMeEE_train.json

Both read single characters in windows of 256. Training is a whole update of `transformer` and `medflat_ner`.
"""

import random
from pathlib import Path
from typing import Annotated

import spacy
import typer
from spacy.language import Language
from spacy.training import Example
from spacy.util import fix_random_seed, load_config

from bench.harness import interleave, report
from spacy_medflat.corpus.reader import create_cmeee_reader
from spacy_medflat.training.layerwise import create_layerwise_adamw

CONFIG = Path(__file__).parent.parent / "configs" / "default.cfg"
SPANS = {"@span_getters": "spacy-transformers.strided_spans.v1", "window": 256, "stride": 224}


def main(
    encoder: Annotated[str, typer.Option(help="Encoder of both sides, with weights.")],
    data: Annotated[Path, typer.Option(help="Annotated texts.")],
    texts: Annotated[int, typer.Option(help="Texts of a round.")] = 600,
    rounds: Annotated[int, typer.Option(help="Rounds of each side that count, after one that does not.")] = 5,
    batch: Annotated[int, typer.Option(help="Texts of a batch.")] = 32,
    output: Annotated[Path, typer.Option(help="JSON file for the figures.")] = Path("metrics/encoder.json"),
) -> None:
    """Measure training, and inference of the `transformer` component alone."""
    theirs = {"@architectures": "spacy-transformers.TransformerModel.v3", "name": encoder, "get_spans": SPANS}
    sides = {
        "CharTransformer.v1": _pipeline(encoder, data, None),
        "TransformerModel.v3": _pipeline(encoder, data, theirs),
    }
    n_chars = sum(len(eg.text) for eg in create_cmeee_reader(data, limit=texts)(spacy.blank("zh")))
    training, inference = {}, {}
    for name, nlp in sides.items():
        examples = sorted(create_cmeee_reader(data, limit=texts)(nlp), key=lambda eg: len(eg.text))
        batches = [examples[i : i + batch] for i in range(0, len(examples), batch)]
        random.Random(0).shuffle(batches)
        training[name] = _Training(nlp, batches)
        inference[name] = _Inference(nlp, [eg.text for eg in examples])
    results = {
        "training": interleave(training, n_chars, rounds),  # type: ignore[arg-type]
        "inference": interleave(inference, n_chars, rounds),  # type: ignore[arg-type]
    }
    report(results, {"texts": texts, "characters": n_chars, "batch": batch, "encoder": Path(encoder).name}, output)


class _Training:
    def __init__(self, nlp: Language, batches: list[list[Example]]):
        self.nlp, self.batches = nlp, batches
        self.optimizer = create_layerwise_adamw(encoder_rate=1e-4, head_rate=1e-3)

    def __call__(self) -> None:
        for group in self.batches:
            self.nlp.update(group, sgd=False)  # type: ignore[arg-type]
            for name in ("transformer", "medflat_ner"):
                self.nlp.get_pipe(name).finish_update(self.optimizer)  # type: ignore[attr-defined]


class _Inference:
    def __init__(self, nlp: Language, texts: list[str]):
        self.nlp, self.texts = nlp, texts

    def __call__(self) -> None:
        with self.nlp.select_pipes(enable=["transformer", "doc_cleaner"]):
            for _ in self.nlp.pipe(self.texts):
                pass


def _pipeline(encoder: str, data: Path, model: dict | None) -> Language:
    config = load_config(CONFIG, {"paths.encoder": encoder, "paths.train": str(data)})
    if model is not None:
        config["components"]["transformer"]["model"] = model
    nlp = spacy.util.load_model_from_config(config, auto_fill=True)
    sample = list(create_cmeee_reader(data, limit=1000)(nlp))
    fix_random_seed(0)
    with nlp.select_pipes(enable=["transformer", "medflat_ner"]):
        nlp.initialize(lambda: sample)
    return nlp


if __name__ == "__main__":
    typer.run(main)
