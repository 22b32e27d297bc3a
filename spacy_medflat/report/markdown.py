"""The report as Markdown: figures and commands, no text of the corpus."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence

from . import words
from .environment import environments
from .results import Results
from .summary import SPLITS, Detail, Line
from .tables import kinds_table, not_run_table, results_table, split_table


def render_markdown(results: Results, found: list[Line], details: Sequence[Detail]) -> str:
    """The table, the splits, and how to get them again. The same results give the same bytes.

    details: The rows whose splits are shown, the best one last.
    """
    best = details[-1].row.name
    parts = ["# Results", words.scored_on(results), results_table(results, found, best).markdown(), words.TABLE]
    not_run = not_run_table(results, messages=False)
    if not_run.rows:
        parts += ["## Not run, or not wholly", not_run.markdown()]
    shown = " and ".join(f"`{detail.row.name}`" for detail in details)
    parts.append(f"Below: {shown}. `{best}` has the highest mean F1.")
    for split in SPLITS:
        parts += [f"## By {split}", words.SPLIT_WORDS[split], split_table(details, split).markdown()]
    parts += ["## Kinds of error", words.KINDS, kinds_table(details).markdown()]
    parts += ["## Trained with", "\n".join(f"- {line}" for line in environments(results))]
    parts += ["## To get this again", f"```bash\n{_commands(results)}\n```"]
    return "\n\n".join(parts) + "\n"


def _commands(results: Results) -> str:
    """For all rows with runs, and all their seeds."""
    settings = [f"{name}=…" for name in results.variables]
    settings += [shlex.quote(f"{name}={json.dumps(value)}") for name, value in results.settings.items()]
    options = [f"--only {','.join(row.name for row in results.done)}"]
    options += [f"--seeds {','.join(map(str, sorted({run.seed for row in results.done for run in row.runs})))}"]
    lines = "".join(f" \\\n  {option}" for option in [*options, *(f"--set {setting}" for setting in settings)])
    return (
        f"python -m spacy medflat experiments {results.matrix} --output experiments{lines}\n"
        "python -m spacy medflat report experiments --output report.html --markdown results.md"
    )
