"""`medflat card`: what a packaged pipeline says of itself."""

from pathlib import Path
from typing import Annotated

import typer

from ..card import About, card_meta, package_config
from ..corpus.check import check_records
from ..corpus.formats.registry import read_records
from ..corpus.report import Report
from ..files import read_json, read_model, replaced_when_done
from .common import check_apart, friendly_errors, load_pipeline, say


def card(
    model: Annotated[Path, typer.Argument(help="Folder of a trained pipeline.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the pipeline with its card.")],
    about: Annotated[
        Path, typer.Option(help="JSON file: license, author; description, email, url and sources, if there are any.")
    ],
    package: Annotated[str, typer.Option(help="Name that the package will have, such as zh_medflat.")],
    scores: Annotated[Path | None, typer.Option(help="JSON file that `evaluate` wrote.")] = None,
    calibration: Annotated[Path | None, typer.Option(help="JSON file that `calibrate` wrote.")] = None,
    train: Annotated[Path | None, typer.Option(help="The texts that it was trained on, to describe them.")] = None,
    dev: Annotated[Path | None, typer.Option(help="The texts that it was scored on, to describe them.")] = None,
) -> None:
    """Prepare a pipeline for `spacy package`: licence, author, sources, scores, thresholds and data in its README.

    Its config then names the package in place of files, so that `spacy assemble`, `spacy debug data` and `spacy train`
    read it from any folder.
    """
    with friendly_errors():
        check_apart([output], [path for path in (about, scores, calibration, train, dev) if path])
        made_by = read_model(about, About, "see assets/card.json for an example")
        found = read_json(scores) if scores else {}
        fitted = read_json(calibration) if calibration else {}
        reports = {name: _report(path) for name, path in (("training", train), ("dev", dev)) if path}
        nlp, finder = load_pipeline(str(model), -1)
        nlp.meta.update(card_meta(finder, made_by, found, fitted, reports))
        with replaced_when_done(output, force=True) as scratch:
            nlp.to_disk(scratch)
            package_config(nlp.config, package, finder).to_disk(scratch / "config.cfg")
        say(f"saved to {output}")


def _report(path: Path) -> Report:
    """What annotated texts hold."""
    records, report = check_records(read_records(path))
    for _ in records:
        pass
    return report
