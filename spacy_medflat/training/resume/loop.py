"""`spacy train` that can be killed at any moment and continued: spaCy's own loop with checkpoints."""

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from spacy.language import Language
from spacy.schemas import ConfigSchemaTraining
from spacy.training.loop import (
    DIR_MODEL_BEST,
    DIR_MODEL_LAST,
    clean_output_dir,
    create_before_to_disk_callback,
    create_evaluation_callback,
    create_train_batches,
    train_while_improving,
    update_meta,
)
from spacy.util import registry, resolve_dot_names
from thinc.api import fix_random_seed, set_gpu_allocator
from wasabi import Printer

from ...errors import CheckpointError
from ...files import replaced_when_done
from ...runtime import package_versions
from ..randomness import dump_random_state, load_random_state, seed_cupy, with_own_randomness
from .checkpoint import Checkpoint, CheckpointFolder, Evaluation
from .replay import Batches, Replay, annotated_crc, check_same_run, find_labels
from .state import dump_optimizer, dump_weights, load_optimizer, load_weights

CHECKPOINTS = "checkpoints"
_LOOP_SETTINGS = ("dropout", "accumulate_gradient", "patience", "max_steps", "eval_frequency", "annotating_components")


def train(
    nlp: Language,
    output: Path,
    *,
    resume: bool = False,
    checkpoint_every: int = 0,
    use_gpu: int = -1,
    stdout: IO | None = None,
    stderr: IO | None = None,
) -> None:
    """Train an initialized pipeline as `spacy.training.loop.train` does, and write checkpoints to `output/checkpoints`.

    Without a GPU a run that was killed and resumed ends with the same weights as one that was not. The weights are also
    those of `spacy train`, unless both the reading of data and the updates draw from the same random generator.

    nlp (Language): the pipeline.
    output (Path): the folder of `model-best` and `model-last`.
    resume (bool): continue from the last checkpoint. The logger gets only what comes after it.
    checkpoint_every (int): steps between checkpoints; 0 for one at each evaluation. Each has the size of the weights
        plus what the optimizer keeps, about three times the weights, or four with averages; there are two at a time.
        They are removed when the training is done.
    use_gpu (int): number of the GPU in use, or -1.
    stdout, stderr (file): for messages and the logger; by default those of the process as they are then.
    RAISES (CheckpointError): resuming is impossible; see the message.
    """
    stdout, stderr = stdout or sys.stdout, stderr or sys.stderr
    msg = Printer(no_print=True)
    config = nlp.config.interpolate()
    if config["training"]["seed"] is not None:
        fix_random_seed(config["training"]["seed"])
    if use_gpu >= 0 and config["training"]["gpu_allocator"]:
        set_gpu_allocator(config["training"]["gpu_allocator"])
    T: Any = registry.resolve(config["training"], schema=ConfigSchemaTraining)
    train_corpus, dev_corpus = resolve_dot_names(config, [T["train_corpus"], T["dev_corpus"]])
    frozen, optimizer = T["frozen_components"], T["optimizer"]
    folder = CheckpointFolder(output / CHECKPOINTS)
    start = folder.read_last() if resume else None
    dev_texts = annotated_crc(with_own_randomness(dev_corpus(nlp)))
    messages = []
    if start:
        check_same_run(nlp, start, dev_texts)
        best = max(((found.score, -found.step) for found in start.evaluations), default=(0.0, 0))
        messages.append(msg.info(f"Continuing after step {start.step}; best score {best[0]:.4f} at {-best[1]}"))
        for name, before in start.versions.items():
            if (now := package_versions().get(name)) != before:
                messages.append(msg.warn(f"{name} is {now}, but {before} wrote the checkpoint: weights may differ"))
    for scratch in [*output.glob(".medflat-*"), *folder.path.glob(".medflat-*")]:
        shutil.rmtree(scratch)
    if not start:
        clean_output_dir(output)
        folder.remove()
    batches = Batches(create_train_batches(nlp, train_corpus, T["batcher"], T["max_epochs"]))
    run = _Run(nlp, optimizer, batches, dev_texts, list(start.evaluations) if start else [])
    replay = Replay(nlp, start, create_evaluation_callback(nlp, dev_corpus, T["score_weights"]), T["before_update"])
    steps = train_while_improving(
        replay,  # type: ignore[arg-type]
        optimizer,
        batches,
        replay.evaluate,
        before_update=replay.before_update,
        exclude=frozen,
        **{name: T[name] for name in _LOOP_SETTINGS},
    )
    messages.append(msg.info(f"Pipeline: {nlp.pipe_names}"))
    if frozen:
        messages.append(msg.info(f"Frozen components: {frozen}"))
    if T["annotating_components"]:
        messages.append(msg.info(f"Set annotations on update for: {T['annotating_components']}"))
    messages.append(msg.info(f"Initial learn rate: {optimizer.learn_rate}"))
    stdout.write("".join(f"{message}\n" for message in messages))
    before_to_disk = create_before_to_disk_callback(T["before_to_disk"])
    with nlp.select_pipes(disable=frozen):
        log_step, finalize_logger = T["logger"](nlp, stdout, stderr)
    try:
        for _, info, is_best in steps:
            step, evaluated = info["step"], is_best is not None
            if evaluated:
                with nlp.select_pipes(disable=frozen):
                    update_meta(T, nlp, info)
            if replay.active:
                if start and step == start.step:
                    run.restore(start)
                    replay.active = False
                continue
            if evaluated:
                run.evaluations.append(Evaluation(step, info["score"], info["other_scores"], dict(info["losses"])))
                run.save(output, before_to_disk, is_best=is_best)
                info["output_path"] = str(output / DIR_MODEL_LAST)
            log_step(info if evaluated else None)
            if step % checkpoint_every == 0 if checkpoint_every else evaluated:
                folder.write(run.checkpoint(step, info["losses"]))
        if replay.active:
            raise CheckpointError("the training data ended before the step of the checkpoint: it has changed")
    except Exception as error:
        if not replay.active:
            stdout.write(msg.warn(f"Aborting and saving the last model. Encountered exception: {error!r}") + "\n")
        raise
    finally:
        finalize_logger()
        if not replay.active:
            run.save(output, before_to_disk, is_best=False)
    folder.remove()
    stdout.write(msg.good("Saved pipeline to output directory", output / DIR_MODEL_LAST) + "\n")


