"""`medflat render`: the nested entities of texts, in the terminal or as HTML."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ..files import BOM, decode, read_text, write_text
from ..visual.page import page_texts, render_page
from ..visual.tree import render_tree
from .common import Code, GpuId, check_apart, friendly_errors, load_pipeline


def render(
    model: Annotated[str, typer.Argument(help="Package name or folder of a trained pipeline.")],
    texts: Annotated[list[str] | None, typer.Argument(metavar="[TEXT]...", help="Texts to read.")] = None,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="UTF-8 file with one text a line, - for standard input.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(dir_okay=False, help="HTML file to write instead, which needs no other file.")
    ] = None,
    code: Code = None,
    gpu_id: GpuId = -1,
) -> None:
    """Print each text with its entities as a tree: label, text and score, inner entities under outer ones.

    With --html, a page with the entities underlined, filters by label and score, and a table that can be saved.
    """
    with friendly_errors():
        check_apart([html], [file] if file else [])
        lines = list(texts or []) + (_read_lines(file) if file else [])
        if not lines:
            raise typer.BadParameter("give at least one TEXT, or --file")
        nlp, recognizer = load_pipeline(model, gpu_id, code=code)
        if html:
            page = render_page(f"Entities: {Path(model).name}", page_texts(nlp.pipe(lines), recognizer.key))
            write_text(html, page)
            return
        console = Console()
        for doc in nlp.pipe(lines):
            console.print(render_tree(doc, recognizer.key))


def _read_lines(file: Path) -> list[str]:
    content = decode(sys.stdin.buffer.read(), "standard input") if str(file) == "-" else read_text(file)
    lines = (line.removesuffix("\r") for line in content.removeprefix(BOM).split("\n"))
    return [line for line in lines if line.strip()]
