"""A training of a given number of steps in a process of its own, for benchmarks that compare many of them."""

import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from spacy_medflat.corpus.formats.registry import write_records
from spacy_medflat.corpus.record import Record
from spacy_medflat.files import replaced_when_done

WARM_UP = 0.1


def numbers(text: str) -> list[int]:
    """Those of an option, separated by commas."""
    return [int(part) for part in text.split(",")]


def written_once(records: Iterable[Record], path: Path) -> Path:
    """JSON lines that all runs read; the file of an earlier start stays."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with replaced_when_done(path) as scratch:
            write_records(records, scratch, "jsonl")
    return path


class Training(NamedTuple):
    """What trainings have in common.

    config (Path): a config of the project.
    encoder (str): name or folder.
    dev (Path): a few texts for the log of a training; they choose nothing.
    mixed_precision (sequence of str): components whose setting of this name is set; none for float32.
    """

    config: Path
    encoder: str
    dev: Path
    mixed_precision: Sequence[str]

    def run(self, data: Path, output: Path, steps: int, seed: int) -> Path:
        """Train, and keep the last step. A run that was killed leaves nothing that looks whole.

        data (Path): the training texts.
        output (Path): a folder; the log stands beside it. What is done is not done again.
        RETURNS (Path): the pipeline.
        RAISES (CalledProcessError): the training fails; the log says why.
        """
        model = output / "model-last"
        if model.exists():
            return model
        output.parent.mkdir(parents=True, exist_ok=True)
        part = output.with_name(f"{output.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        command = [sys.executable, "-m", "spacy", "train", str(self.config), "--output", str(part)]
        with output.with_name(f"{output.name}.log").open("w") as log:
            subprocess.run([*command, *self._overrides(data, steps, seed)], check=True, stdout=log, stderr=log)
        shutil.rmtree(part / "model-best", ignore_errors=True)
        part.rename(output)
        return model

    def _overrides(self, data: Path, steps: int, seed: int) -> list[str]:
        values = {
            "paths.train": data,
            "paths.dev": self.dev,
            "paths.encoder": self.encoder,
            "system.seed": seed,
            "training.max_steps": steps,
            "training.eval_frequency": steps,
            "training.logger.progress_bar": "false",
            **{f"components.{component}.mixed_precision": "true" for component in self.mixed_precision},
            **{
                f"training.optimizer.{rate}.{name}": value
                for rate in ("encoder_rate", "head_rate")
                for name, value in (("warmup_steps", max(int(WARM_UP * steps), 1)), ("total_steps", steps))
            },
        }
        return [part for name, value in values.items() for part in (f"--{name}", str(value))]
