"""Chosen notes as tasks of annotation tools, with the pipeline's suggestions."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..corpus.formats.fields import looks_like_annotations
from ..corpus.formats.labelstudio import KEPT
from ..corpus.formats.registry import write_records
from ..corpus.record import Entity, Problem, Record
from ..errors import MedflatError
from ..files import replaced_when_done, write_text
from ..scale.parse import plain
from ..scale.run_settings import FieldNames
from .reading import ReadNote


class Tool(NamedTuple):
    """An annotation tool.

    suffix (str): of its files; empty for a folder.
    keeps_scores (bool): whether its tasks have a place for scores.
    hint (str): what to set there, so that nested entities can be annotated.
    """

    suffix: str
    keeps_scores: bool
    hint: str


TOOLS = {
    "doccano": Tool(
        ".jsonl", False, "create the project as sequence labeling with 'Allow overlapping entity', and import as JSONL"
    ),
    "labelstudio": Tool(".json", True, "the labelling interface must name its labels 'label' and its text 'text'"),
    "prodigy": Tool(".jsonl", True, "annotate with the recipe spans.manual and the pipeline blank:zh"),
    "brat": Tool("", False, "put the folder into brat's data folder; annotation.conf in it has the labels"),
    "inception": Tool("", False, "let the layer Named entity overlap ('Any'), and import as UIMA CAS JSON"),
}
"""The tools, by the name of their format in `corpus.formats.registry.FORMATS`."""

_BY_SUFFIX = {".jsonl": "doccano", ".json": "labelstudio", "": "brat"}
# Fields that a tool takes for its own; what they held would be read as something else.
_TAKEN = {"prodigy": {"answer", "tokens", "html", "options"}}


def tool_for(path: Path, name: str | None) -> str:
    """The tool to write for.

    path (Path): of the output; its suffix says the tool if it is not named.
    name (str or None): a key of `TOOLS`.
    RAISES (MedflatError): an unknown tool, or a path that does not suit it.
    """
    if name is None:
        if path.suffix not in _BY_SUFFIX:
            raise MedflatError(f"{path}: the suffix tells no tool; name one of {', '.join(TOOLS)} with --to")
        return _BY_SUFFIX[path.suffix]
    if name not in TOOLS:
        raise MedflatError(f"unknown tool {name!r}; known are {', '.join(TOOLS)}")
    wanted = TOOLS[name].suffix
    if path.suffix != wanted:
        raise MedflatError(f"{path}: {name} takes {f'a {wanted} file' if wanted else 'a folder, without a suffix'}")
    return name


def write_tasks(
    notes: Sequence[ReadNote], path: Path, tool: str, fields: FieldNames, labels: Iterable[str] = (), model: str = ""
) -> list[Problem]:
    """Write notes as tasks, whole or not at all. Their entities are suggestions.

    notes (sequence of ReadNote): the notes.
    path (Path): a file, or a folder.
    tool (str): a key of `TOOLS`.
    fields (FieldNames): names of the fields of text and identifier.
    labels (iterable of str): all labels, for the tools that are configured by a file.
    model (str): name of the pipeline; empty if there is none.
    RETURNS (list of Problem): what the format could not hold.
    RAISES (MedflatError): the path cannot be written.
    """
    problems: list[Problem] = []
    records = [_record(note, tool, fields, model, problems) for note in notes]
    with replaced_when_done(path) as scratch:
        problems += write_records(records, scratch, tool)
        if tool == "brat":
            write_text(scratch / "annotation.conf", brat_configuration(labels))
    return problems


def _record(note: ReadNote, tool: str, names: FieldNames, model: str, problems: list[Problem]) -> Record:
    document = note.document
    # A string is the record's own identifier; another value stays among the fields too, as it is.
    own = {names.text, names.id} if isinstance(document.id, str) else {names.text}
    meta: dict[str, Any] = {}
    for name, value in plain(document.fields).items():
        if name in own:
            continue
        if looks_like_annotations(name, value) or name in _TAKEN.get(tool, ()) or name == KEPT:
            problems.append(Problem("dropped_meta", document.place, f"field {name!r}: would be read as annotations"))
        else:
            meta["id" if name == names.id else name] = value
    with_ids = tool == "labelstudio"
    if with_ids:
        suggested = {"model_version": model, "score": round(note.confidence, 4), "rest": []}
        meta[KEPT] = {"predictions": [suggested]} if model else {}
    keeps = TOOLS[tool].keeps_scores
    entities = [
        # Label Studio wants a name for each region.
        Entity(e.start, e.end, e.label, None, e.score if keeps else None, {"id": f"s{i}"} if with_ids else {})
        for i, e in enumerate(note.entities, 1)
    ]
    return Record(document.text, entities, "" if document.id is None else str(document.id), document.place, meta)


def brat_configuration(labels: Iterable[str]) -> str:
    """The file `annotation.conf` that tells brat the labels; without it brat refuses them."""
    # A label with white space is not written to brat.
    entities = "".join(f"{label}\n" for label in labels if label and not any(map(str.isspace, label)))
    overlap = "<OVERLAP>\tArg1:<ENTITY>, Arg2:<ENTITY>, <OVL-TYPE>:<ANY>\n"
    return f"[entities]\n{entities}\n[relations]\n{overlap}\n[events]\n\n[attributes]\n"


def labelling_interface(labels: Iterable[str]) -> str:
    """The labelling interface of a Label Studio project, in XML."""
    from xml.sax.saxutils import quoteattr

    # Without pre-wrap, white space is shown and saved otherwise than it is.
    lines = [f"    <Label value={quoteattr(label)}/>" for label in labels]
    return "\n".join(
        [
            "<View>",
            "  <Style>.htx-text { white-space: pre-wrap; }</Style>",
            '  <Labels name="label" toName="text">',
            *lines,
            "  </Labels>",
            '  <Text name="text" value="$text" granularity="symbol"/>',
            "</View>",
        ]
    )
