"""What the commands share: options, how they end on bad input, and loading a pipeline."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text
from spacy.language import Language
from spacy.training import Example

from .._internals import import_code
from ..corpus.reader import create_cmeee_reader
from ..errors import MedflatError
from ..lattice.rules import WordRules
from ..loading import load_model
from ..ner.span_finder import SpanFinder
from ..runtime import use_device


@contextmanager
def friendly_errors() -> Iterator[None]:
    """Turn errors about input into a message on stderr and exit code 1. Works as a decorator too.

    Other errors pass through: they are ours, and need their traceback.
    RAISES (typer.Exit): After a MedflatError, OSError or UnicodeError.
    """
    try:
        yield
    except (MedflatError, OSError, UnicodeError) as error:
        message = " ".join(_message(error).split())
        Console(stderr=True, soft_wrap=True).print(Text(f"Error: {message}", style="red"))
        raise typer.Exit(1) from error


def _message(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)


MinLength = Annotated[int, typer.Option(min=1, help="Shortest word, in characters.")]
MaxLength = Annotated[int, typer.Option(min=1, help="Longest word, in characters.")]
ChineseOnly = Annotated[
    bool, typer.Option("--chinese-only/--any-script", help="Only words of Chinese characters throughout.")
]


Code = Annotated[Path | None, typer.Option("--code", "-c", help="Python file with functions to register.")]
GpuId = Annotated[int, typer.Option("--gpu-id", "-g", help="GPU to use, -1 for the CPU.")]


def word_rules(min_length: int, max_length: int, chinese_only: bool) -> WordRules:
    """The limits that these options set.

    RAISES (MedflatError): No word can meet them.
    """
    try:
        return WordRules(min_length, max_length, chinese_only)
    except ValueError as error:
        raise MedflatError(str(error)) from error


def check_apart(outputs: Iterable[Path | None], inputs: Iterable[Path]) -> None:
    """Make sure that no output would replace an input.

    RAISES (MedflatError): One would.
    """
    read = {path.resolve() for path in inputs}
    for output in outputs:
        if output and output.resolve() in read:
            raise MedflatError(f"{output} is one of the inputs; give another output")


def split_names(names: str | None) -> list[str] | None:
    """Names with commas between them; None if there are none."""
    return [name for part in (names or "").split(",") if (name := part.strip())] or None


def load_pipeline(
    model: str, gpu_id: int, mixed_precision: bool | None = None, code: Path | None = None
) -> tuple[Language, SpanFinder]:
    """Load a pipeline by package name or folder, and find its nested entity recognizer or ensemble of such.

    gpu_id (int): the GPU to use, -1 for the CPU.
    mixed_precision (bool or None): compute so; None for what the pipeline says.
    code (Path or None): Python file with functions that the pipeline needs.
    RAISES MedflatError: no such GPU or pipeline, or it has no component that finds nested entities, or none that knows
        mixed precision.
    """
    use_device(gpu_id)
    import_code(code)
    nlp = load_model(model, mixed_precision)
    for _, pipe in nlp.pipeline:
        if isinstance(pipe, SpanFinder):
            return nlp, pipe
    raise MedflatError(
        f"the pipeline {model!r} has no 'medflat_ner' component and no 'medflat_ensemble'; "
        f"it has {', '.join(nlp.pipe_names)}"
    )


def read_examples(nlp: Language, data: Path, spans_key: str) -> list[Example]:
    """Read annotated texts of any known format.

    RAISES MedflatError: the file cannot be read, or holds no text.
    """
    examples = list(create_cmeee_reader(data, spans_key=spans_key)(nlp))
    if not examples:
        raise MedflatError(f"{data}: no texts to score")
    return examples
