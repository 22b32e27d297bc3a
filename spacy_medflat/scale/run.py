"""A run over an archive: resumes what was begun, and ends with the whole output."""

import hashlib
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import MedflatError, SourceError
from ..loading import model_folder, model_identity
from ..runtime import free_memory, package_versions, processes_that_fit, usable_cpus
from .annotator import Annotator
from .engines import run_in_processes
from .first_look import check_extras, check_first_texts
from .items import OutputPart
from .output import Output, find_output
from .parts import Parts, changed, digest_of
from .ray_engine import run_on_ray
from .run_folder import Manifest, PartsFolder, RunSummary
from .run_settings import OutputSettings, RunSettings
from .sources import Source, find_sources, fingerprint

BUFFER = 1000
CPU_BATCH, GPU_BATCH = 64, 256
ENGINES = ("local", "ray")


class State(NamedTuple):
    """How far a run is.

    documents, failed (int): texts that are done, and that could not be done.
    position, total (int): bytes of the input that are read, and that there are; a total of 0 is unknown.
    """

    documents: int
    failed: int
    position: int
    total: int

    def after(self, part: OutputPart) -> "State":
        """The state when one more part is done."""
        documents, failed = self.documents + part.receipt.documents, self.failed + len(part.receipt.failures)
        return State(documents, failed, max(self.position, part.position), self.total)


class Outcome(NamedTuple):
    """How a run ended.

    summary (RunSummary): what it did.
    folder (Path): where its errors are, if there are any.
    resumed (int): texts that were done before.
    already_complete (bool): whether all were.
    """

    summary: RunSummary
    folder: Path
    resumed: int
    already_complete: bool


def annotate_corpus(
    inputs: Sequence[str],
    path: Path,
    settings: RunSettings,
    *,
    progress: Callable[[State], None] = lambda state: None,
    warn: Callable[[str], None] = lambda message: None,
) -> Outcome:
    """Annotate all texts of the inputs, in their order.

    inputs (sequence of str): files, folders, or - for standard input.
    path (Path): a file to write, or a folder for parts if it has no suffix that is known. Beside a file, `<path>.run`
        holds what is done until it is complete, and afterwards what the run was, its counts and its errors.
    settings (RunSettings): what to do.
    progress (callable): called after every part.
    warn (callable): called with what the user should know.
    RETURNS (Outcome): how the run ended.
    RAISES (MedflatError): an input cannot be read; the run that is there is of other inputs, pipeline or settings, or
        another process is doing it. Parts that are done stay, and the same call resumes.
    """
    if settings.engine not in ENGINES:
        raise MedflatError(f"unknown engine {settings.engine!r}; known are {', '.join(ENGINES)}")
    output = find_output(path, settings.target)
    sources = find_sources(inputs, settings.kind, warn, settings.encoding)
    output.check_apart(inputs, sources)
    check_extras(sources, output.target, settings.engine)
    model = model_folder(settings.model)
    folder = PartsFolder(output)
    with folder.locked():
        earlier = None if settings.force else _earlier(folder)
        digest, model_bytes = model_identity(model)
        settings = _completed(settings, output, earlier)
        manifest = Manifest(
            **settings.model_dump(include=set(OutputSettings.model_fields)),
            inputs=fingerprint(inputs, sources),
            model={"name": settings.model, "digest": digest, "code": _digest(settings.code)},
            joined=output.joined,
            versions=package_versions(),
        )
        annotator = Annotator(_anywhere(settings), _common_schema(settings, sources))
        if earlier:
            _check_same_run(earlier, manifest, folder, warn)
            if summary := folder.summary():
                return _already_complete(summary, folder, Parts(sources, settings.buffer))
        else:
            _check_free(folder, settings.force)
            check_first_texts(sources, settings.fields, warn)
        receipts = dict(folder.receipts()) if earlier else {}
        parts = Parts(sources, settings.buffer, {number: receipt.digest for number, receipt in receipts.items()})
        resumed = sum(receipt.documents for receipt in receipts.values())
        failed = sum(len(receipt.failures) for receipt in receipts.values())
        state = State(resumed, failed, 0, manifest.inputs["bytes"])
        try:
            with closing(_engine(parts, annotator, model_bytes)) as done:
                # Nothing is replaced before a first part is done: until then a setting may prove wrong.
                first = next(done, None)
                if not earlier:
                    folder.clear()
                folder.begin(earlier or manifest)
                for part in chain(() if first is None else [first], done):
                    folder.write(part)
                    state = state.after(part)
                    progress(state)
        except (MedflatError, OSError) as error:
            raise _stopped(error, state) from error
        return Outcome(folder.complete(), folder.path, resumed, False)


