"""A run over an archive: resumes what was begun, and ends with the whole output."""

import hashlib
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from ..errors import MedflatError, SourceError
from ..loading import model_folder, model_identity
from ..runtime import free_memory, package_versions, processes_that_fit, usable_cpus
from .annotator import Task
from .engines import run_here, run_in_processes
from .items import OutputPart
from .parse import Fields
from .parts import Parts, changed, digest_of
from .ray_engine import run_on_ray
from .run_folder import Manifest, Receipt, RunFolder, Summary
from .sources import STDIN, Source, find_sources, fingerprint
from .writers import FORMATS, agree, join_parts

BUFFER = 1000
CPU_BATCH, GPU_BATCH = 64, 256
ENGINES = ("local", "ray")

_NOT_WRITTEN = (".json", ".csv", ".tsv", ".txt")
_FILE_FORMATS = {form.suffix: name for name, form in FORMATS.items() if form.suffix}


@dataclass(frozen=True)
class Settings:
    """What a run is to do. What is None is found: from a run that is resumed, else from the machine.

    kind: A key of `sources.KINDS` for all inputs, in place of what their suffixes say.
    target: A key of `writers.FORMATS`; by default what the suffix of the output says, or JSON lines in a folder.
    mixed_precision: See `annotator.Task`.
    n_process: Processes, or actors of Ray.
    batch_size: Texts in a batch of the pipeline. buffer: Texts in a part.
    engine: One of `ENGINES`. ray_address: Of a cluster that runs.
    force: Start anew, and replace what an earlier run wrote.
    """

    model: str
    kind: str | None = None
    target: str | None = None
    fields: Fields = field(default_factory=Fields)
    spans_key: str | None = None
    mixed_precision: bool = False
    n_process: int | None = None
    batch_size: int | None = None
    buffer: int | None = None
    gpu_id: int = -1
    code: Path | None = None
    engine: str = "local"
    ray_address: str | None = None
    force: bool = False


class State(NamedTuple):
    """How far a run is. `position` counts the bytes of the input that are read, of `total`, which is 0 if unknown."""

    documents: int
    failed: int
    position: int
    total: int


class Outcome(NamedTuple):
    """How a run ended. `resumed` is the number of texts that were done before; `folder` has the errors, if any."""

    summary: Summary
    folder: Path
    resumed: int
    already_complete: bool


def annotate_corpus(
    inputs: Sequence[str],
    output: Path,
    settings: Settings,
    *,
    progress: Callable[[State], None] = lambda state: None,
    warn: Callable[[str], None] = lambda message: None,
) -> Outcome:
    """Annotate all texts of the inputs, in their order.

    output: A file, or a folder for parts if it has no suffix that is known. Beside a file, `<output>.run` holds what
    is done until it is complete, and afterwards what the run was, its counts and its errors.
    progress: Called after every part. warn: Called with what the user should know.
    RAISES (MedflatError): Input that cannot be read, or a run that is of other inputs, pipeline or settings, or that
        another process is doing. What was done stays, and the same call goes on with it.
    """
    if settings.engine not in ENGINES:
        raise MedflatError(f"unknown engine {settings.engine!r}; known are {', '.join(ENGINES)}")
    target, joined = _target(output, settings.target)
    sources = find_sources(inputs, settings.kind, warn)
    folder = RunFolder(output.with_name(f"{output.name}.run") if joined else output, target)
    _check_apart(inputs, sources, output, folder.path)
    model = model_folder(settings.model)
    with folder.locked():
        earlier = None if settings.force else _earlier(folder)
        identity, model_bytes = model_identity(model)
        manifest = Manifest(
            inputs=fingerprint(inputs, sources),
            kind=settings.kind,
            model={"name": settings.model, "digest": identity, "code": _digest(settings.code)},
            target=target,
            joined=joined,
            fields=settings.fields,
            spans_key=settings.spans_key,
            mixed_precision=settings.mixed_precision,
            batch_size=settings.batch_size or (earlier.batch_size if earlier else _batch_size(settings)),
            buffer=settings.buffer or (earlier.buffer if earlier else BUFFER),
            versions=package_versions(),
        )
        task = _task(settings, manifest, sources)
        if earlier:
            _check_same_run(earlier, manifest, folder, warn)
            if summary := folder.summary():
                return _already_complete(summary, folder, output, joined, Parts(sources, manifest.buffer))
        else:
            _check_free(folder, output, joined, settings.force)
        counts = _Counts(folder.receipts() if earlier else (), manifest.inputs["bytes"])
        parts = Parts(sources, manifest.buffer, counts.done)
        resumed = counts.documents
        with _what_was_done_stays(counts), closing(_engine(parts, task, settings, model_bytes)) as outcomes:
            # What was there is not replaced before a first part is done: until then a setting may prove wrong.
            first = next(outcomes, None)
            if not earlier:
                folder.clear()
            folder.begin(earlier or manifest)
            folder.remove_scratch()
            for part in chain(() if first is None else [first], outcomes):
                folder.write(part)
                progress(counts.add(part))
        return _finish(folder, output, manifest, resumed)


