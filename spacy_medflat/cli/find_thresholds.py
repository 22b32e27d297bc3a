"""`medflat find-thresholds`: the thresholds of a pipeline, tuned on held-out texts."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ..errors import amount
from ..files import replaced_when_done, write_json
from ..ner.gold import read_gold
from ..ner.span_finder import candidates_of
from ..ner.thresholds import tune
from .common import Code, GpuId, check_apart, check_output, friendly_errors, load_pipeline, read_examples, say, table
from .progress import counted

_CHOICES = {"now": "the thresholds of now", "common": "a common threshold", "labels": "a threshold for each label"}


def find_thresholds(
    model: Annotated[str, typer.Argument(help="Package name or folder of a trained pipeline.")],
    data: Annotated[Path, typer.Argument(help="Held-out annotated texts, neither training nor test.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder to save the pipeline in, with the thresholds.")
    ] = None,
    one: Annotated[bool, typer.Option("--one", help="One threshold for all labels.")] = False,
    min_gold: Annotated[int, typer.Option(help="Labels with fewer gold spans keep their threshold.")] = 20,
    report: Annotated[Path | None, typer.Option(help="JSON file for thresholds and scores.")] = None,
    code: Code = None,
    gpu_id: GpuId = -1,
) -> None:
    """Find the thresholds with the best F1, before nesting is resolved.

    F1 on the texts that thresholds were chosen on flatters them. So they are also chosen on one half of the texts and
    scored on the other: one for all labels, one for each, or those of now, whichever gives the best F1 there.
    """
    with friendly_errors():
        check_output(output)
        check_apart([output, report], [data])
        nlp, recognizer = load_pipeline(model, gpu_id, code=code)
        examples = read_examples(nlp, data, recognizer.key)
        gold, coverage = read_gold(examples, recognizer.key, recognizer.labels)
        texts = counted([eg.reference.text for eg in examples], "scoring")
        tuning = tune(
            [candidates for _, candidates in candidates_of(nlp, recognizer, texts)],
            gold,
            [recognizer.threshold_of(label) for label in recognizer.labels],
            one=one,
            min_gold=min_gold,
            unreachable=coverage.gold - len(gold.doc),
        )
        # All digits that spaCy saves: probabilities crowd near 0 and 1, where fewer would move a threshold past them.
        thresholds = {label: round(t, 10) for label, t in zip(recognizer.labels, tuning.thresholds, strict=True)}
        rows = [[label, f"{recognizer.threshold_of(label):.4f}", f"{best:.4f}"] for label, best in thresholds.items()]
        say(table(["label", "now", "best"], rows, title="thresholds"))
        for name, score in tuning.other_half.items():
            say(f"F1 {score:.4f} on texts that they were not chosen on: {_CHOICES[name]}")
        if tuning.choice == "now":
            say("No other thresholds help on such texts, so those of now stay.")
        else:
            say(f"F1 {tuning.before:.4f} before, {tuning.after:.4f} after, both on all {amount(len(examples), 'text')}")
        if report:
            write_json(report, {**asdict(tuning), "thresholds": thresholds})
        if output:
            if tuning.choice != "now":
                recognizer.cfg["label_thresholds"] = thresholds
            with replaced_when_done(output, force=True) as scratch:
                nlp.to_disk(scratch)
            say(f"saved to {output}")
