"""`medflat experiments`: trains and scores a matrix of configs and seeds."""

import json
from pathlib import Path
from typing import Annotated, Any

import torch
import typer

from ..errors import MedflatError
from ..experiments.folder import RunFolder
from ..experiments.index import write_index
from ..experiments.matrix import Row, read_matrix
from ..experiments.runner import run_all, runs_of
from .common import GOES_ON, GpuId, friendly_errors, say, split_names, table


def experiments(
    matrix: Annotated[Path, typer.Argument(help="The matrix, such as configs/experiments.yml.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the runs, one in each OUT/ROW/seed-N.")],
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A variable of the matrix; repeatable.")
    ] = None,
    only: Annotated[str | None, typer.Option(help="Rows to run, with commas between them. All by default.")] = None,
    seeds: Annotated[str | None, typer.Option(help="Seeds of every row, such as 0,1,2, in place of its own.")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Runs at once, each with its share of the cores.")] = 1,
    list_only: Annotated[bool, typer.Option("--list", help="Show the rows and how far they are, and stop.")] = False,
    gpu_id: GpuId = -1,
) -> None:
    """Train and score every row with every seed. What is done is not done again; what was interrupted goes on.

    A row whose variables were not given, or that needs a GPU where there is none, is listed with the reason and not
    run. A run that fails does not stop the others; the exit code is then 1.
    """
    with friendly_errors(GOES_ON):
        found = read_matrix(matrix, _variables(settings or []), has_gpu=gpu_id >= 0 and torch.cuda.is_available())
        rows = found.select(split_names(only), _seeds(seeds))
        if list_only:
            head = ["row", "title", "seeds done", ""]
            say(table(head, (_row(row, output) for row in rows), title=str(matrix), text_columns=4))
            if any(row.missing for row in rows):
                say("Give what a row needs with --set NAME=VALUE, and a GPU with --gpu-id.")
            return
        write_index(found, output)
        for row in rows:
            if row.missing:
                say(f"{row.name}: not run: {row.missing}", "yellow")
        runs = runs_of(rows, output)
        failed = run_all(runs, jobs=jobs, gpu_id=gpu_id, report=lambda run, what: say(f"{run.name}: {what}"))
        if failed:
            raise MedflatError(f"{len(failed)} of {len(runs)} runs failed: {', '.join(run.name for run, _ in failed)}")


def _variables(settings: list[str]) -> dict[str, Any]:
    variables = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals or not name:
            raise MedflatError(f"--set {setting}: give a name and a value, as in --set train=train.json")
        try:
            variables[name] = json.loads(value)
        except ValueError:
            variables[name] = value
    return variables


def _seeds(seeds: str | None) -> list[int] | None:
    names = split_names(seeds)
    if names is None:
        return None
    if wrong := [name for name in names if not name.isdecimal()]:
        raise MedflatError(f"--seeds {seeds}: {wrong[0]!r} is no whole number from 0")
    return list(dict.fromkeys(map(int, names)))


def _row(row: Row, output: Path) -> list[str]:
    done = sum(RunFolder.of(output, row.name, seed).done for seed in row.seeds)
    return [row.name, row.title, f"{done} of {len(row.seeds)}", row.missing]