def _earlier(folder: RunFolder) -> Manifest | None:
    """The run that is there, if it has done something: one that has not binds nobody to its settings."""
    manifest = folder.manifest()
    return manifest if folder.summary() or next(folder.receipts(), None) else None


def _target(output: Path, target: str | None) -> tuple[str, bool]:
    """The format, and whether the output is one file."""
    if target is not None and target not in FORMATS:
        raise MedflatError(f"unknown output format {target!r}; known are {', '.join(FORMATS)}")
    suffix = next((suffix for suffix in _FILE_FORMATS if output.name.lower().endswith(suffix)), None)
    if suffix is None and output.suffix.lower() in _NOT_WRITTEN:
        raise MedflatError(
            f"{output}: {output.suffix} is not written; name a folder, or a file in {', '.join(_FILE_FORMATS)}"
        )
    if suffix is None or output.is_dir():
        return target or (_FILE_FORMATS[suffix] if suffix else "jsonl"), False
    if target not in (None, _FILE_FORMATS[suffix]):
        raise MedflatError(
            f"{output}: this name is for {_FILE_FORMATS[suffix]}, not {target}; name a folder, or another file"
        )
    return _FILE_FORMATS[suffix], True


def _digest(code: Path | None) -> str:
    return hashlib.sha256(code.read_bytes()).hexdigest() if code else ""


def _check_apart(inputs: Sequence[str], sources: Sequence[Source], output: Path, folder: Path) -> None:
    """RAISES (MedflatError): The output, or the run's folder, would replace what is read, or be read itself."""
    place = output.resolve()
    paths = [source.path.resolve() for source in sources if str(source.path) != STDIN]
    if place in paths:
        raise MedflatError(f"{output} is one of the inputs; give another output")
    for name in inputs:
        if Path(name).is_dir() and place.is_relative_to(Path(name).resolve()):
            raise MedflatError(f"{output} lies in the input folder {name}; give an output outside it")
    for path in paths:
        if any(path.is_relative_to(written) for written in (place, folder.resolve())):
            raise MedflatError(f"the input {path} lies where {output} is written; give another output")


def _batch_size(settings: Settings) -> int:
    return GPU_BATCH if settings.gpu_id >= 0 else CPU_BATCH


def _check_same_run(earlier: Manifest, manifest: Manifest, folder: RunFolder, warn: Callable[[str], None]) -> None:
    if differences := earlier.differences(manifest):
        raise MedflatError(
            f"{folder.path} belongs to another run: {'; '.join(differences)}. Give another output, or start anew with "
            "--force"
        )
    for name, before in earlier.versions.items():
        if manifest.versions.get(name) != before:
            warn(f"{name} was {before} when the run began and is {manifest.versions.get(name)}: scores may differ")


