"""`medflat select`: the notes to annotate next, as tasks of an annotation tool with the pipeline's suggestions."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from ..corpus.record import Problem
from ..errors import MedflatError, amount
from ..files import write_json
from ..scale.first_look import check_extras, check_first_texts
from ..scale.output import Output
from ..scale.run_settings import FieldNames
from ..scale.sources import SOURCE_KINDS, STDIN, find_sources
from ..selection.pool import REASONS, Pool
from ..selection.reading import Reader
from ..selection.select import Selection, SelectSettings, read_labelled, select_notes
from ..selection.tasks import TOOLS, labelling_interface, tool_for, write_tasks
from .common import Code, GpuId, check_apart, friendly_errors, load_pipeline, say
from .progress import stages_done

NO_MODEL = "blank"
_KINDS = "; ".join(f"{name}, {meaning}" for name, meaning in SOURCE_KINDS.items())


def select(
    model: Annotated[
        str, typer.Argument(help=f"Package name or folder of a trained pipeline, or {NO_MODEL} if there is none yet.")
    ],
    notes: Annotated[list[str], typer.Argument(metavar="NOTES...", help="Files or folders of notes, or -.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="File or folder to write the tasks to.")],
    count: Annotated[int, typer.Option(min=1, help="How many notes to choose.")] = 100,
    target: Annotated[
        str | None,
        typer.Option("--to", help=f"Tool: {', '.join(TOOLS)}. By default .jsonl is doccano, .json Label Studio."),
    ] = None,
    labelled: Annotated[
        list[Path] | None, typer.Option(help="Annotated texts, in any format of `convert`: no note like one of them.")
    ] = None,
    at_random: Annotated[bool, typer.Option("--random", help="Draw at random: for texts to score on.")] = False,
    pool: Annotated[int, typer.Option(min=1, help="Notes that the pipeline reads, drawn at random.")] = 10_000,
    max_length: Annotated[int, typer.Option(min=1, help="Leave out longer notes, in characters.")] = 5_000,
    seed: Annotated[int, typer.Option(min=0, help="Of all that is drawn.")] = 0,
    kind: Annotated[
        str | None, typer.Option("--from", help=f"What NOTES are, in place of what suffixes say: {_KINDS}.")
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Encoding of the notes. Told from each file by default.")] = None,
    text_field: Annotated[str, typer.Option(help="Field of the text.")] = "text",
    id_field: Annotated[str, typer.Option(help="Field of the identifier, which need not be there.")] = "id",
    report: Annotated[Path | None, typer.Option(help="JSON file for what was chosen, and what was left out.")] = None,
    mixed_precision: Annotated[bool, typer.Option("--mixed-precision", help="Compute in half precision.")] = False,
    code: Code = None,
    gpu_id: GpuId = -1,
) -> None:
    """Choose the notes that teach a pipeline most, and write them with its suggestions, to be corrected.

    Those it is unsure of, spread over its labels and over what there is, no two nearly alike, and none that it was
    trained on. Corrected tasks are read back by `convert`. Texts that are chosen so are no sample: draw those that
    scores and thresholds come from with --random.
    """
    with friendly_errors():
        tool = tool_for(output, target)
        sources = find_sources(notes, kind, _warn, encoding)
        Output(output, tool, joined=False).check_apart(notes, sources)
        labelled = labelled or []
        check_apart([output, report], [*labelled, *(Path(name) for name in notes if name != STDIN)])
        check_extras(sources, tool, "local")
        # Notes that were annotated before may have such a field.
        fields = FieldNames(text=text_field, id=id_field, entities="")
        check_first_texts(sources, fields, _warn)
        skipped: list[Problem] = []
        texts = read_labelled(labelled, skipped.append)
        if skipped:
            _warn(f"{amount(len(skipped), 'labelled text')} cannot be read; the first: {skipped[0]}")
        reader = None if model == NO_MODEL else _reader(model, gpu_id, mixed_precision, code)
        settings = SelectSettings(count, at_random, pool, max_length, seed)
        with _counted() as advance:
            selection = select_notes(sources, fields, reader, settings, texts, advance)
        if len(selection.notes) < count and any(source.kind == "text" for source in sources):
            _warn("each .txt file is one note; where it has a note a line, add --from lines")
        if not selection.notes:
            raise MedflatError(f"none of {amount(selection.pool.read, 'note')} is left: {_why(selection.pool)}")
        labels = reader.finder.labels if reader else ()
        problems = write_tasks(selection.notes, output, tool, fields, labels, reader.name if reader else "")
        if report:
            write_json(report, _report(selection, problems))
        _tell(selection, output, tool, count, problems, labels)


def _reader(model: str, gpu_id: int, mixed_precision: bool, code: Path | None) -> Reader:
    nlp, finder = load_pipeline(model, gpu_id, mixed_precision or None, code)
    return Reader(nlp, finder, f"{Path(model).name} {nlp.meta['version']}")


@contextmanager
def _counted() -> Iterator[Callable[[str], None]]:
    done: Counter[str] = Counter()
    with stages_done() as update:

        def advance(what: str) -> None:
            done[what] += 1
            update(what, done[what], None)

        yield advance


def _why(pool: Pool) -> str:
    return "; ".join(f"{count:,} {REASONS[reason]}" for reason, count in pool.left_out.most_common())


def _tell(
    selection: Selection, output: Path, tool: str, count: int, problems: list[Problem], labels: tuple[str, ...]
) -> None:
    notes, pool = selection
    entities = sum(len(note.entities) for note in notes)
    for reason, found in pool.left_out.most_common():
        say(f"left out: {found:,} {REASONS[reason]}; the first: {pool.first[reason]}")
    if problems:
        _warn(f"{amount(len(problems), 'field or label')} cannot be written; the first: {problems[0]}")
    if len(notes) < count:
        _warn(f"only {amount(len(notes), 'note')} can be chosen, of {amount(count, 'note')} that are wanted")
    if tool == "brat" and (beyond := sum(max(note.document.text) > "\uffff" for note in notes)):
        _warn(
            f"{amount(beyond, 'note')} with emoji or rare characters, behind which brat's page annotates the wrong "
            "place; another tool is better for them"
        )
    say(f"{amount(len(notes), 'note')} of {pool.read:,} with {amount(entities, 'suggestion')} in {output}")
    say(f"{tool}: {TOOLS[tool].hint}")
    if tool == "labelstudio" and labels:
        say(labelling_interface(labels))


def _report(selection: Selection, problems: list[Problem]) -> dict[str, Any]:
    pool = selection.pool
    return {
        "read": pool.read,
        "pool": len(pool.documents),
        "left_out": {
            reason: {"count": count, "first": pool.first[reason]} for reason, count in pool.left_out.most_common()
        },
        "chosen": [
            {
                "place": note.document.place,
                "id": note.document.id if isinstance(note.document.id, (str, int)) else None,
                "characters": len(note.document.text),
                "uncertainty": round(note.uncertainty, 6),
                "suggestions": len(note.entities),
            }
            for note in selection.notes
        ],
        "not_written": list(map(str, problems)),
    }


def _warn(message: str) -> None:
    say(f"Warning: {message}", "yellow", stderr=True)