@dataclass
class _Run:
    """What a run's saved pipelines and checkpoints are made of, and what a checkpoint is restored into.

    nlp (Language): the pipeline.
    optimizer (Optimizer): with moments and averages.
    batches (Batches): the training data so far.
    dev_texts (int): see `Checkpoint`.
    evaluations (list of Evaluation): all so far.
    """

    nlp: Language
    optimizer: Any
    batches: Batches
    dev_texts: int
    evaluations: list[Evaluation]

    def save(self, output: Path, before_to_disk: Callable[[Language], Language], *, is_best: bool) -> None:
        """Save the pipeline as model-last, and as model-best. A folder is replaced as a whole."""
        last = output / DIR_MODEL_LAST
        with self.nlp.use_params(self.optimizer.averages), replaced_when_done(last, force=True) as scratch:
            before_to_disk(self.nlp).to_disk(scratch)
        if is_best:
            with replaced_when_done(output / DIR_MODEL_BEST, force=True) as scratch:
                shutil.copytree(last, scratch)

    def checkpoint(self, step: int, losses: dict[str, float]) -> Checkpoint:
        """The run after a step."""
        arrays = {
            "weights": dump_weights(self.nlp),
            "optimizer": dump_optimizer(self.optimizer, self.nlp),
            "random": dump_random_state(),
        }
        return Checkpoint(
            step=step,
            evaluations=self.evaluations,
            losses=dict(losses),
            texts=self.batches.texts,
            dev_texts=self.dev_texts,
            config=self.nlp.config.to_str(),
            labels=find_labels(self.nlp),
            versions=package_versions(),
            arrays={f"{part}|{name}": array for part, found in arrays.items() for name, array in found.items()},
        )

    def restore(self, start: Checkpoint) -> None:
        """Go on from a checkpoint.

        RAISES (CheckpointError): it was trained on other texts, or is of another pipeline.
        """
        if self.batches.texts != start.texts:
            raise CheckpointError(
                f"the texts of the first {start.step + 1} batches, or their annotations, are not those that the "
                "checkpoint was trained on: the training data has changed. Change it back, or train anew with --force"
            )
        try:
            load_weights(self.nlp, start.part("weights"))
            load_optimizer(self.optimizer, start.part("optimizer"), self.nlp)
        except ValueError as error:
            message = f"the checkpoint is of another pipeline: {error}. Train anew, with --force"
            raise CheckpointError(message) from error
        load_random_state(start.part("random"))
        seed_cupy(start.step)
        # They are in the pipeline now, and would stay in memory as long as it trains.
        start.arrays.clear()
