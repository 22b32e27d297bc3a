"""Pipelines that have each not seen a fold of the training texts, to calibrate one that has seen them all."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from spacy.training.initialize import init_nlp
from spacy.training.loop import DIR_MODEL_LAST
from thinc.api import Config

from ..errors import MedflatError
from ..files import replaced_when_done
from ..loading import load_model
from .resume.checkpoint import CheckpointFolder
from .resume.loop import CHECKPOINTS, train


def train_without_folds(
    config: Config,
    examples: Sequence[Example],
    folds: int,
    work: Path,
    *,
    labels: Mapping[str, Sequence[str]],
    gpu_id: int = -1,
    report: Callable[[str], None] = lambda message: None,
) -> Iterator[tuple[list[int], Language]]:
    """Train a pipeline on all texts but a fold, for each fold.

    What is done is not done again, and a training that was killed goes on.

    Text i is in fold i modulo `folds`.

    config (Config): of the pipeline, with all that its training needs; its corpus of training is replaced.
    examples (sequence of Example): the training texts.
    folds (int): how many pipelines, at least 2.
    work (Path): folder for them, `fold-1` and so on.
    labels (dict): labels of components by name, so that those of all pipelines are the same.
    gpu_id (int): the GPU to use, -1 for the CPU.
    report (callable): called with what is being done.
    YIELDS (list of int, Language): the texts of a fold, and the pipeline that was not trained on them.
    RAISES (MedflatError): fewer than 2 folds, or more than texts; or `work` has pipelines of other texts.
    """
    if not 2 <= folds <= len(examples):
        raise MedflatError(f"--folds must be from 2 to the number of texts, {len(examples):,}, but it is {folds}")
    for fold in range(folds):
        folder = work / f"fold-{fold + 1}"
        # model-last is there from the first evaluation on.
        done, identity = folder / "done", folder / "identity"
        rest = [example.reference for i, example in enumerate(examples) if i % folds != fold]
        # Pipelines of other texts may have seen this fold.
        this = _digest(config, rest)
        if identity.exists() and identity.read_text() != this:
            raise MedflatError(f"{folder} is of other texts, folds or settings; give another --work, or remove it")
        if not done.exists():
            report(f"training without fold {fold + 1} of {folds}")
            folder.mkdir(parents=True, exist_ok=True)
            identity.write_text(this)
            texts = folder / "train.spacy"
            with replaced_when_done(texts, force=True) as scratch:
                DocBin(docs=rest, store_user_data=True).to_disk(scratch)
            nlp = init_nlp(_config_of_fold(config, texts, labels), use_gpu=gpu_id)
            train(nlp, folder, resume=bool(CheckpointFolder(folder / CHECKPOINTS).files()), use_gpu=gpu_id)
            done.touch()
        yield list(range(fold, len(examples), folds)), load_model(str(folder / DIR_MODEL_LAST), gpu_id=gpu_id)


def _digest(config: Config, docs: Sequence[Doc]) -> str:
    spans = [
        [(s.start_char, s.end_char, s.label_) for s in doc.spans[key]] for doc in docs for key in sorted(doc.spans)
    ]
    return hashlib.sha256(repr((config.to_str(), [doc.text for doc in docs], spans)).encode()).hexdigest()


def _config_of_fold(config: Config, texts: Path, labels: Mapping[str, Sequence[str]]) -> Config:
    made = config.copy()
    name = str(made["training"]["train_corpus"]).removeprefix("corpora.")
    corpus: dict[str, Any] = {**made["corpora"].get(name, {}), "path": str(texts)}
    if corpus.get("@readers") == "spacy_medflat.CMeEE.v1":
        corpus.update(format=None, limit=0)
    made["corpora"][name] = corpus
    for component, of_component in labels.items():
        made["initialize"].setdefault("components", {}).setdefault(component, {})["labels"] = list(of_component)
    return made