def _earlier(folder: PartsFolder) -> Manifest | None:
    """The run that is there, if it has done something; without a part that is done, its settings do not count."""
    manifest = folder.manifest()
    return manifest if folder.summary() or next(folder.receipts(), None) else None


def _completed(settings: RunSettings, output: Output, earlier: Manifest | None) -> RunSettings:
    """The settings with those found that are not given."""
    batch_size, buffer = GPU_BATCH if settings.gpu_id >= 0 else CPU_BATCH, BUFFER
    if earlier:
        batch_size, buffer = earlier.batch_size, earlier.buffer
    found = {"batch_size": settings.batch_size or batch_size, "buffer": settings.buffer or buffer}
    return settings.model_copy(update={**found, "target": output.target})


def _anywhere(settings: RunSettings) -> RunSettings:
    """The settings for a process that runs in another folder."""
    model = Path(settings.model)
    paths = {
        "model": str(model.resolve()) if model.is_dir() else settings.model,
        "code": settings.code.resolve() if settings.code else None,
    }
    return settings.model_copy(update=paths)


def _digest(code: Path | None) -> str:
    return hashlib.sha256(code.read_bytes()).hexdigest() if code else ""


def _common_schema(settings: RunSettings, sources: Sequence[Source]) -> Any:
    """The schema of the input if it is Parquet, as the output is; None if they are not.

    RAISES (MedflatError): the files do not go together, or have the field of the entities already.
    """
    if settings.target != "parquet":
        return None
    from .parquet import common_schema

    if any(source.kind != "parquet" for source in sources):
        return None
    schema = common_schema(source.path for source in sources)
    if settings.fields.entities in schema.names:
        raise MedflatError(f"the input has a field {settings.fields.entities!r}; name another with --entities-field")
    return schema


def _check_same_run(earlier: Manifest, manifest: Manifest, folder: PartsFolder, warn: Callable[[str], None]) -> None:
    if differences := earlier.differences(manifest):
        raise MedflatError(
            f"{folder.path} belongs to another run: {'; '.join(differences)}. Give another output, or start anew with "
            "--force"
        )
    for name, before in earlier.versions.items():
        if manifest.versions.get(name) != before:
            warn(f"{name} was {before} when the run began and is {manifest.versions.get(name)}: scores may differ")


def _already_complete(summary: RunSummary, folder: PartsFolder, parts: Parts) -> Outcome:
    path, _, joined = folder.output
    lost = 0 if joined else summary.parts - sum(1 for _ in path.glob("part-*"))
    if lost or not path.exists():
        gone = f"lacks {lost:,} of its {summary.parts:,} parts" if path.exists() else "is gone"
        raise MedflatError(f"{path} was complete and {gone}; start anew with --force")
    if parts.piped and digest_of(part.digest for part in parts) != summary.digest:
        raise changed("some part")
    folder.tidy()
    return Outcome(summary, folder.path, summary.documents, True)


def _check_free(folder: PartsFolder, force: bool) -> None:
    path, _, joined = folder.output
    if joined and path.exists() and not force:
        raise MedflatError(f"{path}: this file exists; give another name, or replace it with --force")
    # A folder of something else must not be changed, even with --force.
    folder.check_own()


def _engine(parts: Parts, annotator: Annotator, model_bytes: int) -> Generator[OutputPart]:
    settings = annotator.settings
    n_process = settings.n_process
    if not n_process and settings.gpu_id >= 0 and settings.engine == "local":
        n_process = 1
    if not n_process:
        size = None if parts.piped else sum(source.bytes for source in parts.sources)
        n_process = processes_that_fit(model_bytes, size, usable_cpus(), free_memory())
    if settings.engine == "ray":
        if parts.piped:
            raise MedflatError("a task of Ray cannot read standard input; write it to a file first")
        return run_on_ray(parts, annotator, n_process, settings.ray_address)
    if n_process == 1:
        return (annotator(part) for part in parts)
    return run_in_processes(parts, annotator, n_process)


def _stopped(error: MedflatError | OSError, state: State) -> MedflatError:
    """The error of a run that ended early, with what is done and how to go on."""
    reason = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.filename else str(error)
    done = state.documents + state.failed
    if not done:
        return MedflatError(reason)
    goes_on = (
        "but a corrected input is another input, which needs --force or another output"
        if isinstance(error, SourceError)
        else "and the same command goes on"
    )
    return MedflatError(f"{reason} (texts done: {done:,}; they stay, {goes_on})")
