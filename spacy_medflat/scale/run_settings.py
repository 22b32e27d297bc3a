"""The settings of a run over an archive, each in one place: given by a user, kept in the manifest, sent to workers."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict


class FieldNames(BaseModel):
    """The names of fields.

    text, id (str): in the input.
    entities (str): in the output.
    """

    text: str = "text"
    id: str = "id"
    entities: str = "entities"


class OutputSettings(BaseModel):
    """The settings that decide what the output is: a run with others is another run.

    What is empty or 0 is found: from a run that is resumed, else from the output and the device.

    kind (str or None): a key of `sources.SOURCE_KINDS` for all inputs, in place of what their suffixes say.
    encoding (str or None): of all texts; None to detect it for each file.
    target (str): a key of `writers.PART_FORMATS`; by default what the suffix of the output says, or JSON lines.
    fields (FieldNames): see there.
    spans_key (str or None): the span group to write; None for that of the pipeline's recognizer.
    mixed_precision (bool): compute in half precision, whatever the config of the pipeline says.
    batch_size (int): texts in a batch of the pipeline.
    buffer (int): texts in a part.
    lowest (float or None): write every span with a score above this, in place of what thresholds and nesting choose.
    """

    model_config = ConfigDict(frozen=True)

    kind: str | None = None
    encoding: str | None = None
    target: str = ""
    fields: FieldNames = FieldNames()
    spans_key: str | None = None
    mixed_precision: bool = False
    batch_size: int = 0
    buffer: int = 0
    lowest: float | None = None


class RunSettings(OutputSettings):
    """What a run is to do.

    model (str): package name or folder of the pipeline.
    n_process (int): processes, or actors of Ray; by default as many as the machine allows.
    gpu_id (int): the GPU to use, -1 for the CPU.
    code (Path or None): Python file with functions that the pipeline needs.
    engine (str): one of `run.ENGINES`.
    ray_address (str or None): of a Ray cluster that is running; None starts one.
    force (bool): start anew, and replace what an earlier run wrote.
    """

    model: str
    n_process: int = 0
    gpu_id: int = -1
    code: Path | None = None
    engine: str = "local"
    ray_address: str | None = None
    force: bool = False
