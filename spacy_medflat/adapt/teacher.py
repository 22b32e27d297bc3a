"""What has to be known of a pipeline that labels notes, apart from what it finds in them."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from ..corpus.check import without_surrogates
from ..corpus.formats.registry import read_records
from ..corpus.record import Problem
from ..ensemble.component import Ensemble
from ..loading import first_span_finder, load_model, model_folder, model_identity
from ..ner.component import NestedEntityRecognizer
from ..ner.span_finder import SpanFinder
from ..ner.spans import Nesting
from ..ner.training_texts import text_digest


class Teacher(NamedTuple):
    """A trained pipeline.

    model (str): its package name or folder.
    digest (str): of its files.
    key (str): the span group that it writes.
    lang (str): its language.
    labels (frozenset of str): those that it knows.
    nesting (str): its setting.
    calibrated (bool): whether its scores are frequencies.
    texts (frozenset of bytes): digests of the texts that it was trained on.
    """

    model: str
    digest: str
    key: str
    lang: str
    labels: frozenset[str]
    nesting: Nesting
    calibrated: bool
    texts: frozenset[bytes]


def read_teacher(model: str, gpu_id: int = -1, code: Path | None = None) -> Teacher:
    """Load a pipeline and look at it; nothing of it stays in memory.

    model, gpu_id, code: see `load_model`.
    RAISES (MedflatError): it cannot be loaded, or has no component that finds nested spans.
    """
    digest, _ = model_identity(model_folder(model))
    nlp = load_model(model, gpu_id=gpu_id, code=code)
    finder = first_span_finder(nlp, model)
    recognizers = list(_recognizers(finder))
    votes = isinstance(finder, Ensemble) and finder.cfg["mode"] == "vote"
    return Teacher(
        model=model,
        digest=digest,
        key=finder.key,
        lang=str(nlp.lang),
        labels=frozenset(finder.labels),
        nesting=finder.cfg["nesting"],
        calibrated=not votes and all(recognizer.calibrator is not None for recognizer in recognizers),
        texts=frozenset().union(*(r.training_texts.digests for r in recognizers if r.training_texts)),
    )


def _recognizers(finder: SpanFinder) -> Iterator[NestedEntityRecognizer]:
    if isinstance(finder, Ensemble):
        yield from (member.recognizer for member in finder.members)
    elif isinstance(finder, NestedEntityRecognizer):
        yield finder


def digests_of(corpora: Iterable[Path], warn: Callable[[str], None]) -> frozenset[bytes]:
    """Digests of all texts of corpora in any format, annotated or not.

    warn (callable): called with each text that cannot be read.
    RAISES (MedflatError): nothing of a corpus can be read.
    """

    def skip(problem: Problem) -> None:
        warn(str(problem))

    records = (record for path in corpora for record in without_surrogates(read_records(path, on_skip=skip)))
    return frozenset(text_digest(record.text) for record in records)
