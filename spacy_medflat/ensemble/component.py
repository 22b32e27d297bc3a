"""`medflat_ensemble`: the component that lets several trained pipelines vote, or averages their probabilities."""

from collections.abc import Callable, Iterable, Sequence
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
from ..ner.span_finder import SpanFinder
from ..ner.spans import Candidates, Nesting, logit, split_by_text
from .member import Member, member_from_bytes, member_from_disk


def combine(found: Sequence[Candidates], known: NDArray[np.bool_]) -> Candidates:
    """The mean score of every span of a text that a member found. One that did not find it counts as 0.

    found (sequence of Candidates): the spans of each member, each at most once; labels are indices of the ensemble's.
    known (bool [members, labels]): the labels of each member. The mean of a label is over the members that know it.
    """
    spans = np.concatenate([np.stack(spans[:3], axis=1) for spans in found])
    unique, index = np.unique(spans, axis=0, return_inverse=True)
    # Three equal scores must have exactly this score as their mean, or they would pass another threshold than it.
    score = np.concatenate([spans.score for spans in found]).astype(np.float64)
    start, end, label = unique.T
    mean = np.bincount(index.ravel(), weights=score, minlength=len(unique)) / known.sum(axis=0)[label]
    combined = Candidates(start, end, label, logit(mean.astype(np.float32)))
    return split_by_text(np.zeros_like(start), combined, 1)[0]


Mode = Literal["average", "vote"]

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


class Ensemble(SpanFinder):
    """Runs whole pipelines on each text and writes the spans that they find together into `doc.spans[spans_key]`.

    The score of a span is a mean over the members that know its label: of their probabilities (`average`), or of 1 for
    each member that writes the span and 0 for each that does not (`vote`). A span needs a score above its threshold, so
    by default a vote needs more than half.

    Members share nothing, and read the tokens of the Doc, not its annotations. They are saved with the component.
    """

    def __init__(
        self,
        vocab: Vocab,
        name: str = "medflat_ensemble",
        *,
        mode: Mode = "average",
        floor: float = 0.01,
        **settings: Any,
    ):
        """Make the component, without members.

        mode (str): `average` probabilities, or `vote`.
        floor (float): for `average`, a member's probability below this counts as 0. It bounds how many spans are
            looked at, and what a mean may be too low by.
        settings: see `SpanFinder`.
        RAISES (ValueError): a setting is out of range.
        """
        super().__init__(vocab, name, **settings)
        self._check_choice("mode", mode, get_args(Mode))
        self._check_shares({"floor": floor})
        self.members: tuple[Member, ...] = ()
        self.cfg = {"mode": mode, "floor": floor, **self.cfg}

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of all members, in the order in which they come."""
        return tuple(dict.fromkeys(label for member in self.members for label in member.recognizer.labels))

    def candidates(self, docs: Iterable[Doc], thresholds: Iterable[float]) -> list[Candidates]:
        """Find the spans with a score above the threshold of their label, nesting not resolved.

        thresholds (float [labels]): in the order of the labels.
        RETURNS (list of Candidates): one for each Doc.
        RAISES (EnsembleError): there are no members.
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
        limits = logit(np.array(list(thresholds), dtype=np.float32))
        return [combine(of_text, known).above(limits) for of_text in zip(*found, strict=True)]

    def _found_by(self, member: Member, docs: Sequence[Doc]) -> list[Candidates]:
        if self.cfg["mode"] == "average":
            return member.candidates(docs, [self.cfg["floor"]] * len(member.recognizer.labels))
        return [spans._replace(logit=np.full_like(spans.logit, np.inf)) for spans in member.accepted(docs)]

    def to_bytes(self, *, exclude: Iterable[str] = SimpleFrozenList()) -> bytes:
        """Settings and members as bytes.

        exclude (iterable of str): `cfg`, `members`.
        """
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

        RAISES (OSError): a member is missing.
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
