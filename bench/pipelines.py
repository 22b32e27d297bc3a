"""Trained pipelines beside each other: characters a second of `nlp.pipe`, in full precision.

    python -m bench.pipelines zh_medflat other/model-best --data CMeEE_dev.json --leave-out sections,context,values

With --leave-out the first pipeline is timed once more without these components.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from spacy.language import Language

from bench.harness import interleave, report
from spacy_medflat.corpus.formats.registry import read_records
from spacy_medflat.loading import load_model


def main(
    models: Annotated[list[str], typer.Argument(help="Package names or folders of trained pipelines.")],
    data: Annotated[Path, typer.Option(help="Texts, in any format that `convert` reads.")],
    leave_out: Annotated[str, typer.Option(help="Components to leave out in a side of its own, with commas.")] = "",
    texts: Annotated[int, typer.Option(help="Texts of a round.")] = 500,
    rounds: Annotated[int, typer.Option(help="Rounds of each side that count.")] = 3,
    output: Annotated[Path, typer.Option(help="JSON file for the figures.")] = Path("metrics/pipelines.json"),
) -> None:
    """Let pipelines read the same texts in turn."""
    raw = [record.text for record in read_records(data)][:texts]
    pipelines = [load_model(model, mixed_precision=False) for model in models]
    sides = {model: _reading(nlp, raw) for model, nlp in zip(models, pipelines, strict=True)}
    if leave_out:
        sides[f"{models[0]} without {leave_out}"] = _reading(pipelines[0], raw, leave_out.split(","))
    n_chars = sum(map(len, raw))
    speeds = interleave(sides, n_chars, rounds, warm_up=1)
    report({"nlp.pipe": speeds}, {"texts": len(raw), "characters": n_chars}, output)


def _reading(nlp: Language, raw: list[str], disable: list[str] | None = None) -> Callable[[], None]:
    def read() -> None:
        for _ in nlp.pipe(raw, disable=disable or []):
            pass

    return read


if __name__ == "__main__":
    typer.run(main)
