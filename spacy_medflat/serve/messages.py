"""What travels between the service and its worker processes. All of it can be pickled; none of it holds a Doc."""

from typing import Any, NamedTuple


class TextJob(NamedTuple):
    """A text to be read.

    text (str): the text.
    floor (float or None): also spans with scores from here on; None for those above the thresholds alone.
    labels (frozenset of str or None): only these; None for all.
    words (bool): the words of the lattice too.
    """

    text: str
    floor: float | None = None
    labels: frozenset[str] | None = None
    words: bool = False


class TextFailure(NamedTuple):
    """A text that has no result.

    code (str): for programs.
    reason (str): why, and what to do; without the text.
    """

    code: str
    reason: str


# The fields of a text's result, or why there is none.
Outcome = dict[str, Any] | TextFailure


class UserWords(NamedTuple):
    """The words of users, all of them, with their types. Answered with None."""

    words: dict[str, str]


class Description(NamedTuple):
    """What a worker says of its pipeline.

    name, version, description, language, licence (str): of its meta.
    sources (list of dict): what it was made from.
    components (list of str): their names.
    labels (list of (str, float)): labels of the entities with their thresholds.
    nesting (str): which spans may stand together.
    facts (list of str): what is said about entities.
    words (list of (str, str)): of the lexicons of its lattice, with types, those of users not.
    user_words (dict of str): that it was saved with.
    has_lattice (bool): whether words can be added.
    """

    name: str
    version: str
    description: str
    language: str
    licence: str
    sources: list[dict[str, Any]]
    components: list[str]
    labels: list[tuple[str, float]]
    nesting: str
    facts: list[str]
    words: list[tuple[str, str]]
    user_words: dict[str, str]
    has_lattice: bool


class StartFailure(NamedTuple):
    """A worker that has no pipeline: why."""

    reason: str
