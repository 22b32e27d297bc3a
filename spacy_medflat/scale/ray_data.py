"""The stream of parts through Ray Data: one task reads, actors annotate. Imported only once Ray is set up."""

import logging
import pickle
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa
import ray
from ray.data import ActorPoolStrategy, Datasource, ReadTask
from ray.data.block import BlockMetadata
from ray.data.context import DataContext

from ..errors import MedflatError
from .annotator import Annotator
from .items import OutputPart
from .parts import Parts

_SCHEMA = pa.schema([("part", pa.large_binary())])


def stream(parts: Parts, annotator: Annotator, n_process: int) -> Iterator[OutputPart]:
    """Annotate the parts with actors of the cluster that is connected.

    parts (Parts): read where the run was started.
    annotator (Annotator): copied to each actor, where it loads the pipeline.
    n_process (int): how many actors.
    YIELDS (OutputPart): as they are done, not in order.
    RAISES (MedflatError): the rest of an input cannot be read, or the pipeline cannot be loaded.
    RAISES (RayError): the cluster cannot do it.
    """
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    context = DataContext.get_current()
    context.enable_progress_bars = False
    # Ray would gather parts in blocks of 128 MB before an actor sees the first.
    context.target_max_block_size = 1
    # The reader runs where the run was started, and takes no CPU from the actors.
    here = {f"node:{ray.util.get_node_ip_address()}": 0.001}
    gpus = {}
    if annotator.settings.gpu_id >= 0:
        gpus = {"num_gpus": 1}
        # To an actor, the GPU that Ray gave it is number 0.
        annotator = Annotator(annotator.settings.model_copy(update={"gpu_id": 0}), annotator.schema)
    read = ray.data.read_datasource(_PartsSource(parts), override_num_blocks=1, num_cpus=0, resources=here)
    done = read.map_batches(
        _Actor,
        fn_constructor_args=(annotator,),
        batch_size=1,
        batch_format="pyarrow",
        compute=ActorPoolStrategy(size=n_process),
        num_cpus=1,
        **gpus,
    )
    for row in done.iter_rows():
        outcome = pickle.loads(row["part"])
        if isinstance(outcome, Exception):
            raise outcome
        yield outcome


class _PartsSource(Datasource):
    """The parts as rows of one column, read by a single task, each a block of its own."""

    def __init__(self, parts: Parts):
        super().__init__()
        self.parts = parts

    def estimate_inmemory_data_size(self) -> int | None:
        return None

    def get_read_tasks(self, parallelism: int, *_: Any, **__: Any) -> list[ReadTask]:
        parts = self.parts
        metadata = BlockMetadata(num_rows=None, size_bytes=None, input_files=None, exec_stats=None)
        return [ReadTask(lambda: _rows(parts), metadata, schema=_SCHEMA)]


def _rows(parts: Iterable[Any]) -> Iterator[pa.Table]:
    try:
        for part in parts:
            yield _row(part)
    except MedflatError as error:
        # As a value: Ray would try an exception again, and show it with its own traceback.
        yield _row(error)


def _row(value: Any) -> pa.Table:
    return pa.table([[pickle.dumps(value)]], schema=_SCHEMA)


class _Actor:
    def __init__(self, annotator: Annotator):
        self.annotator = annotator

    def __call__(self, batch: pa.Table) -> pa.Table:
        part = pickle.loads(batch["part"][0].as_py())
        if isinstance(part, Exception):
            return batch
        try:
            return _row(self.annotator(part))
        except (MedflatError, OSError) as error:
            return _row(error)
