"""`medflat annotate`: the entities of an archive, in a run that may be interrupted at any moment."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from ..errors import amount
from ..scale.run import ENGINES, Outcome, annotate_corpus
from ..scale.run_settings import FieldNames, RunSettings
from ..scale.sources import SOURCE_KINDS
from ..scale.writers import PART_FORMATS
from .common import GOES_ON, Code, GpuId, friendly_errors, say
from .progress import texts_done

SOME_FAILED = 3
_KINDS = "; ".join(f"{name}, {meaning}" for name, meaning in SOURCE_KINDS.items())


def annotate(
    context: typer.Context,
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="IN...", help="Files, folders with such files, or - for standard input."),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="File to write, or folder for a file every --buffer texts.")
    ],
    model: Annotated[str, typer.Option("--model", "-m", help="Package name or folder of a trained pipeline.")],
    kind: Annotated[
        str | None, typer.Option("--from", help=f"What IN is, in place of what suffixes say: {_KINDS}.")
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(help="Encoding of the texts. Told from each file by default: UTF-8 or GB18030.")
    ] = None,
    target: Annotated[
        str | None,
        typer.Option("--to", help=f"Format of OUT: {', '.join(PART_FORMATS)}. Found from its suffix, else jsonl."),
    ] = None,
    text_field: Annotated[str, typer.Option(help="Field of the text.")] = "text",
    id_field: Annotated[str, typer.Option(help="Field of the identifier, which need not be there.")] = "id",
    entities_field: Annotated[str, typer.Option(help="Field to write the entities to.")] = "entities",
    spans_key: Annotated[
        str | None, typer.Option(help="Span group to write. That of the pipeline's recognizer by default.")
    ] = None,
    mixed_precision: Annotated[
        bool,
        typer.Option(
            "--mixed-precision",
            help="Compute in float16 on a GPU, in bfloat16 on a CPU: faster with avx512_bf16 of AMD or amx_bf16.",
        ),
    ] = False,
    n_process: Annotated[
        int | None, typer.Option(min=1, help="Processes. As many as CPUs, memory and input allow by default.")
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(min=1, help="Texts in a batch. 64 by default, 256 with a GPU.")
    ] = None,
    buffer: Annotated[
        int | None,
        typer.Option(min=1, help="Texts that are sorted by length, and written, together. 1,000 by default."),
    ] = None,
    gpu_id: GpuId = -1,
    code: Code = None,
    engine: Annotated[str, typer.Option(help=f"Who does the work: {' or '.join(ENGINES)}.")] = "local",
    ray_address: Annotated[
        str | None, typer.Option(help="Ray cluster to use, as host:port or auto. Starts one here by default.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Start anew, and replace an earlier output.")] = False,
) -> None:
    """Find the entities of all texts; keep their order and all other fields.

    A run that was interrupted, killed even, goes on with the same command, and its output is that of an undisturbed
    one. A text that cannot be read or fails is left out and listed, with the reason, in _errors.jsonl, in OUT or
    beside it in OUT.run.

    Exit codes: 0, all texts are done; 3, some failed; 1, an error, or all failed; 130, interrupted.
    """
    # The other options are named as the settings; those that are not given are found.
    given = {name: value for name, value in context.params.items() if value is not None}
    fields = FieldNames(text=text_field, id=id_field, entities=entities_field)
    settings = RunSettings(fields=fields, **given)
    with friendly_errors(GOES_ON), texts_done() as progress:
        outcome = annotate_corpus(inputs, output, settings, progress=progress, warn=_warn)
    for line in _lines(outcome, output):
        say(line, stderr=True)
    if outcome.summary.failed:
        raise typer.Exit(SOME_FAILED if outcome.summary.documents else 1)


def _warn(message: str) -> None:
    say(f"Warning: {message}", "yellow", stderr=True)


def _lines(outcome: Outcome, output: Path) -> Iterator[str]:
    summary = outcome.summary
    done = f"{amount(summary.documents, 'text')} with {amount(summary.entities, 'entity')} in {output}"
    if outcome.already_complete:
        yield f"Complete already: {done}; --force starts anew"
    elif outcome.resumed:
        yield f"{done}; {outcome.resumed:,} of them were done before"
    else:
        yield done
    for kind, count in summary.left_out.items():
        yield f"The format could not hold: {kind} ×{count:,}"
    if summary.failed:
        yield f"{amount(summary.failed, 'text')} failed; see {outcome.folder / '_errors.jsonl'}"
