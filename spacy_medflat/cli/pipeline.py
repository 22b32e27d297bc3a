"""What the commands share that run a trained pipeline."""

from pathlib import Path

from spacy.cli._util import import_code
from spacy.language import Language
from spacy.training import Example

from ..corpus.reader import create_cmeee_reader
from ..corpus.record import CorpusError
from ..device import use_device
from ..ensemble.component import Ensemble
from ..ner.component import NestedEntityRecognizer
from ..scale.model_files import load_model

SpanFinder = NestedEntityRecognizer | Ensemble


def load_pipeline(
    model: str, gpu_id: int, mixed_precision: bool | None = None, code: Path | None = None
) -> tuple[Language, SpanFinder]:
    """Load a pipeline by package name or folder, and find its nested entity recognizer or ensemble of such.

    gpu_id (int): the GPU to use, -1 for the CPU.
    mixed_precision (bool or None): compute so; None for what the pipeline says.
    code (Path or None): Python file with functions that the pipeline needs.
    RAISES CorpusError: no such GPU or pipeline, or it has no component that finds nested entities, or none that knows
        mixed precision.
    """
    use_device(gpu_id)
    import_code(code)
    nlp = load_model(model, mixed_precision)
    for _, pipe in nlp.pipeline:
        if isinstance(pipe, SpanFinder):
            return nlp, pipe
    raise CorpusError(
        f"the pipeline {model!r} has no 'medflat_ner' component and no 'medflat_ensemble'; "
        f"it has {', '.join(nlp.pipe_names)}"
    )


def read_examples(nlp: Language, data: Path, spans_key: str) -> list[Example]:
    """Read annotated texts of any known format.

    RAISES CorpusError: the file cannot be read, or holds no text.
    """
    examples = list(create_cmeee_reader(data, spans_key=spans_key)(nlp))
    if not examples:
        raise CorpusError(f"{data}: no texts to score")
    return examples