def _already_complete(summary: Summary, folder: RunFolder, output: Path, joined: bool, parts: Parts) -> Outcome:
    lost = 0 if joined else summary.parts - sum(1 for _ in output.glob("part-*"))
    if lost or not output.exists():
        gone = f"lacks {lost:,} of its {summary.parts:,} parts" if output.exists() else "is gone"
        raise MedflatError(f"{output} was complete and {gone}; start anew with --force")
    if parts.piped and digest_of(part.digest for part in parts) != summary.digest:
        raise changed("some part")
    folder.tidy(joined)
    return Outcome(summary, folder.path, summary.documents, True)


def _check_free(folder: RunFolder, output: Path, joined: bool, force: bool) -> None:
    if joined and output.exists() and not force:
        raise MedflatError(f"{output}: this file exists; give another name, or replace it with --force")
    # Of somebody else's folder even --force must not touch anything.
    folder.check_own()


def _task(settings: Settings, manifest: Manifest, sources: Sequence[Source]) -> Task:
    schema = None
    if manifest.target == "parquet":
        from .parquet import common_schema

        if all(source.kind == "parquet" for source in sources):
            schema = common_schema(source.path for source in sources)
            if settings.fields.entities in schema.names:
                raise MedflatError(
                    f"the input has a field {settings.fields.entities!r}; name another with --entities-field"
                )
    return Task(
        model=str(Path(settings.model).resolve()) if Path(settings.model).is_dir() else settings.model,
        target=manifest.target,
        fields=manifest.fields,
        spans_key=manifest.spans_key,
        mixed_precision=manifest.mixed_precision,
        batch_size=manifest.batch_size,
        gpu_id=settings.gpu_id,
        code=settings.code.resolve() if settings.code else None,
        schema=schema,
    )


def _engine(parts: Parts, task: Task, settings: Settings, model_bytes: int) -> Generator[OutputPart]:
    n_process = settings.n_process
    if n_process is None and settings.gpu_id >= 0 and settings.engine == "local":
        n_process = 1
    if n_process is None:
        size = None if parts.piped else sum(source.bytes for source in parts.sources)
        n_process = processes_that_fit(model_bytes, size, usable_cpus(), free_memory())
    if settings.engine == "ray":
        if parts.piped:
            raise MedflatError("a task of Ray cannot read standard input; write it to a file first")
        return run_on_ray(parts, task, n_process, settings.ray_address)
    return run_here(parts, task) if n_process == 1 else run_in_processes(parts, task, n_process)


class _Counts:
    """What is done, in this run and before it was interrupted."""

    def __init__(self, receipts: Iterable[tuple[int, Receipt]], total: int):
        self.done: dict[int, str | None] = {}
        self.documents = self.failed = self.position = 0
        self.total = total
        for number, receipt in receipts:
            self.done[number] = receipt.digest
            self.documents += receipt.documents
            self.failed += len(receipt.failures)

    def add(self, part: OutputPart) -> State:
        self.documents += part.documents
        self.failed += len(part.failures)
        self.position = max(self.position, part.position)
        return State(self.documents, self.failed, self.position, self.total)


@contextmanager
def _what_was_done_stays(counts: _Counts) -> Iterator[None]:
    try:
        yield
    except (MedflatError, OSError) as error:
        reason = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.filename else str(error)
        done = counts.documents + counts.failed
        goes_on = (
            "but what is mended is another input, which needs --force or another output"
            if isinstance(error, SourceError)
            else "and the same command goes on"
        )
        raise MedflatError(f"{reason} (texts done: {done:,}; they stay, {goes_on})" if done else reason) from error


def _finish(folder: RunFolder, output: Path, manifest: Manifest, resumed: int) -> Outcome:
    paths = [folder.part_path(number) for number, _ in folder.receipts()]
    if manifest.joined:
        # In the folder of the run, where nobody minds what a killed one leaves.
        joined = folder.path / "_joined"
        join_parts(paths, manifest.target, joined)
        joined.replace(output)
    else:
        agree(paths, manifest.target)
    summary = folder.complete()
    folder.tidy(manifest.joined)
    return Outcome(summary, folder.path, resumed, False)
