"""Trained pipelines beside each other: characters a second of `nlp.pipe`, size, memory and F1.

    python -m bench.pipelines zh_medflat other/model-best --data CMeEE_dev.json --leave-out sections,context,values
    python -m bench.pipelines model-best compressed --data CMeEE_dev.json --bfloat16 --score 5000

All compute in full precision. With --leave-out the first pipeline is timed once more without these components, with
--bfloat16 once more in half precision. For a CPU without AVX-512 see `bench.isa`.
"""

import multiprocessing
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from spacy.language import Language

from bench.harness import interleave, report
from bench.isa import obey_environment
from bench.memory import forget_peak, peak
from spacy_medflat.corpus.formats.registry import read_records
from spacy_medflat.corpus.reader import create_cmeee_reader
from spacy_medflat.loading import first_span_finder, load_model, model_folder, model_identity


def main(
    models: Annotated[list[str], typer.Argument(help="Package names or folders of trained pipelines.")],
    data: Annotated[Path, typer.Option(help="Texts, in any format that `convert` reads.")],
    leave_out: Annotated[str, typer.Option(help="Components to leave out in a side of its own, with commas.")] = "",
    bfloat16: Annotated[bool, typer.Option("--bfloat16", help="A side for the first pipeline in bfloat16.")] = False,
    score: Annotated[int, typer.Option(min=0, help="Score all on so many of the texts; 0 for none.")] = 0,
    busy: Annotated[bool, typer.Option("--busy", help="Count processor time: others use the machine, too.")] = False,
    texts: Annotated[int, typer.Option(help="Texts of a round.")] = 500,
    rounds: Annotated[int, typer.Option(help="Rounds of each side that count.")] = 3,
    output: Annotated[Path, typer.Option(help="JSON file for the figures.")] = Path("metrics/pipelines.json"),
) -> None:
    """Let pipelines read the same texts in turn."""
    obey_environment()
    raw = [record.text for record in read_records(data)][:texts]
    precision = {model: (model, False) for model in models}
    if bfloat16:
        precision[f"{models[0]}, bfloat16"] = (models[0], True)
    pipelines = {side: load_model(model, mixed_precision=mixed) for side, (model, mixed) in precision.items()}
    sides = {side: _reading(nlp, raw) for side, nlp in pipelines.items()}
    if leave_out:
        sides[f"{models[0]} without {leave_out}"] = _reading(pipelines[models[0]], raw, leave_out.split(","))
    n_chars = sum(map(len, raw))
    speeds = interleave(sides, n_chars, rounds, warm_up=1, clock=process_time if busy else perf_counter)
    table = Table("side", "MB on the disk", "MiB loaded", "MiB more at the peak", "F1")
    for side, (model, mixed) in precision.items():
        row = [f"{model_identity(model_folder(model))[1] / 1e6:.1f}", *_memory(model, mixed, raw)]
        table.add_row(side, *row, _f1(pipelines[side], data, score, model) if score else "")
    Console().print(table)
    report({"nlp.pipe": speeds}, {"texts": len(raw), "characters": n_chars}, output)


def _reading(nlp: Language, raw: list[str], disable: list[str] | None = None) -> Callable[[], None]:
    def read() -> None:
        for _ in nlp.pipe(raw, disable=disable or []):
            pass

    return read


def _f1(nlp: Language, data: Path, limit: int, model: str) -> str:
    key = first_span_finder(nlp, model).key
    scores = nlp.evaluate(list(create_cmeee_reader(data, spans_key=key, limit=limit)(nlp)))
    return f"{100 * scores[f'spans_{key}_f']:.2f}"


def _memory(model: str, mixed: bool, raw: list[str]) -> list[str]:
    """What a process of its own holds with the pipeline, which has read a text, and how much more it takes for all."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measure_memory, (model, mixed, raw))


def _measure_memory(model: str, mixed: bool, raw: list[str]) -> list[str]:
    obey_environment()
    nlp = load_model(model, mixed_precision=mixed)
    nlp(raw[0])
    held = forget_peak()
    _reading(nlp, raw)()
    return [f"{held:,.0f}", f"{peak() - held:,.0f}"]


if __name__ == "__main__":
    typer.run(main)
