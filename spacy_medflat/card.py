"""What a packaged pipeline says of itself, and a config that needs no other file than the package."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict
from thinc.api import Config

from .corpus.report import Report
from .ner.scorer import ROLES
from .ner.span_finder import SpanFinder

# Settings that name files which are read at initialization: where they stand, and which setting it is.
_FILE_SETTINGS = {
    ("@architectures", "spacy_medflat.CharTransformer.v1"): "name",
    ("@architectures", "spacy_medflat.CharTransformerTok2Vec.v1"): "name",
    ("@misc", "spacy_medflat.LexiconWords.v1"): "path",
}


class Source(BaseModel):
    """Something that the pipeline was made from, as spaCy's `meta.json` lists it."""

    model_config = ConfigDict(extra="forbid")

    name: str
    url: str | None = None
    author: str | None = None
    license: str | None = None


class About(BaseModel):
    """What only its makers know about a pipeline. The names are those of spaCy's `meta.json`."""

    model_config = ConfigDict(extra="forbid")

    description: str = ""
    license: str
    author: str
    email: str = ""
    url: str = ""
    sources: list[Source] = []


def card_meta(
    finder: SpanFinder,
    about: About,
    scores: Mapping[str, Any],
    calibration: Mapping[str, Any],
    data: Mapping[str, Report],
) -> dict[str, Any]:
    """The entries of `meta.json` that make spaCy's README of a package complete.

    finder (SpanFinder): the component that the scores and thresholds are of.
    scores (dict): what `medflat evaluate --output` wrote, before the calibration, or nothing.
    calibration (dict): what `medflat calibrate --report` wrote, or nothing.
    data (dict of Report): the texts that the pipeline was trained and scored on, by name.
    RETURNS (dict): `performance` without losses, `notes` in Markdown, licence, author and sources.
    """
    prefix = f"spans_{finder.key}"
    parts = [
        _licences(about.sources),
        _scores(scores, prefix),
        *(_scores_by(field, of_each) for field, of_each in scores.get("by", {}).items()),
        _calibration(calibration),
        _thresholds(finder),
        _data(data),
    ]
    entries = about.model_dump(exclude_none=True)
    if not entries["url"]:
        del entries["url"]
    performance = {name: value for name, value in scores.items() if name.startswith(prefix)}
    return {**entries, "performance": performance, "notes": "\n\n".join(part for part in parts if part)}


def _licences(sources: Iterable[Source]) -> str:
    rows = [(source.name, source.license or "–") for source in sources]
    return _markdown("Licences of the sources", ("source", "licence"), rows)


def _scores(scores: Mapping[str, Any], prefix: str) -> str:
    rows: list[tuple[Any, ...]] = [("all", *(scores.get(f"{prefix}_{name}") for name in "prf"))]
    rows += [(role, *(scores.get(f"{prefix}_{role}_{name}") for name in "prf")) for role in ROLES]
    per_type = scores.get(f"{prefix}_per_type") or {}
    rows += [(f"`{label}`", *(per_type[label][name] for name in "prf")) for label in sorted(per_type)]
    shown = [(name, *(f"{100 * value:.2f}" for value in values)) for name, *values in rows if None not in values]
    return _markdown("Scores by part in a nesting and by label", ("", "P", "R", "F"), shown)


def _scores_by(field: str, of_each: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [
        (value, f"{scores['texts']:,}", *(f"{100 * scores[name]:.2f}" for name in "prf"))
        for value, scores in of_each.items()
        if None not in scores.values()
    ]
    return _markdown(f"Scores by {field}", (field, "texts", "P", "R", "F"), rows)


def _calibration(calibration: Mapping[str, Any]) -> str:
    rows = [
        (name, f"{100 * max(row['tuning']['other_half'].values()):.2f}", f"{row['reliability']['error']:.4f}")
        for name, row in calibration.get("rows", {}).items()
    ]
    title = "On dev texts that neither weights nor thresholds were fitted on (the pipeline is the last row that helps)"
    return _markdown(title, ("scored by", "F1", "calibration error"), rows)


def _thresholds(finder: SpanFinder) -> str:
    rows = [(f"`{label}`", f"{finder.threshold_of(label):.4f}") for label in finder.labels]
    return _markdown("Thresholds", ("label", "a span needs a score above"), rows)


def _data(reports: Mapping[str, Report]) -> str:
    labels = sorted({label for report in reports.values() for label in report.labels})
    head = ("data", "texts", "characters", "entities", "nested", *(f"`{label}`" for label in labels))
    rows = [
        (
            name,
            f"{report.texts:,}",
            f"{report.characters:,}",
            f"{report.entities:,}",
            f"{report.nested_share:.1%}",
            *(f"{report.labels[label]:,}" for label in labels),
        )
        for name, report in reports.items()
    ]
    return _markdown("Data", head, rows)


def _markdown(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A title and a table; nothing without rows."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join([f"### {title}", "", *(f"| {' | '.join(line)} |" for line in lines)]) if rows else ""


def package_config(config: Config, package: str, finder: SpanFinder) -> Config:
    """A config that takes encoder, lexicon, vectors and labels from the installed package, wherever it is read.

    Then `spacy assemble`, `spacy debug data` and `spacy train` need no file of the project that the pipeline is from.

    config (Config): of the pipeline, with its variables.
    package (str): the name under which the pipeline will be installed.
    finder (SpanFinder): its component that finds spans.
    RETURNS (Config): another config; paths of texts are empty.
    """
    made = config.copy()
    paths = made.get("paths", {})

    def point(section: dict[str, Any], setting: str) -> None:
        value = section.get(setting)
        if value is None:
            return
        variable = str(value).removeprefix("${paths.").removesuffix("}")
        if str(value) == f"${{paths.{variable}}}":
            if paths.get(variable) is not None:
                paths[variable] = package
        else:
            section[setting] = package

    def walk(section: Any) -> None:
        if not isinstance(section, dict):
            return
        for (kind, name), setting in _FILE_SETTINGS.items():
            if section.get(kind) == name:
                point(section, setting)
        for part in section.values():
            walk(part)

    walk(made["components"])
    point(made["initialize"], "vectors")
    made["initialize"].setdefault("components", {})[finder.name] = {"labels": list(finder.labels)}
    for name, value in paths.items():
        paths[name] = value if value == package else None
    return made
