"""The index of a folder of experiments: what its matrix has, for the report."""

from pathlib import Path

from pydantic import BaseModel

from ..errors import ExperimentError
from ..files import read_model, write_json
from .matrix import Matrix

INDEX = "experiments.json"


class IndexRow(BaseModel, from_attributes=True):
    """A row of the matrix.

    name, title, seeds, against, max_length, missing: see `matrix.Row`.
    """

    name: str
    title: str
    seeds: list[int]
    against: str
    max_length: int = 0
    missing: str


class Index(BaseModel):
    """A matrix.

    matrix (str): its file.
    baseline, variables, rows: see `matrix.Matrix`.
    """

    matrix: str
    baseline: str
    variables: list[str]
    rows: list[IndexRow]


def write_index(matrix: Matrix, output: Path) -> None:
    """Write the index of a folder of experiments."""
    # An absolute path would only tell readers of the report how the machine is laid out.
    path = matrix.path.name if matrix.path.is_absolute() else matrix.path.as_posix()
    rows = [IndexRow.model_validate(row) for row in matrix.rows]
    index = Index(matrix=path, baseline=matrix.baseline, variables=matrix.variables, rows=rows)
    write_json(output / INDEX, index.model_dump())


def read_index(output: Path) -> Index:
    """Read the index of a folder of experiments.

    RAISES (MedflatError): there is none, or it is damaged.
    """
    path = output / INDEX
    if not path.exists():
        raise ExperimentError(f"{path}: no such file; give the folder that `spacy medflat experiments` wrote")
    return read_model(path, Index, "run `spacy medflat experiments` again")
