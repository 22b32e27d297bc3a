"""What the commands share: how they end and print, their options, and loading a pipeline."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text
from spacy.language import Language
from spacy.training import Example

from ..corpus.reader import create_cmeee_reader
from ..errors import MedflatError, amount
from ..loading import first_span_finder, load_model
from ..ner.span_finder import SpanFinder
from ..partial_annotation import unknown_key

Code = Annotated[Path | None, typer.Option("--code", "-c", help="Python file with functions to register.")]
GpuId = Annotated[int, typer.Option("--gpu-id", "-g", help="GPU to use, -1 for the CPU.")]
MinLength = Annotated[int, typer.Option(min=1, help="Shortest word, in characters.")]
MaxLength = Annotated[int, typer.Option(min=1, help="Longest word, in characters.")]
ChineseOnly = Annotated[
    bool, typer.Option("--chinese-only/--any-script", help="Only words of Chinese characters throughout.")
]


GOES_ON = "What is done stays; the same command goes on."


@contextmanager
def friendly_errors(interrupted: str = "Nothing is written.") -> Iterator[None]:
    """Turn errors about input into a message on stderr and exit code 1, and an interruption into exit code 130.

    Other errors are defects of this package, and keep their traceback.

    interrupted (str): what to say after Ctrl-C: what is left, and how to go on.
    RAISES (typer.Exit): after a MedflatError, OSError or UnicodeError, or a KeyboardInterrupt.
    """
    try:
        yield
    except KeyboardInterrupt:
        say(f"Interrupted. {interrupted}", stderr=True)
        raise typer.Exit(130) from None
    except (MedflatError, OSError, UnicodeError) as error:
        message = str(error)
        if isinstance(error, OSError) and error.strerror:
            message = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
        say(f"Error: {' '.join(message.split())}", "red", stderr=True)
        raise typer.Exit(1) from error


def say(what: RenderableType, style: str = "", *, stderr: bool = False) -> None:
    """Print a line as it is, neither wrapped nor read as mark-up, or a table."""
    Console(soft_wrap=True, stderr=stderr).print(Text(what, style=style) if isinstance(what, str) else what)


def table(
    head: Sequence[str], rows: Iterable[Sequence[str]], *, title: str = "", text_columns: int = 1, bold: str = ""
) -> Table:
    """Make a table.

    head (sequence of str): names of the columns.
    rows (iterable of sequences of str): their cells; an empty row separates.
    title (str): stands above the table.
    text_columns (int): so many columns are text, the others numbers.
    bold (str): the first cell of a row that stands out.
    """
    made = Table(
        *head,
        title=Text(title) if title else None,
        title_justify="left",
        box=None,
        pad_edge=False,
        padding=(0, 2, 0, 0),
    )
    for column in made.columns[text_columns:]:
        column.justify = "right"
    for row in rows:
        made.add_row(*map(Text, row), style="bold" if bold and row and row[0] == bold else None)
    return made


def check_apart(outputs: Iterable[Path | None], inputs: Iterable[Path]) -> None:
    """Make sure that no output would replace an input.

    outputs (iterable of Path or None): files to write; None is skipped.
    inputs (iterable of Path): files to read.
    RAISES (MedflatError): one would.
    """
    read = {path.resolve() for path in inputs}
    for output in outputs:
        if output and output.resolve() in read:
            raise MedflatError(f"{output} is one of the inputs; give another output")


def check_output(output: Path | None) -> None:
    """RAISES (MedflatError): there is something else than a pipeline in the folder."""
    if output and output.is_dir() and any(output.iterdir()) and not (output / "meta.json").exists():
        raise MedflatError(f"{output}: there is something else than a pipeline in this folder; give another one")


def split_names(names: str | None) -> list[str] | None:
    """Names with commas between them; None if there are none."""
    return [name for part in (names or "").split(",") if (name := part.strip())] or None


def load_pipeline(
    model: str, gpu_id: int, mixed_precision: bool | None = None, code: Path | None = None
) -> tuple[Language, SpanFinder]:
    """Load a pipeline and find its nested entity recognizer, or ensemble of such.

    model, gpu_id, mixed_precision, code: see `load_model`.
    RETURNS (Language, SpanFinder): the pipeline, and its first component that finds nested spans.
    RAISES (MedflatError): it cannot be loaded, or has no such component.
    """
    nlp = load_model(model, gpu_id=gpu_id, code=code, mixed_precision=mixed_precision)
    return nlp, first_span_finder(nlp, model)


def read_examples(nlp: Language, data: Path, spans_key: str) -> list[Example]:
    """Read annotated texts of any known format.

    nlp (Language): makes the Docs.
    data (Path): the file.
    spans_key (str): the span group of the entities.
    RAISES (MedflatError): the file cannot be read, or holds no text.
    """
    examples = list(create_cmeee_reader(data, spans_key=spans_key)(nlp))
    if not examples:
        raise MedflatError(f"{data}: no texts to score")
    if vague := sum(bool(example.reference.spans.get(unknown_key(spans_key))) for example in examples):
        say(f"Warning: {amount(vague, 'text')} of {data} with unknown spans, which count as none here", "yellow")
    return examples
