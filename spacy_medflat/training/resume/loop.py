"""`spacy train` that can be killed at any moment and continued: spaCy's own loop with checkpoints."""

import shutil
import sys
from collections.abc import Callable
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
from thinc.api import Optimizer, fix_random_seed, set_gpu_allocator
from wasabi import Printer

from ...errors import CheckpointError
from ...files import replaced_when_done
from ...runtime import package_versions
from ..randomness import dump_random_state, load_random_state, with_own_randomness
from .checkpoint import Checkpoint, CheckpointFolder, Evaluation, with_prefix
from .replay import Batches, Replay, annotated_crc, check_same_run, find_labels
from .state import dump_optimizer, dump_weights, find_parameters, load_optimizer, load_weights

CHECKPOINTS = "checkpoints"


def train(
    nlp: Language,
    output: Path,
    *,
    resume: bool = False,
    checkpoint_every: int = 0,
    use_gpu: int = -1,
    stdout: IO = sys.stdout,
    stderr: IO = sys.stderr,
) -> None:
    """Train an initialized pipeline as `spacy.training.loop.train` does, and write checkpoints to `output/checkpoints`.

    Without a GPU a run that was killed and resumed ends with the same weights as one that was not. The weights are also
    those of `spacy train`, unless both the reading of data and the updates draw from the same random generator.

    resume (bool): continue from the last checkpoint. The logger gets only what comes after it.
    checkpoint_every (int): steps between checkpoints; 0 for one at each evaluation. Each has the size of the weights
        plus what the optimizer keeps, about three times the weights, or four with averages; there are two at a time.
        They are removed when the training is done.
    RAISES CheckpointError: resuming is impossible; see the message.
    """
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
    if start:
        check_same_run(nlp, start, dev_texts)
        best = max(((found.score, -found.step) for found in start.evaluations), default=(0.0, 0))
        stdout.write(msg.info(f"Continuing after step {start.step}; best score {best[0]:.4f} at {-best[1]}") + "\n")
        for difference in _version_differences(start):
            stdout.write(msg.warn(difference) + "\n")
    else:
        clean_output_dir(output)
        folder.remove()
    for scratch in output.glob(".medflat-*"):
        shutil.rmtree(scratch)
    save = _Saver(nlp, output, optimizer, T["before_to_disk"])
    evaluate = create_evaluation_callback(nlp, dev_corpus, T["score_weights"])
    replay = Replay(nlp, start, evaluate, T["before_update"])
    batches = Batches(create_train_batches(nlp, train_corpus, T["batcher"], T["max_epochs"]))
    steps = train_while_improving(
        replay,  # type: ignore[arg-type]
        optimizer,
        batches,
        replay.evaluate,
        before_update=replay.before_update,
        exclude=frozen,
        **{name: T[name] for name in _LOOP_SETTINGS},
    )
    stdout.write(msg.info(f"Pipeline: {nlp.pipe_names}") + "\n")
    if frozen:
        stdout.write(msg.info(f"Frozen components: {frozen}") + "\n")
    if T["annotating_components"]:
        stdout.write(msg.info(f"Set annotations on update for: {T['annotating_components']}") + "\n")
    stdout.write(msg.info(f"Initial learn rate: {optimizer.learn_rate}") + "\n")
    with nlp.select_pipes(disable=frozen):
        log_step, finalize_logger = T["logger"](nlp, stdout, stderr)
    evaluations = list(start.evaluations) if start else []
    try:
        for _, info, is_best in steps:
            step, evaluated = info["step"], is_best is not None
            if evaluated:
                with nlp.select_pipes(disable=frozen):
                    update_meta(T, nlp, info)
            if replay.active:
                if start and step == start.step:
                    _restore(nlp, optimizer, start, batches)
                    replay.active = False
                continue
            if evaluated:
                evaluations.append(Evaluation(step, info["score"], info["other_scores"], dict(info["losses"])))
                save(is_best=is_best)
                info["output_path"] = str(output / DIR_MODEL_LAST)
            log_step(info if evaluated else None)
            if step % checkpoint_every == 0 if checkpoint_every else evaluated:
                folder.write(_take(nlp, optimizer, info, evaluations, batches, dev_texts))
        if replay.active:
            raise CheckpointError("the training data ended before the step of the checkpoint: it has changed")
    except Exception as error:
        if not replay.active:
            stdout.write(msg.warn(f"Aborting and saving the last model. Encountered exception: {error!r}") + "\n")
        raise
    finally:
        finalize_logger()
        if not replay.active:
            save(is_best=False)
    folder.remove()
    stdout.write(msg.good("Saved pipeline to output directory", output / DIR_MODEL_LAST) + "\n")


_LOOP_SETTINGS = ("dropout", "accumulate_gradient", "patience", "max_steps", "eval_frequency", "annotating_components")


class _Saver:
    """Saves the pipeline as model-last, and as model-best. A folder is replaced as a whole."""

    def __init__(
        self,
        nlp: Language,
        output: Path,
        optimizer: Optimizer,
        before_to_disk: Callable[[Language], Language] | None,
    ):
        self.nlp, self.output, self.optimizer = nlp, output, optimizer
        self.before_to_disk = create_before_to_disk_callback(before_to_disk)

    def __call__(self, *, is_best: bool) -> None:
        last, best = self.output / DIR_MODEL_LAST, self.output / DIR_MODEL_BEST
        averages: Any = self.optimizer.averages
        with self.nlp.use_params(averages), replaced_when_done(last, force=True) as scratch:
            self.before_to_disk(self.nlp).to_disk(scratch)
        if is_best:
            with replaced_when_done(best, force=True) as scratch:
                shutil.copytree(last, scratch)


def _take(
    nlp: Language,
    optimizer: Optimizer,
    info: dict[str, Any],
    evaluations: list[Evaluation],
    batches: Batches,
    dev_texts: int,
) -> Checkpoint:
    return Checkpoint(
        step=info["step"],
        evaluations=evaluations,
        losses=dict(info["losses"]),
        texts=batches.texts,
        dev_texts=dev_texts,
        config=nlp.config.to_str(),
        labels=find_labels(nlp),
        versions=package_versions(),
        arrays={
            **with_prefix("weights", dump_weights(nlp)),
            **with_prefix("optimizer", dump_optimizer(optimizer, find_parameters(nlp))),
            **with_prefix("random", dump_random_state()),
        },
    )


def _restore(nlp: Language, optimizer: Optimizer, start: Checkpoint, batches: Batches) -> None:
    if batches.texts != start.texts:
        raise CheckpointError(
            f"the texts of the first {start.step + 1} batches, or their annotations, are not those that the checkpoint "
            "was trained on: the training data has changed. Change it back, or train anew with --force"
        )
    try:
        load_weights(nlp, start.part("weights"))
        load_optimizer(optimizer, start.part("optimizer"), find_parameters(nlp))
    except ValueError as error:
        raise CheckpointError(f"the checkpoint is of another pipeline: {error}. Train anew, with --force") from error
    load_random_state(start.part("random"), start.step)
    # They are in the pipeline now, and would stay in memory as long as it trains.
    start.arrays.clear()


def _version_differences(start: Checkpoint) -> list[str]:
    now = package_versions()
    return [
        f"{name} is {now.get(name)}, but {before} wrote the checkpoint: weights may differ"
        for name, before in start.versions.items()
        if now.get(name) != before
    ]
