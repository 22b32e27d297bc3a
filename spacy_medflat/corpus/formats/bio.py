"""Column files, one token and its tag a line: an export for other tools, and a way in for flat corpora."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from ...errors import CorpusError, clipped
from ...files import BOM, iter_lines, open_for_writing
from ..record import Entity, Problem, Record, describe, lost_scores
from .tags import SCHEMES, Tag, decode_tags, detect_scheme, encode_tags, flat_choice, parse_tag

_LINE_ENDS = "\r\n"


@dataclass
class _Sentence:
    first_line: int
    tokens: list[str]
    tags: list[Tag]


def read_bio(path: Path) -> Iterator[Record]:
    """Records of a column file: a blank line ends one, tokens are joined without spaces.

    A line is a token, a tab or spaces, and a tag; of more columns the first and the last count. BIO, BMES,
    BIOES and BILOU are told apart by the letters in the file, which is held in memory. Offsets count
    characters, not tokens. `-DOCSTART-` lines are passed over.
    RAISES (CorpusError): Not UTF-8, a line without a tag, or an unknown tag.
    """
    sentences = list(_sentences(path))
    scheme = detect_scheme(tag.letter for sentence in sentences for tag in sentence.tags)
    for sentence in sentences:
        yield _to_record(sentence, scheme, path.name)


def _sentences(path: Path) -> Iterator[_Sentence]:
    tokens: list[str] = []
    tags: list[Tag] = []
    number = 0
    for number, line in iter_lines(path):
        bare = line.removeprefix(BOM) if number == 1 else line
        if not bare.strip() or bare.startswith("-DOCSTART-"):
            if tokens:
                yield _Sentence(number - len(tokens), tokens, tags)
            tokens, tags = [], []
            continue
        token, tag = _columns(line, f"{path.name} line {number}")
        # A first line that is nothing but U+FEFF is a token of that character, not a byte order mark.
        tokens.append((token.removeprefix(BOM) or token) if number == 1 else token)
        tags.append(tag)
    if tokens:
        yield _Sentence(number + 1 - len(tokens), tokens, tags)


def _columns(line: str, place: str) -> tuple[str, Tag]:
    # The first character is token even if it is itself a tab or a space.
    separator = "\t" if "\t" in line[1:] else " "
    fields = line[1:].rstrip(separator).split(separator)
    if len(fields) < 2:
        raise CorpusError(f"{place}: no tag in {clipped(line)}; expected a token, a tab or a space, and a tag")
    try:
        return line[0] + fields[0], parse_tag(fields[-1])
    except ValueError as error:
        raise CorpusError(f"{place}: {error}") from error


def _to_record(sentence: _Sentence, scheme: str, name: str) -> Record:
    starts = [0]
    for token in sentence.tokens:
        starts.append(starts[-1] + len(token))
    record = Record("".join(sentence.tokens), place=f"{name} line {sentence.first_line}")
    for span in decode_tags(sentence.tags, scheme):
        entity = Entity(starts[span.start], starts[span.end], span.label)
        record.entities.append(entity)
        if not span.whole:
            place = f"{name} line {sentence.first_line + span.start}"
            detail = f"{describe(entity, record.text)}: not a whole {scheme} entity"
            record.problems.append(Problem("tag_sequence", place, detail))
    return record


def write_bio(
    records: Iterable[Record], path: Path, scheme: str | None = None, innermost: bool = False
) -> list[Problem]:
    """Write a character, a tab and its tag a line.

    The format is flat and has no place for identifiers, other fields, line ends, and empty texts.
    scheme: One of `tags.SCHEMES`; by default the one that the file's suffix names, or bio.
    innermost: Whether of entities that overlap the shortest are written, and not the longest.
    RETURNS (list[Problem]): Every entity, character, text and field that was left out.
    RAISES (CorpusError): An unknown scheme.
    """
    suffix = path.suffix.removeprefix(".")
    chosen = scheme or (suffix if suffix in SCHEMES else "bio")
    if chosen not in SCHEMES:
        raise CorpusError(f"unknown tag scheme {chosen!r}; known are {', '.join(SCHEMES)}")
    problems: list[Problem] = []
    with open_for_writing(path) as file:
        for record in records:
            characters = [char for char in record.text if char not in _LINE_ENDS]
            position = list(accumulate((char not in _LINE_ENDS for char in record.text), initial=0))
            fitting, unfit = _fitting(record, position)
            flat, overlapping = flat_choice(fitting, innermost)
            problems.extend([*_losses(record, len(characters)), *unfit])
            problems.extend(_dropped(entity, record, "overlaps one that is written") for entity in overlapping)
            spans = ((position[e.start], position[e.end], e.label) for e in flat)
            tags = encode_tags(len(characters), spans, chosen)
            file.writelines(f"{char}\t{tag}\n" for char, tag in zip(characters, tags, strict=True))
            file.write("\n")
    return problems


def _fitting(record: Record, position: Sequence[int]) -> tuple[list[Entity], list[Problem]]:
    """The entities that lines can hold, and a problem for each other. `position` maps offsets to lines."""
    fitting = []
    problems = []
    for entity in record.entities:
        in_text = 0 <= entity.start < entity.end <= len(record.text)
        if not in_text or position[entity.start] == position[entity.end]:
            problems.append(_dropped(entity, record, "covers no character that is written"))
        elif any(char in entity.label for char in "\t\r\n"):
            problems.append(_dropped(entity, record, "its label holds a tab or a line end"))
        else:
            fitting.append(entity)
    return fitting, problems


def _losses(record: Record, written: int) -> list[Problem]:
    """What is lost of a record besides entities; `written` is the number of characters that are not."""
    fields = [f"field {clipped(key)}" for key in record.meta if key != "id"]
    if record.id:
        fields.append(f"identifier {clipped(record.id)}")
    losses = [*(Problem("dropped_meta", record.place, detail) for detail in fields), *lost_scores(record)]
    if written < len(record.text):
        losses.append(Problem("unwritable", record.place, f"line ends ×{len(record.text) - written}"))
    if not written:
        losses.append(Problem("unwritable", record.place, "a text without characters"))
    return losses


def _dropped(entity: Entity, record: Record, why: str) -> Problem:
    return Problem("dropped_span", record.place, f"{describe(entity, record.text)}: {why}")
