"""What kind of word source was saved, and with which settings."""

import copy
from dataclasses import asdict
from typing import Any

from ..errors import MedflatError, clipped
from .lexicon_words import LexiconWords
from .rules import WordRules
from .segmenter import SegmenterWords
from .source import FileSource, WordSource
from .union_words import UnionWords

OWN_CLASSES: tuple[type[Any], ...] = (LexiconWords, SegmenterWords, UnionWords)


def describe(source: WordSource) -> dict[str, Any]:
    """Describe a source: its class and, unless it is a class of the user's own, its settings.

    RETURNS (dict): as JSON can hold it.
    """
    described: dict[str, Any] = {"class": _name(type(source)), "name": source.name}
    if isinstance(source, UnionWords):
        described["sources"] = {key: describe(part) for key, part in source.sources.items()}
    elif isinstance(source, FileSource):
        described["settings"] = {
            key: asdict(value) if isinstance(value, WordRules) else value for key, value in source.settings().items()
        }
    return described


def restore(described: dict[str, Any], current: WordSource | None) -> WordSource:
    """Make a source, still without words, of the class and with the settings that `describe` gave.

    described (dict): what `describe` gave.
    current (WordSource or None): the source that the config makes. One of the user's own class comes from here, because
        nothing that a file names is imported.
    RETURNS (WordSource): a new source.
    RAISES (MedflatError): the saved source is of a class that is neither ours nor the current one's, or the description
        is damaged.
    """
    try:
        name, sources, settings = described["class"], described.get("sources"), described.get("settings")
        kind: type[Any] | None = {_name(known): known for known in OWN_CLASSES}.get(name)
        if current is not None and name == _name(type(current)):
            kind = type(current)
        if kind is None:
            made = "no source in its place" if current is None else clipped(_name(type(current)))
            raise MedflatError(
                f"the words were saved by a source of the class {clipped(name)}, but the config makes {made}: let the "
                "config of the component name what makes the saved one"
            )
        if sources is not None:
            parts = getattr(current, "sources", {})
            return kind({key: restore(part, parts.get(key)) for key, part in sources.items()}, described["name"])
        if settings is not None:
            rules = {"rules": WordRules(**settings["rules"])} if "rules" in settings else {}
            return kind(**{**settings, **rules})
        if current is None or issubclass(kind, FileSource | UnionWords):
            raise KeyError("settings")
    except (AttributeError, KeyError, TypeError) as error:
        raise MedflatError(
            f"the description of the saved words is damaged ({type(error).__name__}: {error}); save the pipeline again"
        ) from error
    return copy.copy(current)


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
