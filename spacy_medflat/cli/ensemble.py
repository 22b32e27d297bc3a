"""`medflat ensemble`: one pipeline of several trained ones."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from .._internals import import_code
from ..ensemble.build import make_ensemble
from ..files import replaced_when_done
from ..loading import load_model
from .common import Code, friendly_errors, say


class Mode(str, Enum):
    """The choices of `--mode`."""

    average = "average"
    vote = "vote"


def ensemble(
    models: Annotated[list[str], typer.Argument(metavar="MODEL...", help="Package names or folders of pipelines.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to save the ensemble in, new or empty.")],
    mode: Annotated[
        Mode, typer.Option(help="Average the members' probabilities, or count the members that find a span.")
    ] = Mode.average,
    threshold: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            max=1.0,
            help="What the mean probability or the share of votes must exceed. By default the mean of the members' "
            "thresholds for each label, or half of the votes.",
        ),
    ] = None,
    spans_key: Annotated[
        str | None, typer.Option(help="Span group to write, if the members write different ones.")
    ] = None,
    code: Code = None,
) -> None:
    """Put several trained pipelines into one, which is saved and loaded as any other.

    The members are copied into it. They must have the same tokenizer; their labels may differ.
    """
    with friendly_errors():
        import_code(code)
        nlp = make_ensemble(
            [load_model(model) for model in models], mode=mode.value, threshold=threshold, spans_key=spans_key
        )
        with replaced_when_done(output) as scratch:
            nlp.to_disk(scratch)
        say(f"{len(models)} pipelines saved to {output}")
