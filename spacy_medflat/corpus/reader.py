"""Training straight from an annotation file: the registered reader `spacy_medflat.CMeEE.v1`."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import spacy
from spacy.language import Language
from spacy.training import Example, dont_augment
from spacy.util import logger

from ..errors import CorpusError
from .check import read_checked
from .docs import annotate
from .kinds import BROKEN
from .record import Problem, Record

_LOGGED_PLACES = 3


@spacy.registry.readers("spacy_medflat.CMeEE.v1")
def create_cmeee_reader(
    path: Path | None,
    spans_key: str = "sc",
    limit: int = 0,
    format: str | None = None,
    labels: list[str] | None = None,
    strict: bool = False,
    augmenter: Callable | None = None,
    max_length: int = 0,
) -> Callable[[Language], Iterator[Example]]:
    """Make a corpus that reads examples from a CMeEE file, or from any format that `detect_format` knows.

    The corpus reads the file anew at every call. The predicted document is what the pipeline's tokenizer makes of the
    text; texts without tokens give no example, as in `spacy.Corpus.v1`. What is skipped is logged at the end, as one
    warning. Unknown spans and weights are read where the format has them. A call raises MedflatError if the file
    cannot be read, or for a broken item in strict mode.

    path (Path or None): the file, or folder for brat.
    spans_key (str): the span group of the reference documents that gets the entities.
    limit (int): the largest number of texts to use, blank ones included; 0 for all.
    format (str or None): a key of `corpus.formats.registry.FORMATS`; None to detect it.
    labels (list of str or None): the known labels; entities with others are skipped and logged. None knows all.
    strict (bool): stop at the first broken item instead of skipping it.
    augmenter (callable or None): as in `spacy.Corpus.v1`: takes the pipeline and an example, yields examples.
    max_length (int): cut texts after so many characters; 0 for whole texts. Entities that do not end before the cut are
        lost, and their number is logged. It serves to reproduce systems that cut; scores on a corpus that was cut leave
        out what is lost.
    RETURNS (callable): the corpus; takes the pipeline and yields examples.
    RAISES (CorpusError): there is no path.
    """
    if path is None:
        raise CorpusError("no corpus path: set it in [paths] or give it on the command line, as in --paths.train")
    source, augment = Path(path), augmenter or dont_augment

    def read(nlp: Language) -> Iterator[Example]:
        clean, report = read_checked(source, format, spans_key, labels, strict)
        entities = lost = 0
        for record in islice(clean, limit if limit > 0 else None):
            entities += len(record.entities)
            record, beyond = truncate(record, max_length)
            lost += beyond
            predicted = nlp.make_doc(record.text)
            if not len(predicted):
                continue
            reference = predicted.copy()
            report.add_problems(annotate(reference, record, spans_key))
            yield from augment(nlp, Example(predicted, reference))
        if skipped := _skipped(report.problems):
            logger.warning("%s: problems in the annotations, see `spacy medflat check-data`: %s", source, skipped)
        if lost:
            message = "%s: %d of %d entities lost: they reach beyond the first %d characters"
            logger.warning(message, source, lost, entities, max_length)

    return read


def truncate(record: Record, max_length: int) -> tuple[Record, int]:
    """Cut a record's text, and keep the entities that lie inside the cut text as a whole.

    max_length (int): in characters; 0 for no limit.
    RETURNS (Record, int): a record, the given one if there is nothing to cut, and the number of entities lost.
    """
    if max_length <= 0 or len(record.text) <= max_length:
        return record, 0
    kept = [entity for entity in record.entities if entity.end <= max_length]
    unknown = [span for span in record.unknown if span.end <= max_length]
    cut = replace(record, text=record.text[:max_length], entities=kept, unknown=unknown)
    return cut, len(record.entities) - len(kept)


def _skipped(problems: dict[str, list[Problem]]) -> str:
    """The broken kinds, each with its count and first places."""
    kinds = []
    for kind, found in sorted(problems.items()):
        if kind in BROKEN:
            places = ", ".join(problem.place for problem in found[:_LOGGED_PLACES])
            more = ", …" if len(found) > _LOGGED_PLACES else ""
            kinds.append(f"{kind} {len(found)} ({places}{more})")
    return "; ".join(kinds)
