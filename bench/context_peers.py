"""medspaCy's ConText and negspaCy with our cues, on tokens that are characters."""

from collections.abc import Callable, Iterable
from typing import Any

import spacy
from spacy.language import Language
from spacy.tokens import Doc

from spacy_medflat.context.attributes import VALUES, Context, set_context
from spacy_medflat.context.cues import Cue, shipped_cues
from spacy_medflat.context.judge import PRECEDENCE

KEY = "sc"
_DIRECTIONS = {"after": "FORWARD", "before": "BACKWARD"}


@Language.factory("sentences_by_commas", default_config={"commas": False})
def make_sentences(nlp: Language, name: str, commas: bool) -> Callable[[Doc], Doc]:
    """Make a component that ends sentences at marks, and if told so at commas: both peers need sentences."""
    ends = set("。！？!?；;\n" + ("，,：:" if commas else ""))

    def divide(doc: Doc) -> Doc:
        for token in doc:
            token.is_sent_start = token.i == 0 or doc[token.i - 1].text in ends
        return doc

    return divide


@Language.factory("values_of_peers")
def make_values(nlp: Language, name: str) -> Callable[[Doc], Doc]:
    """Make a component that turns what a peer wrote into our attributes."""

    def turn(doc: Doc) -> Doc:
        for span in doc.spans[KEY]:
            found = {modifier.category.lower() for modifier in getattr(span._, "modifiers", ())}
            if span.has_extension("negex") and span._.negex:
                found.add("absent")
            assertion, experiencer, temporality = (_first(attribute, found) for attribute in VALUES)
            set_context(span, Context(assertion, experiencer, temporality))
        return doc

    return turn


def _first(attribute: str, found: Iterable[str]) -> str:
    order = PRECEDENCE if attribute == "assertion" else VALUES[attribute][::-1]
    return next((value for value in order if value in found), VALUES[attribute][0])


def _medspacy(commas: bool) -> Language:
    from medspacy.context import ConTextRule

    nlp = spacy.blank("zh")
    nlp.add_pipe("sentences_by_commas", config={"commas": commas})
    config: dict[str, Any] = {
        "rules": None,
        "phrase_matcher_attr": "ORTH",
        "span_attrs": None,
        "input_span_type": "group",
        "span_group_name": KEY,
    }
    context: Any = nlp.add_pipe("medspacy_context", config=config)
    # Of two rules of the same text it keeps one.
    rules = {(rule["literal"], rule["category"]): rule for rule in map(_rule, shipped_cues()) if rule}
    context.add([ConTextRule(**rule) for rule in rules.values()])
    nlp.add_pipe("values_of_peers")
    return nlp


def _rule(row: Cue) -> dict[str, Any] | None:
    """The settings of a rule; None for what it cannot hold."""
    if row.direction == "section" or row.reach == "touching" or row.category in ("and", "filler"):
        return None
    rule: dict[str, Any] = {"literal": row.cue, "category": row.category.upper()}
    if row.category in ("pseudo", "end"):
        return {**rule, "direction": "PSEUDO" if row.category == "pseudo" else "TERMINATE"}
    if row.attribute is None:
        return {**rule, "direction": "FORWARD"}
    if row.labels != "-":
        names = set(row.labels.removeprefix("!").upper().split(","))
        rule["excluded_types" if row.labels.startswith("!") else "allowed_types"] = names
    others = {other.direction for other in shipped_cues() if other[:2] == row[:2]}
    direction = "BIDIRECTIONAL" if len(others) > 1 else _DIRECTIONS[row.direction]
    return {**rule, "direction": direction, "terminated_by": {f"END:{rule['category']}"}}


def _negspacy() -> Language:
    import negspacy.negation  # noqa: F401

    nlp = spacy.blank("zh")
    nlp.add_pipe("sentences_by_commas", config={"commas": True})
    rows = shipped_cues()
    absent = [row for row in rows if row.category == "absent" and row.labels == "-" and row.reach != "touching"]
    terms = {
        "pseudo_negations": [row.cue for row in rows if row.category == "pseudo"],
        "preceding_negations": [row.cue for row in absent if row.direction == "after"],
        "following_negations": [row.cue for row in absent if row.direction == "before"],
        "termination": [row.cue for row in rows if row.category in ("end", "end:absent", "possible")],
    }
    nlp.add_pipe("negex", config={"neg_termset": terms, "span_keys": [KEY]})
    nlp.add_pipe("values_of_peers")
    return nlp


# The package that each needs, and how it is made.
PEERS: dict[str, tuple[str, Callable[[], Language]]] = {
    "medspaCy, sentences": ("medspacy", lambda: _medspacy(commas=False)),
    "medspaCy, clauses": ("medspacy", lambda: _medspacy(commas=True)),
    "negspaCy, clauses": ("negspacy", _negspacy),
}
