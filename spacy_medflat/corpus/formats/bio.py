"""Column files, one token and its tag a line: an export for other tools, and a way in for flat corpora."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from ...errors import CorpusError, MedflatError, clipped
from ...files import BOM, open_for_writing
from ..record import Entity, OnSkip, Problem, Record, describe, lost_fields, skip_unreadable
from .lines import read_lines
from .tags import SCHEMES, SequenceTag, decode_tags, detect_scheme, encode_tags, flat_choice, parse_tag

_LINE_ENDS = "\r\n"


@dataclass
class _Sentence:
    first_line: int
    tokens: list[str]
    tags: list[SequenceTag]


def read_bio(path: Path, on_skip: OnSkip | None = None) -> Iterator[Record]:
    """Read a column file: a blank line ends a record, tokens are joined without spaces.

    A line is a token, a tab or spaces, and a tag; of more columns the first and the last count. BIO, BMES, BIOES and
    BILOU are told apart by the letters in the file, which is held in memory. Offsets count characters, not tokens.
    `-DOCSTART-` lines are skipped.

    on_skip (callable or None): takes a problem for each sentence with a line that cannot be read, and names the first;
        None to raise an error.
    YIELDS (Record): each sentence.
    RAISES (MedflatError): not UTF-8, a line without a tag, or an unknown tag.
    """
    sentences = list(_sentences(path, on_skip))
    scheme = detect_scheme(tag.letter for sentence in sentences for tag in sentence.tags)
    for sentence in sentences:
        yield _to_record(sentence, scheme, path.name)


def _sentences(path: Path, on_skip: OnSkip | None) -> Iterator[_Sentence]:
    tokens: list[str] = []
    tags: list[SequenceTag] = []
    number = 0
    broken = False
    for number, line in read_lines(path):
        place = f"{path.name} line {number}"
        try:
            if isinstance(line, MedflatError):
                raise line
            bare = line.removeprefix(BOM) if number == 1 else line
            if not bare.strip() or bare.startswith("-DOCSTART-"):
                if tokens and not broken:
                    yield _Sentence(number - len(tokens), tokens, tags)
                tokens, tags, broken = [], [], False
                continue
            token, tag = _columns(line, place)
        except MedflatError as error:
            if not broken:
                skip_unreadable(on_skip, place, error)
            broken = True
            continue
        # A first line that is nothing but U+FEFF is a token of that character, not a byte order mark.
        tokens.append((token.removeprefix(BOM) or token) if number == 1 else token)
        tags.append(tag)
    if tokens and not broken:
        yield _Sentence(number + 1 - len(tokens), tokens, tags)


def _columns(line: str, place: str) -> tuple[str, SequenceTag]:
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
    starts = list(accumulate(map(len, sentence.tokens), initial=0))
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

    scheme (str or None): one of `tags.SCHEMES`; None for the one that the file's suffix names, or bio.
    innermost (bool): write the shortest of entities that overlap, not the longest.
    RETURNS (list of Problem): every entity, character, text and field that was left out.
    RAISES (CorpusError): an unknown scheme.
    """
    suffix = path.suffix.removeprefix(".")
    chosen = scheme or (suffix if suffix in SCHEMES else "bio")
    if chosen not in SCHEMES:
        raise CorpusError(f"unknown tag scheme {chosen!r}; known are {', '.join(SCHEMES)}")
    problems: list[Problem] = []
    with open_for_writing(path) as file:
        for record in records:
            characters = [char for char in record.text if char not in _LINE_ENDS]
            lines = list(accumulate((char not in _LINE_ENDS for char in record.text), initial=0))
            fitting, unfit = _fitting(record, lines)
            flat, overlapping = flat_choice(fitting, innermost)
            problems += [*lost_fields(record), *_lost_characters(record, len(characters)), *unfit]
            problems += [_dropped(entity, record, "overlaps one that is written") for entity in overlapping]
            spans = ((lines[e.start], lines[e.end], e.label) for e in flat)
            tags = encode_tags(len(characters), spans, chosen)
            file.writelines(f"{char}\t{tag}\n" for char, tag in zip(characters, tags, strict=True))
            file.write("\n")
    return problems


def _fitting(record: Record, lines: Sequence[int]) -> tuple[list[Entity], list[Problem]]:
    """Split the entities of a record into those that lines can hold and problems.

    lines (sequence of int [characters + 1]): the line of each offset.
    """
    fitting = []
    problems = []
    for entity in record.entities:
        in_text = 0 <= entity.start < entity.end <= len(record.text)
        if not in_text or lines[entity.start] == lines[entity.end]:
            problems.append(_dropped(entity, record, "covers no character that is written"))
        elif any(char in entity.label for char in "\t\r\n"):
            problems.append(_dropped(entity, record, "its label holds a tab or a line end"))
        else:
            fitting.append(entity)
    return fitting, problems


def _lost_characters(record: Record, written: int) -> list[Problem]:
    lost = [f"line ends ×{len(record.text) - written}"] if written < len(record.text) else []
    if not written:
        lost.append("a text without characters")
    return [Problem("unwritable", record.place, detail) for detail in lost]


def _dropped(entity: Entity, record: Record, why: str) -> Problem:
    return Problem("dropped_span", record.place, f"{describe(entity, record.text)}: {why}")
