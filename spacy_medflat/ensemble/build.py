"""Making an ensemble of trained pipelines."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import spacy
from spacy.language import Language

from ..errors import EnsembleError
from .component import Ensemble, Mode
from .member import Member, make_member


def make_ensemble(
    pipelines: Sequence[Language],
    *,
    mode: Mode = "average",
    threshold: float | None = None,
    spans_key: str | None = None,
) -> Language:
    """Make a pipeline with `medflat_ensemble` and the tokenizer that the members have in common.

    The labels are those of all members. A member has no say about a label that it does not know.

    pipelines (sequence of Language): the members.
    mode (str): `average` probabilities, or `vote`.
    threshold (float or None): what the score of a span must exceed. By default more than half must vote for a span; and
        the mean of probabilities must exceed the mean of the members' thresholds for the label.
    spans_key (str or None): the span group to write; by default that of the members.
    RETURNS (Language): the pipeline.
    RAISES (EnsembleError): fewer than two pipelines, one without a nested entity recognizer, other languages or
        tokenizers, or other span groups and no `spans_key`.
    """
    members = [make_member(nlp) for nlp in pipelines]
    if len(members) < 2:
        raise EnsembleError(f"an ensemble needs at least two pipelines, but there are {len(members)}")
    first = members[0]
    for member in members[1:]:
        _check_tokens(first, member)
    nestings = {member.recognizer.cfg["nesting"] for member in members}
    settings = {
        "mode": mode,
        "spans_key": spans_key or _common_key(members),
        "threshold": 0.5 if threshold is None else threshold,
        "label_thresholds": _mean_thresholds(members) if mode == "average" and threshold is None else {},
        "nesting": nestings.pop() if len(nestings) == 1 else "all",
        "set_ents": all(member.recognizer.cfg["set_ents"] for member in members),
    }
    nlp = spacy.blank(str(first.nlp.lang), config={"nlp": {"tokenizer": first.nlp.config["nlp"]["tokenizer"]}})
    tokenizer: Any = nlp.tokenizer
    if hasattr(tokenizer, "from_bytes"):
        tokenizer.from_bytes(_saved_tokenizer(first))
    nlp.meta["name"] = "ensemble"
    ensemble = nlp.add_pipe("medflat_ensemble", config=settings)
    assert isinstance(ensemble, Ensemble)
    ensemble.members = tuple(members)
    return nlp


def _check_tokens(first: Member, member: Member) -> None:
    """Make sure that the pipelines make the same tokens of a text.

    RAISES (EnsembleError): they would not.
    """
    no_ensemble = f"{first.name} and {member.name} make no ensemble"
    for what, ours, theirs in (
        ("language", first.nlp.lang, member.nlp.lang),
        ("tokenizer", first.nlp.config["nlp"]["tokenizer"], member.nlp.config["nlp"]["tokenizer"]),
    ):
        if ours != theirs:
            raise EnsembleError(f"{no_ensemble}: the {what} of the one is {ours}, of the other {theirs}")
    if _saved_tokenizer(first) != _saved_tokenizer(member):
        raise EnsembleError(f"{no_ensemble}: the rules or data of their tokenizers differ")


def _saved_tokenizer(member: Member) -> bytes:
    tokenizer: Any = member.nlp.tokenizer
    return tokenizer.to_bytes(exclude=["vocab"]) if hasattr(tokenizer, "to_bytes") else b""


def _common_key(members: Sequence[Member]) -> str:
    keys = {member.recognizer.key: member.name for member in members}
    if len(keys) > 1:
        found = ", ".join(f"{key!r} ({name})" for key, name in keys.items())
        raise EnsembleError(f"the members write different span groups, {found}: name one for the ensemble")
    return next(iter(keys))


def _mean_thresholds(members: Sequence[Member]) -> dict[str, float]:
    """For each label the mean threshold of the members that know it."""
    labels = dict.fromkeys(label for member in members for label in member.recognizer.labels)
    return {
        label: float(np.mean([m.recognizer.threshold_of(label) for m in members if label in m.recognizer.labels]))
        for label in labels
    }
