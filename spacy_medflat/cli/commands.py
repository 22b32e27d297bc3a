"""The commands, each imported when it is called: to list them, or to run one, needs none of the others."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

# In the order of the help, each with the first sentence of its own help. The command `check-data` is the function
# `check_data` of the module `check_data`, the group `lexicon` is the typer `lexicon_cli` of the module `lexicon`.
COMMANDS = {
    "convert": "Convert an annotated corpus, and report what it holds and what was wrong with it.",
    "check-data": "Report on each file, then on the texts they share and the labels that one has and another lacks.",
    "find-thresholds": "Find the thresholds with the best F1, before nesting is resolved.",
    "calibrate": (
        "Fit on held-out texts what the head, the words and the training texts say together; choose thresholds."
    ),
    "self-train": "Let trained pipelines label notes, as a corpus for the next training.",
    "card": (
        "Prepare a pipeline for `spacy package`: licence, author, sources, scores, thresholds and data in its README."
    ),
    "ensemble": "Put several trained pipelines into one, which is saved and loaded as any other.",
    "compress": "Round the weights of a pipeline to 8 bits: a third of the size, and faster on an x86 CPU.",
    "annotate": "Find the entities of all texts; keep their order and all other fields.",
    "serve": "Serve a pipeline over HTTP, with a page to try and correct it at /.",
    "select": "Choose the notes that teach a pipeline most, and write them with its suggestions, to be corrected.",
    "pretrain": "Train an encoder on texts of your own: it learns to restore masked characters.",
    "evaluate": "Score a pipeline: overall, per type, and apart for spans that take part in nesting.",
    "render": "Print each text with its entities as a tree: label, text and score, inner entities under outer ones.",
    "experiments": "Train and score every row with every seed.",
    "report": (
        "Compare the rows that are done: a summary, scores, seeds, bootstrap, curves, splits, kinds of error, worst "
        "texts."
    ),
    "train": "Train a pipeline as `spacy train` does; after a crash or a kill, --resume continues it.",
    "lexicon": "Lexicons: merge and filter, inspect.",
    "vectors": "Word vectors: convert, train, inspect.",
}
# `train` takes `--section.setting value` for any setting of its config.
_CONTEXT: dict[str, dict[str, Any]] = {"train": {"allow_extra_args": True, "ignore_unknown_options": True}}


class Commands(TyperGroup):
    """The group `medflat`. It lists stand-ins of its commands, and runs the commands themselves."""

    def __init__(self, **settings: Any):
        """Make the group as typer does, with a stand-in for each command."""
        super().__init__(**settings)
        self.commands = {name: TyperCommand(name, help=text) for name, text in COMMANDS.items()}

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The command that the words of a command line name, imported, and the words after its name."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, self._import(name) if name and command else None, rest

    def load(self) -> "Commands":
        """Put the commands themselves in the place of the stand-ins, for those that look at their options."""
        self.commands = {name: self._import(name) for name in COMMANDS}
        return self

    def _import(self, name: str) -> Any:
        """A command or group, of typer's own click or of the installed one: that depends on the version of typer."""
        attribute = name.replace("-", "_")
        module = import_module(f".{attribute}", __package__)
        # Its help is to look like that of the group.
        app = typer.Typer(rich_markup_mode=self.rich_markup_mode)
        if hasattr(module, f"{attribute}_cli"):
            app.add_typer(getattr(module, f"{attribute}_cli"))
        else:
            app.command(name, context_settings=_CONTEXT.get(name))(getattr(module, attribute))
        return typer.main.get_group(app).commands[name]
