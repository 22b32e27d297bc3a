"""`medflat self-train`: a corpus of what trained pipelines are sure of in notes, and of what they are not."""

from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType

from ..adapt.pseudo_records import Outcome
from ..adapt.self_train_settings import ChoiceSettings, NoteSettings
from ..adapt.self_training import self_train as label_notes
from ..corpus.report import ranked
from ..errors import amount
from ..files import write_json
from ..scale.sources import SOURCE_KINDS
from .common import GOES_ON, Code, GpuId, check_apart, friendly_errors, say, table
from .progress import texts_done

_SHOWN = 10


class Agreement(str, Enum):
    """The choices of `--agree`."""

    mean = "mean"
    all = "all"


def self_train(
    model: Annotated[str, typer.Argument(help="Package name or folder of a trained pipeline, or of an ensemble.")],
    notes: Annotated[list[str], typer.Argument(metavar="NOTES...", help="Files, or folders with such files.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Corpus to write, .jsonl or .spacy.")],
    also: Annotated[list[str] | None, typer.Option(help="Another pipeline that has a say; may be repeated.")] = None,
    agree: Annotated[
        Agreement, typer.Option(help="Of several pipelines: their mean score decides, or all of them must be sure.")
    ] = Agreement.mean,
    sure: Annotated[float, typer.Option(help="From this score on a span is an entity.")] = 0.9,
    unlikely: Annotated[
        float, typer.Option(help="Below this score a span is none. What is between them is marked as unknown.")
    ] = 0.1,
    most: Annotated[
        int | None, typer.Option(min=1, help="Entities of a label at most, the best; the others are unknown.")
    ] = None,
    share: Annotated[
        float | None, typer.Option(min=0.0, max=1.0, help="Share of a label's entities that is taken at most.")
    ] = None,
    weight: Annotated[float, typer.Option(help="What a training multiplies the loss of these texts by.")] = 1.0,
    join: Annotated[
        list[Path] | None,
        typer.Option("--with", help="Annotated corpus that stands first in OUT; may be repeated."),
    ] = None,
    without: Annotated[
        list[Path] | None,
        typer.Option(help="Corpus whose texts are left out of the notes, such as dev and test; may be repeated."),
    ] = None,
    count: Annotated[
        int | None, typer.Option(min=1, help="Draw so many texts at most, evenly from all notes. All by default.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draw.")] = 0,
    max_length: Annotated[
        int, typer.Option(min=16, help="Longer notes are cut at sentence ends, into texts of so many characters.")
    ] = 256,
    min_letters: Annotated[int, typer.Option(min=1, help="Texts with fewer letters are left out.")] = 5,
    kind: Annotated[
        str | None,
        typer.Option("--from", help=f"What NOTES are: {', '.join(SOURCE_KINDS)}. Found from suffixes; .txt is lines."),
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(help="Encoding of the notes. Told from each file by default: UTF-8 or GB18030.")
    ] = None,
    text_field: Annotated[str, typer.Option(help="Field of the text.")] = "text",
    id_field: Annotated[str, typer.Option(help="Field of the identifier, which need not be there.")] = "id",
    n_process: Annotated[
        int | None, typer.Option(min=1, help="Processes. As many as CPUs, memory and input allow by default.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="JSON file for all counts.")] = None,
    keep: Annotated[
        bool,
        typer.Option("--keep", help="Keep OUT.run: other scores and limits then need no reading of the notes."),
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Start anew, and replace OUT.")] = False,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Replace OUT; go on with OUT.run if it is of the same notes and pipelines."),
    ] = False,
    code: Code = None,
    gpu_id: GpuId = -1,
) -> None:
    """Let trained pipelines label notes, as a corpus for the next training.

    Of each text the corpus has entities, and spans that may be entities or not: a training passes over these, and takes
    all others for none. Texts that the pipelines were trained on, and repeated ones, are left out. The annotations of
    the notes, if there are any, are not read.

    A run that was interrupted, killed even, goes on with the same command.
    """
    with friendly_errors(GOES_ON):
        check_apart([report], [*map(Path, notes), *(join or []), *(without or []), output])
        outcome = label_notes(
            [model, *(also or [])],
            notes,
            output,
            NoteSettings(
                kind=kind,
                encoding=encoding,
                text_field=text_field,
                id_field=id_field,
                max_length=max_length,
                min_letters=min_letters,
                count=count,
                seed=seed,
            ),
            ChoiceSettings(sure=sure, unlikely=unlikely, agree=agree.value, most=most, share=share, weight=weight),
            join=join or [],
            without=without or [],
            force=force,
            replace=replace,
            keep=keep,
            reading={
                "gpu_id": gpu_id,
                "code": code,
                **({"n_process": n_process} if n_process else {}),
            },
            progress=texts_done,
            warn=lambda message: say(f"Warning: {message}", "yellow", stderr=True),
        )
        for line in _lines(outcome, output):
            say(line)
        if report:
            write_json(report, outcome.to_dict())


def _lines(outcome: Outcome, output: Path) -> Iterator[str | RenderableType]:
    yield str(outcome.notes)
    if outcome.failed:
        yield f"{amount(outcome.failed, 'text')} could not be read by a pipeline, and are left out"
    labels = ranked(outcome.sure + outcome.unknown)
    rows = [
        [label, *(f"{counts[label]:,}" for counts in (outcome.sure, outcome.unknown, outcome.over))]
        for label, _ in labels
    ]
    yield table(["label", "entities", "may be entities", "of these over the limit"], rows)
    joined = f", after {amount(outcome.joined, 'text')} that were annotated before" if outcome.joined else ""
    yield (
        f"{amount(outcome.texts, 'text')} with {amount(outcome.sure.total(), 'entity')} in {output}{joined}; "
        f"{outcome.with_sure:,} of them have one"
    )
    for problem in outcome.problems[:_SHOWN]:
        yield str(problem)
    if len(outcome.problems) > _SHOWN:
        yield f"… and {len(outcome.problems) - _SHOWN:,} more problems, see --report"
