"""mkdocs hook: the order of the pages, a reference page for each room of the package, one for the command line."""

import ast
from pathlib import Path
from typing import Any

import typer.main
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from typer.cli import get_docs_for_click

from spacy_medflat.cli import medflat_cli

PACKAGE = Path(__file__).parents[2] / "spacy_medflat"
GROUND_FLOOR = "ground_floor"
# The pages in the order of a reader's way; the reference follows.
PAGES = (
    "index tutorial notes data selection words pretraining training thresholds calibration context values linking adapt evaluate "
    "annotate compress serve page ensembles experiments cmeee corpus gpu flat results speed architecture"
).split()


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    reference = ["reference/cli.md", *(f"reference/{room}.md" for room in rooms())]
    config.nav = [*(f"{page}.md" for page in PAGES), {"Reference": reference}]
    return config


def on_files(files: Files, *, config: MkDocsConfig, **_: Any) -> Files:
    pages = {f"reference/{room}.md": room_page(room, modules) for room, modules in rooms().items()}
    pages["reference/cli.md"] = command_line()
    for uri, content in pages.items():
        files.append(File.generated(config, uri, content=content))
    return files


def rooms() -> dict[str, list[str]]:
    """The modules of each room, in the order of their paths; those outside of a room are the ground floor."""
    found: dict[str, list[str]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if parts[-1].startswith("_") or parts[0] == "cli":
            continue
        room = parts[0] if len(parts) > 1 else GROUND_FLOOR
        found.setdefault(room, []).append(".".join(parts))
    return found


def room_page(room: str, modules: list[str]) -> str:
    """A page with what a room says of itself and all its public names."""
    init = PACKAGE / room / "__init__.py"
    about = ast.get_docstring(ast.parse(init.read_text(encoding="utf8"))) if init.exists() else "What all rooms use."
    parts = [f"# {room.replace('_', ' ')}", about or ""]
    for module in modules:
        parts += [
            f"## spacy_medflat.{module}",
            f"::: spacy_medflat.{module}\n    options:\n      show_root_heading: false",
        ]
    return "\n\n".join(parts) + "\n"


def command_line() -> str:
    """The help of all commands as Markdown."""
    command: Any = typer.main.get_command(medflat_cli)
    command.load()
    context = typer.Context(command, info_name="python -m spacy medflat")
    return get_docs_for_click(obj=command, ctx=context, name="python -m spacy medflat", title="Command line")
