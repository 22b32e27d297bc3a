"""Self-training: notes are read by trained pipelines, and what these are sure of becomes a corpus.

Notes are prepared, then read by each pipeline as an archive is (`scale.run`), and then parted. Everything on the way
lies in a folder beside the output, so that a run that was killed goes on, and another choice needs no reading.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from ..corpus.check import read_checked
from ..corpus.formats.registry import format_of_output, write_records
from ..corpus.record import Record
from ..errors import MedflatError
from ..files import replaced_when_done
from ..ner.span_finder import LOWEST_SCORE
from ..scale.first_look import check_extras, check_first_texts
from ..scale.output import Output
from ..scale.run import State, annotate_corpus
from ..scale.run_settings import FieldNames, RunSettings
from ..scale.sources import STDIN, Source, find_sources, fingerprint
from .pseudo_records import Outcome, labelled
from .self_train_settings import ChoiceSettings, NoteSettings
from .teacher import Teacher, digests_of, read_teacher
from .workspace import Prepared, Workspace, fingerprint_of_files

TARGETS = ("jsonl", "docbin")
# Entities of notes are not read, so no field is theirs.
_NO_ENTITIES = ""

Progress = Callable[[], AbstractContextManager[Callable[[State], None]]]


def self_train(
    models: Sequence[str],
    inputs: Sequence[str],
    output: Path,
    notes: NoteSettings,
    choice: ChoiceSettings,
    *,
    join: Sequence[Path] = (),
    without: Sequence[Path] = (),
    force: bool = False,
    replace: bool = False,
    keep: bool = False,
    reading: dict[str, Any] | None = None,
    progress: Progress = lambda: nullcontext(lambda state: None),
    warn: Callable[[str], None] = lambda message: None,
) -> Outcome:
    """Make a corpus of what trained pipelines find in notes.

    models (sequence of str): package names or folders of the pipelines.
    inputs (sequence of str): files and folders with the notes.
    output (Path): the corpus, `.jsonl` or `.spacy`; `<output>.run` holds what is done until it is complete.
    notes (NoteSettings), choice (ChoiceSettings): what is taken.
    join (sequence of Path): annotated corpora that stand first in the output; their texts are left out of the notes.
    without (sequence of Path): corpora whose texts are left out of the notes, such as dev and test.
    force (bool): start anew, and replace the output.
    replace (bool): replace the output, and go on with what is done if it is of the same notes and pipelines.
    keep (bool): leave `<output>.run` there: with other settings of the choice, the same call then replaces the output
        without reading the notes again.
    reading (dict or None): settings of `RunSettings` for the reading: `gpu_id`, `code`, `n_process`, `batch_size`.
    progress (callable): makes a context that gives a function to be called after every part that is read.
    warn (callable): called with what the user should know.
    RAISES (MedflatError): something cannot be read, the output exists, or nothing is left of the notes.
    """
    reading = reading or {}
    choice.check()
    target = format_of_output(output)
    if target not in TARGETS:
        raise MedflatError(f"{output}: {target!r} cannot hold unknown spans and weights; name a .jsonl or .spacy file")
    work = Workspace(output)
    if output.is_dir() or (output.exists() and not (force or replace or work.begun)):
        raise MedflatError(f"{output} exists; give another name, or replace it with --force")
    sources = _sources(inputs, notes, warn)
    Output(output, target, joined=True).check_apart(inputs, sources)
    if output.resolve() in {path.resolve() for path in (*join, *without)}:
        raise MedflatError(f"{output} is one of the inputs; give another output")
    names = FieldNames(text=notes.text_field, id=notes.id_field, entities=_NO_ENTITIES)
    check_extras(sources, "", "local")
    check_first_texts(sources, names, warn)
    teachers = [read_teacher(model, reading.get("gpu_id", -1), reading.get("code")) for model in models]
    _check_teachers(teachers, choice.sure, warn)
    with work.locked():
        wanted = Prepared(
            notes=notes,
            inputs=fingerprint(inputs, sources),
            apart=fingerprint_of_files([*join, *without]),
            teachers=[teacher.digest for teacher in teachers],
        )
        known = frozenset().union(*(teacher.texts for teacher in teachers), digests_of([*join, *without], warn))
        outcome = Outcome(work.prepare(wanted, sources, names, known, force, replace))
        for line in outcome.notes.failures:
            warn(f"left out: {line}")
        found = [work.found(number) for number in range(len(teachers))]
        for path, teacher in zip(found, teachers, strict=True):
            settings = RunSettings(model=teacher.model, spans_key=teacher.key, lowest=LOWEST_SCORE, **reading)
            with progress() as update:
                annotate_corpus([str(work.notes)], path, settings, progress=update, warn=warn)
        key, lang = teachers[0].key, teachers[0].lang
        records = chain(_joined(join, key, outcome), labelled(found, teachers, choice, outcome))
        with replaced_when_done(output, durable=True) as scratch:
            outcome.problems += write_records(records, scratch, target, key, lang)
        outcome.failed = outcome.notes.kept - outcome.texts
        if not keep:
            work.clear()
    return outcome


def _sources(inputs: Sequence[str], notes: NoteSettings, warn: Callable[[str], None]) -> list[Source]:
    if STDIN in inputs:
        raise MedflatError("notes cannot be piped, as a run that is killed must find them again; write them to a file")
    found = find_sources(inputs, notes.kind, warn, notes.encoding)
    # One text a file would put notes together where a file has one a line; the other way round, a note is cut at its
    # line ends, where it is cut in any case if it is long.
    as_lines = notes.kind is None
    return [replace(source, kind="lines") if as_lines and source.kind == "text" else source for source in found]


def _check_teachers(teachers: Sequence[Teacher], sure: float, warn: Callable[[str], None]) -> None:
    if keys := sorted({teacher.key for teacher in teachers} - {teachers[0].key}):
        raise MedflatError(f"{teachers[0].model} writes the span group {teachers[0].key!r}, others {', '.join(keys)}")
    for teacher in teachers:
        if not teacher.calibrated:
            warn(
                f"the scores of {teacher.model} are not calibrated, so {sure:g} need not mean that {sure:.0%} are "
                "right: see `spacy medflat calibrate`"
            )


def _joined(corpora: Sequence[Path], key: str, outcome: Outcome) -> Iterator[Record]:
    """The records of annotated corpora, with what is broken in them left out and reported."""
    for path in corpora:
        clean, report = read_checked(path, spans_key=key)
        for record in clean:
            outcome.joined += 1
            yield record
        outcome.problems += [problem for found in report.problems.values() for problem in found]
