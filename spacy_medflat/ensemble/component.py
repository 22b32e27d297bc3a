"""`medflat_ensemble`: the component that lets several trained pipelines vote, or averages their probabilities."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import srsly
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import SimpleFrozenList, ensure_path, from_bytes, from_disk, to_bytes, to_disk
from spacy.vocab import Vocab

from ..errors import EnsembleError
from ..ner.spans import MODES as NESTING_MODES
from ..ner.spans import Candidates, Nesting, annotate, split_by_text
from ..runtime import one_torch_thread_in_workers
from ..span_pipe import SpanPipe
from .member import Member, member_from_bytes, member_from_disk


def combine(found: Sequence[Candidates], known: NDArray[np.bool_]) -> Candidates:
    """The mean score of every span of a text that a member found. One that did not find it counts as 0.

    found: the spans of each member, each at most once, with labels counted among all of the ensemble.
    known (bool [members, labels]): the labels of each member. The mean of a label is over the members that know it.
    """
    spans = np.concatenate([np.stack(spans[:3], axis=1) for spans in found])
    unique, index = np.unique(spans, axis=0, return_inverse=True)
    # Three equal scores must have exactly this score as their mean, or they would pass another threshold than it.
    score = np.concatenate([spans.score for spans in found]).astype(np.float64)
    start, end, label = unique.T
    mean = np.bincount(index.ravel(), weights=score, minlength=len(unique)) / known.sum(axis=0)[label]
    combined = Candidates(start, end, label, mean.astype(np.float32))
    return split_by_text(np.zeros_like(start), combined, 1)[0]


Mode = Literal["average", "vote"]
MODES: tuple[str, ...] = get_args(Mode)

DEFAULT_CONFIG = {
    "mode": "average",
    "spans_key": "sc",
    "threshold": 0.5,
    "label_thresholds": {},
    "floor": 0.01,
    "nesting": "all",
    "set_ents": False,
    "scorer": {"@scorers": "spacy_medflat.nested_scorer.v1"},
}


@Language.factory(
    "medflat_ensemble",
    assigns=["doc.spans"],
    default_config=DEFAULT_CONFIG,
    default_score_weights={"spans_sc_f": 1.0, "spans_sc_p": 0.0, "spans_sc_r": 0.0},
)
def make_medflat_ensemble(
    nlp: Language,
    name: str,
    mode: Mode,
    spans_key: str,
    threshold: float,
    label_thresholds: dict[str, float],
    floor: float,
    nesting: Nesting,
    set_ents: bool,
    scorer: Callable[..., dict[str, Any]] | None,
) -> "Ensemble":
    """Make the component. The settings are those of `Ensemble`."""
    return Ensemble(
        nlp.vocab,
        name,
        mode=mode,
        spans_key=spans_key,
        threshold=threshold,
        label_thresholds=label_thresholds,
        floor=floor,
        nesting=nesting,
        set_ents=set_ents,
        scorer=scorer,
    )


class Ensemble(SpanPipe):
    """Runs whole pipelines on each text and writes the spans that they find together into `doc.spans[spans_key]`.

    The score of a span, in `attrs["scores"]`, is a mean over the members that know its label: of their probabilities
    (`average`), or of 1 for each member that writes the span and 0 for each that does not (`vote`). A span needs a
    score above its threshold, so by default a vote needs more than half.

    Members share nothing, and read the tokens of the Doc, not its annotations. They are saved with the component.
    """

    def __init__(
        self,
        vocab: Vocab,
        name: str = "medflat_ensemble",
        *,
        mode: Mode = "average",
        spans_key: str = "sc",
        threshold: float = 0.5,
        label_thresholds: dict[str, float] | None = None,
        floor: float = 0.01,
        nesting: Nesting = "all",
        set_ents: bool = False,
        scorer: Callable[..., dict[str, Any]] | None = None,
    ):
        """Make the component, without members.

        mode (str): `average` probabilities, or `vote`.
        spans_key (str): the span group to write.
        threshold (float): a span needs a score above this.
        label_thresholds (dict): thresholds of single labels, in place of `threshold`.
        floor (float): for `average`, a member's probability below this counts as 0. It bounds how many spans are
            looked at, and what a mean may be too low by.
        nesting, set_ents: as in `medflat_ner`, applied to the spans that pass.
        RAISES ValueError: a setting is out of range.
        """
        for setting, value, known in (("mode", mode, MODES), ("nesting", nesting, NESTING_MODES)):
            if value not in known:
                raise ValueError(f"{setting} of {name!r} must be one of {', '.join(known)}, but it is {value!r}")
        thresholds = dict(label_thresholds or {})
        for setting, number in {"threshold": threshold, "floor": floor, **thresholds}.items():
            if not 0.0 <= number <= 1.0:
                raise ValueError(f"{setting!r} of {name!r} must be from 0 to 1, but it is {number}")
        self.vocab = vocab
        self.name = name
        self.scorer = scorer
        self.members: tuple[Member, ...] = ()
        self.cfg: dict[str, Any] = {
            "mode": mode,
            "spans_key": spans_key,
            "threshold": threshold,
            "label_thresholds": thresholds,
            "floor": floor,
            "nesting": nesting,
            "set_ents": set_ents,
        }

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of all members, in the order in which they come."""
        return tuple(dict.fromkeys(label for member in self.members for label in member.recognizer.labels))

    def threshold_of(self, label: str) -> float:
        """The threshold that the score of a span with this label must pass."""
        return float(self.cfg["label_thresholds"].get(label, self.cfg["threshold"]))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """Apply the component to a stream of Docs."""
        one_torch_thread_in_workers()
        yield from super().pipe(stream, batch_size=batch_size)

    def predict(self, docs: Iterable[Doc]) -> list[Candidates]:
        """Find the spans above the thresholds, without changing the Docs."""
        return self.candidates(docs, [self.threshold_of(label) for label in self.labels])

    def candidates(self, docs: Iterable[Doc], thresholds: Iterable[float]) -> list[Candidates]:
        """Find the spans with a score above the threshold of their label, nesting not resolved.

        thresholds (float [labels]): in the order of the labels.
        RETURNS: one for each Doc.
        RAISES EnsembleError: there are no members.
        """
        if not self.members:
            raise EnsembleError(f"{self.name!r} has no members: make it with `spacy medflat ensemble`, or load one")
        docs = list(docs)
        index = {label: i for i, label in enumerate(self.labels)}
        known = np.zeros((len(self.members), len(index)), dtype=np.bool_)
        found = []
        for i, member in enumerate(self.members):
            places = np.array([index[label] for label in member.recognizer.labels], dtype=np.int64)
            known[i, places] = True
            found.append([spans._replace(label=places[spans.label]) for spans in self._found_by(member, docs)])
        limits = np.array(list(thresholds), dtype=np.float32)
        combined = [combine(of_text, known) for of_text in zip(*found, strict=True)]
        return [spans.take(spans.score > limits[spans.label]) for spans in combined]

    def _found_by(self, member: Member, docs: Sequence[Doc]) -> list[Candidates]:
        if self.cfg["mode"] == "average":
            return member.candidates(docs, [self.cfg["floor"]] * len(member.recognizer.labels))
        accepted = member.accepted(docs)
        return [spans._replace(score=np.ones_like(spans.score)) for spans in accepted]

    def set_annotations(self, docs: Iterable[Doc], scores: list[Candidates]) -> None:
        """Write the spans into the Docs."""
        labels = self.labels
        for doc, candidates in zip(docs, scores, strict=True):
            annotate(doc, candidates, labels, self.key, self.cfg["nesting"], self.cfg["set_ents"])

    def to_bytes(self, *, exclude: Iterable[str] = SimpleFrozenList()) -> bytes:
        """Settings and members as bytes. exclude: `cfg`, `members`."""
        writers = {
            "cfg": lambda: srsly.json_dumps(self.cfg),
            "members": lambda: srsly.msgpack_dumps([member.to_bytes() for member in self.members]),
        }
        return to_bytes(writers, exclude)

    def from_bytes(self, data: bytes, *, exclude: Iterable[str] = SimpleFrozenList()) -> "Ensemble":
        """Take over what `to_bytes` gave. After an error the component is as it was."""
        loaded: dict[str, Any] = {}
        readers: dict[str, Callable[[bytes], Any]] = {
            "cfg": lambda part: loaded.update(cfg=srsly.json_loads(part)),
            "members": lambda part: loaded.update(members=[member_from_bytes(m) for m in srsly.msgpack_loads(part)]),
        }
        from_bytes(data, readers, exclude)
        return self._take_over(loaded)

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = SimpleFrozenList()) -> None:
        """Settings and members as a folder; each member is a pipeline in a numbered folder of its own."""

        def write_members(folder: Path) -> None:
            folder.mkdir(exist_ok=True)
            srsly.write_json(folder / "names.json", [member.name for member in self.members])
            for number, member in enumerate(self.members, 1):
                member.nlp.to_disk(folder / str(number))

        to_disk(path, {"cfg": lambda p: srsly.write_json(p, self.cfg), "members": write_members}, exclude)

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = SimpleFrozenList()) -> "Ensemble":
        """Take over what `to_disk` wrote. After an error the component is as it was.

        RAISES OSError: a member is missing.
        """
        loaded: dict[str, Any] = {}

        def read_members(folder: Path) -> None:
            names = srsly.read_json(folder / "names.json")
            loaded["members"] = [member_from_disk(folder / str(number)) for number in range(1, len(names) + 1)]

        readers: dict[str, Callable[[Path], Any]] = {
            "cfg": lambda p: loaded.update(cfg=srsly.read_json(p)),
            "members": read_members,
        }
        from_disk(ensure_path(path), readers, exclude)
        return self._take_over(loaded)

    def _take_over(self, loaded: dict[str, Any]) -> "Ensemble":
        self.cfg.update(loaded.get("cfg", {}))
        self.members = tuple(loaded.get("members", self.members))
        return self
