"""Training straight from an annotation file: the registered reader `spacy_medflat.CMeEE.v1`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import spacy
from spacy.language import Language
from spacy.training import Example, dont_augment
from spacy.util import logger

from ..errors import CorpusError
from .check import check_records, note
from .docs import annotate
from .formats.registry import read_records
from .kinds import BROKEN
from .record import Record
from .report import Report


def truncate(record: Record, max_length: int) -> tuple[Record, int]:
    """The first characters of a record's text, with the entities that lie inside them as a whole.

    max_length: In characters; 0 for no limit.
    RETURNS (tuple[Record, int]): A record, the given one if there is nothing to cut, and the number of entities lost.
    """
    if max_length <= 0 or len(record.text) <= max_length:
        return record, 0
    kept = [entity for entity in record.entities if entity.end <= max_length]
    return replace(record, text=record.text[:max_length], entities=kept), len(record.entities) - len(kept)


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

    path: The file, or folder for brat. It is read anew at every call of the corpus.
    spans_key: The span group of the reference documents that gets the entities.
    limit: The largest number of texts to use, blank ones included; 0 for all.
    format: A name in `corpus.formats.FORMATS`; by default it is found from the file.
    labels: The known labels; entities with others are skipped and logged. By default all.
    strict: Stop at the first broken item instead of skipping it.
    augmenter: As in `spacy.Corpus.v1`: takes the pipeline and an example, yields examples.
    max_length: Cut texts after so many characters; 0 for whole texts. Entities that the cut touches or that lie behind
        it are lost, and their number is logged. It serves to reproduce systems that cut; scores on a corpus that was
        cut leave out what is lost.
    RAISES (CorpusError): If no path is given.
    """
    if path is None:
        raise CorpusError("no corpus path: set it in [paths] or give it on the command line, as in --paths.train")
    return AnnotationCorpus(Path(path), spans_key, limit, format, labels, strict, augmenter or dont_augment, max_length)


@dataclass(frozen=True)
class AnnotationCorpus:
    """Yields examples from an annotation file; see `create_cmeee_reader` for the fields."""

    path: Path
    spans_key: str
    limit: int
    format: str | None
    labels: list[str] | None
    strict: bool
    augmenter: Callable
    max_length: int = 0

    def __call__(self, nlp: Language) -> Iterator[Example]:
        """Read the file and yield its examples. Texts without tokens give none, as in `spacy.Corpus.v1`.

        The predicted document is what the pipeline's tokenizer makes of the text. What is skipped is logged
        at the end, as one warning.
        RAISES (CorpusError): A missing or unreadable file, or a broken item in strict mode.
        """
        records = read_records(self.path, self.format, self.spans_key)
        clean, report = check_records(records, self.labels, self.strict)
        entities = lost = 0
        for record in islice(clean, self.limit if self.limit > 0 else None):
            entities += len(record.entities)
            record, beyond = truncate(record, self.max_length)
            lost += beyond
            predicted = nlp.make_doc(record.text)
            if not len(predicted):
                continue
            reference = predicted.copy()
            for problem in annotate(reference, record, self.spans_key):
                note(report, problem, self.strict)
            yield from self.augmenter(nlp, Example(predicted, reference))
        _log_skipped(self.path, report)
        if lost:
            logger.warning(
                "%s: %d of %d entities lost: they reach beyond the first %d characters",
                self.path,
                lost,
                entities,
                self.max_length,
            )


def _log_skipped(path: Path, report: Report) -> None:
    broken = {kind: found for kind, found in report.problems.items() if kind in BROKEN}
    if not broken:
        return
    kinds = []
    for kind, found in sorted(broken.items()):
        places = ", ".join(problem.place for problem in found[:_LOGGED_PLACES])
        more = ", …" if len(found) > _LOGGED_PLACES else ""
        kinds.append(f"{kind} {len(found)} ({places}{more})")
    logger.warning("%s: problems in the annotations, see `spacy medflat check-data`: %s", path, "; ".join(kinds))
