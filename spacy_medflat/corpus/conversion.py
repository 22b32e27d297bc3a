"""One corpus from one format to another, through the check."""

from collections.abc import Callable, Collection, Iterable
from itertools import islice
from pathlib import Path

from ..errors import CorpusError
from ..files import replaced_when_done
from .check import read_checked
from .formats.registry import format_of_output, write_records
from .record import Record
from .report import Report
from .submission import check_submission

Progress = Callable[[Iterable[Record]], Iterable[Record]]


def convert_corpus(
    source: Path,
    target: Path,
    *,
    source_format: str | None = None,
    target_format: str | None = None,
    spans_key: str = "sc",
    labels: Collection[str] | None = None,
    strict: bool = False,
    lang: str = "zh",
    limit: int = 0,
    submission: Path | None = None,
    progress: Progress = iter,
) -> Report:
    """Read, check and write a corpus. The target is replaced as a whole, and only if nothing failed.

    source, target (Path): files, or folders for brat.
    source_format, target_format (str or None): keys of `FORMATS`; None for what the source is, and for what the suffix
        of the target says.
    spans_key (str): the span group of the entities, in docbin.
    labels (collection of str or None): the known labels; entities with others are skipped. None knows all.
    strict (bool): stop at the first broken item, be it read or written.
    lang (str): the language of the tokenizer, for docbin.
    limit (int): convert so many texts, the first; 0 for all.
    submission (Path or None): the official CMeEE test file that the target must answer, see `check_submission`. Implies
        strict: what is broken in the source would be missing from the submission.
    progress (callable): passes the records through, to show how far the work is.
    RETURNS (Report): what was read and kept, and all problems, those of the writer included.
    RAISES (MedflatError): input that cannot be read, a broken item in strict mode, or no valid submission.
    """
    chosen = target_format or format_of_output(target)
    if submission and chosen != "cmeee":
        raise CorpusError(f"a submission is in the format 'cmeee', but {target} is to be {chosen!r}; call it .json")
    clean, report = read_checked(source, source_format, spans_key, labels, strict or submission is not None)
    with replaced_when_done(target) as scratch:
        report.add_problems(write_records(progress(islice(clean, limit or None)), scratch, chosen, spans_key, lang))
        if submission:
            check_submission(scratch, submission)
    return report
