"""One corpus from one format to another, through the check."""

from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from ..errors import CorpusError
from ..files import replaced_when_done
from .check import check_records, note
from .formats.registry import detect_format, format_of_output, known_format, read_records, write_records
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
    submission: Path | None = None,
    progress: Progress = iter,
) -> Report:
    """Read, check and write a corpus. The target is replaced as a whole, and only if nothing failed.

    source_format, target_format: Names in `FORMATS`; by default what the source is and what the target is
    called.
    labels: The known labels; entities with others are skipped. None knows all.
    strict: Stop at the first broken item, be it read or written.
    submission: The official CMeEE test file that the target must answer, see `check_submission`. Implies strict: what
        is broken in the source would be missing from the submission.
    progress: Gets the records and hands them on, to show how far the work is.
    RETURNS (Report): What was read and kept, and all problems, those of the writer included.
    RAISES (CorpusError): Input that cannot be read, a broken item in strict mode, or no valid submission.
    """
    chosen = known_format(target_format) if target_format else format_of_output(target)
    if submission and chosen != "cmeee":
        raise CorpusError(f"a submission is in the format 'cmeee', but {target} is to be {chosen!r}; call it .json")
    strict = strict or submission is not None
    records = read_records(source, source_format or detect_format(source), spans_key)
    clean, report = check_records(progress(records), labels, strict)
    with replaced_when_done(target) as scratch:
        for problem in write_records(clean, scratch, chosen, spans_key, lang):
            note(report, problem, strict)
        if submission:
            check_submission(scratch, submission)
    return report
