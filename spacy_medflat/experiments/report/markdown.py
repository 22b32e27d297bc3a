"""The report as Markdown: figures and commands, no text of the corpus."""

import json
import shlex
from collections import defaultdict
from collections.abc import Sequence

from .headline import headline
from .results import Results
from .summary import SPLITS, Detail, Line, environments
from .tables import (
    ERRORS_NOTE,
    RESULTS_NOTE,
    SPLIT_NOTES,
    kinds_table,
    not_run_table,
    results_table,
    scored_on,
    split_table,
)


def render_markdown(results: Results, found: list[Line], details: Sequence[Detail]) -> str:
    """The table, the splits, and the commands that give them again. The same results give the same bytes.

    results (Results): all rows.
    found (list of Line): see `summary.lines`.
    details (sequence of Detail): the rows whose splits are shown, the best one last.
    """
    best = details[-1].row.name
    parts = ["# Results", scored_on(results), "\n".join(f"- {line}" for line in headline(results, found, details))]
    parts += [results_table(found, best).markdown(), RESULTS_NOTE]
    not_run = not_run_table(results, messages=False)
    if not_run.rows:
        parts += ["## Not run or not finished", not_run.markdown()]
    shown = " and ".join(f"`{detail.row.name}`" for detail in details)
    parts.append(f"Below: {shown}. `{best}` has the highest mean F1.")
    for split in SPLITS:
        parts += [f"## By {split}", SPLIT_NOTES[split], split_table(details, split).markdown()]
    parts += ["## Kinds of error", ERRORS_NOTE, kinds_table(details).markdown()]
    parts += ["## Trained with", "\n".join(f"- {line}" for line in environments(results))]
    parts += ["## To get this again", f"```bash\n{_commands(results)}\n```"]
    return "\n\n".join(parts) + "\n"


def _commands(results: Results) -> str:
    """The commands of all runs that are done, one for rows with the same seeds and settings."""
    rows: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for row in results.done:
        seeds: defaultdict[str, list[int]] = defaultdict(list)
        for run in row.runs:
            seeds[json.dumps(run.settings)].append(run.seed)
        for settings, numbers in seeds.items():
            rows[settings, ",".join(map(str, numbers))].append(row.name)
    commands = []
    for (settings, listed), names in rows.items():
        values = [f"{name}=…" for name in results.variables]
        values += [shlex.quote(f"{name}={json.dumps(value)}") for name, value in json.loads(settings).items()]
        options = [f"--only {','.join(names)}", f"--seeds {listed}", *(f"--set {value}" for value in values)]
        lines = "".join(f" \\\n  {option}" for option in options)
        commands.append(f"python -m spacy medflat experiments {results.matrix} --output experiments{lines}")
    return "\n".join(
        [*commands, "python -m spacy medflat report experiments --output report.html --markdown results.md"]
    )
