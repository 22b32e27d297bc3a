"""Which JSON format a record is in, and which of its fields look like annotations."""

from difflib import SequenceMatcher
from typing import Any

from ...errors import CorpusError, clipped
from .tags import parse_tag

# The field that tells the entities of one JSON format from those of another.
_ENTITY_FIELDS = {"start_idx": "cmeee", "start_offset": "doccano", "start": "jsonl"}

TITLES = {
    "cmeee": "CMeEE",
    "doccano": "doccano",
    "jsonl": "plain JSON-lines",
    "prodigy": "Prodigy",
    "labelstudio": "Label Studio",
}
"""What messages call the JSON formats."""

_PRODIGY_FIELDS = ("spans", "_input_hash", "_task_hash")
_LABELSTUDIO_FIELDS = ("annotations", "predictions", "completions")

# Names under which tools export annotations; a misspelling of the first ones is recognised.
_SPELT = ("entities", "entity", "spans", "labels", "label", "annotations", "predictions")
_NAMES = {*_SPELT, "span", "annotation", "completions", "ents", "ner", "ner_tags", "tags", "result"}

# Fields with spans that are no entities of the record: reported or kept as they are.
RELATED = ("relations", "versions")
_OTHERS = {*RELATED, "labelstudio", "drafts", "prediction"}

_STARTS = {"start", "begin", "start_offset", "start_idx", "startoffset", "start_char", "offset"}
_ENDS = {"end", "end_offset", "end_idx", "endoffset", "end_char", "length", "stop"}
_LABELS = {"label", "labels", "type", "tag", "category", "entity_type", "label_type"}


def json_format(value: Any) -> str | None:
    """The format that an object's fields belong to; None if it could be any."""
    if not isinstance(value, dict):
        return None
    entities = value.get("entities")
    first = entities[0] if isinstance(entities, list) and entities else None
    if isinstance(first, dict):
        return next((name for field, name in _ENTITY_FIELDS.items() if field in first), None)
    listed = [field for field, found in value.items() if isinstance(found, list)]
    if "text" not in value and (isinstance(value.get("data"), dict) or any(f in listed for f in _LABELSTUDIO_FIELDS)):
        return "labelstudio"
    if "spans" in listed or any(field in value for field in _PRODIGY_FIELDS[1:]):
        return "prodigy"
    labels = [value[field] for field in ("label", "labels") if field in listed]
    return "doccano" if any(not found or isinstance(found[0], list) for found in labels) else None


def check_all_read(fields: dict[str, Any], read: str, format_name: str, place: str) -> None:
    """Refuse fields that look like annotations but are not read.

    fields (dict): the fields of a record that its format does not know.
    read (str): the field of the record that is read as annotations.
    format_name (str): the format.
    place (str): of the record.
    RAISES (CorpusError): there is such a field; the message says of which format it may be.
    """
    for name, value in fields.items():
        if name not in _OTHERS and looks_like_annotations(name, value):
            raise CorpusError(
                f"{place}: field {clipped(name)} looks like annotations, but {format_name} reads {read!r}; "
                f"{_hint(name, value, read)}, or rename the field if it holds none"
            )


def looks_like_annotations(name: str, value: Any) -> bool:
    """Whether a field holds spans, tags, or anything structured under a name that tools use for annotations."""
    folded = name.casefold()
    known = folded in _NAMES
    if not isinstance(value, (dict, list)) or not value:
        return False
    if folded == "entities" or _holds_span(value):
        return True
    if isinstance(value, dict):
        return (known or bool(_misspelt(folded))) and any(map(_has_offsets, value.values()))
    if all(isinstance(item, str) for item in value):
        return "O" in value and len(set(value)) > 1 and all(map(_is_tag, value))
    if known and any(isinstance(item, (dict, list)) for item in value):
        return True
    return bool(_misspelt(folded)) and _has_offsets(value)


def _misspelt(name: str) -> str | None:
    """The name of annotations that this one is nearly: a letter more or less, or letters in another order."""
    near = (
        known
        for known in _SPELT
        if known != name
        and (sorted(known) == sorted(name) or SequenceMatcher(None, known, name, autojunk=False).ratio() > 0.87)
    )
    return next(near, None)


def _is_tag(text: str) -> bool:
    try:
        parse_tag(text)
    except ValueError:
        return False
    return True


def _is_span(item: Any) -> bool:
    """Whether it is a start, an end and a label, as an object or as a list."""
    if isinstance(item, dict):
        names = {str(key).casefold() for key in item}
        return all(names & wanted for wanted in (_STARTS, _ENDS, _LABELS))
    return isinstance(item, list) and len(item) >= 3 and _integers(item) >= 2 and isinstance(item[2], str)


def _holds_span(value: Any, depth: int = 8) -> bool:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return bool(depth) and (_is_span(value) or any(_holds_span(item, depth - 1) for item in items))


def _has_offsets(value: Any, depth: int = 6) -> bool:
    """Whether two integers stand beside each other anywhere in it."""
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return bool(depth) and (_integers(items) >= 2 or any(_has_offsets(item, depth - 1) for item in items))


def _integers(items: Any) -> int:
    return sum(isinstance(item, int) and not isinstance(item, bool) for item in items)


def _hint(name: str, value: Any, read: str) -> str:
    folded = name.casefold()
    misspelt = folded if folded in _NAMES and folded != name else _misspelt(folded)
    if (folded not in _NAMES and misspelt) or folded == read:
        return f"if it is a misspelt {misspelt or read!r}, correct it"
    if folded == "completions":
        return "it may be of Label Studio before 1.0: export it anew as JSON"
    if folded in _LABELSTUDIO_FIELDS:
        return "it may be of Label Studio: give its JSON export, --from labelstudio"
    form = json_format({"text": "", name: value})
    if form:
        return f"it may be of {form}: name the format with --from"
    return "it may be of another format: convert it to one that docs/data.md lists"
