"""The report as Markdown: figures and commands, no text of the corpus."""

from __future__ import annotations

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
    settings = "".join(f" \\\n  --set {name}=…" for name in results.variables)
    return (
        f"python -m spacy medflat experiments {results.matrix} --output experiments{settings}\n"
        "python -m spacy medflat report experiments --output report.html --markdown results.md"
    )
