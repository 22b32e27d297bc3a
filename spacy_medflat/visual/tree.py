"""Nested entities as a tree."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from rich.text import Text
from rich.tree import Tree
from spacy.tokens import Doc, Span

from ..corpus.docs import spans_with_scores
from ..corpus.said import said_shown

COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "red", "bright_cyan", "bright_magenta", "bright_green")


@dataclass
class Node:
    """A span in a tree.

    span (Span): the span.
    score (float or None): its score, if it has one.
    children (list of Node): the spans inside it.
    """

    span: Span
    score: float | None = None
    children: list["Node"] = field(default_factory=list)


def nest(scored: Iterable[tuple[Span, float | None]]) -> list[Node]:
    """Put every span under the smallest span that contains it; of two labels on one span the first holds the other.

    A span that crosses another one stands beside it. Of equally small spans around it, the later holds it.

    scored (iterable of (Span, float or None)): the spans of one Doc with their scores.
    RETURNS (list of Node): the outermost spans.
    """
    nodes = [Node(span, score) for span, score in scored]
    nodes.sort(key=lambda node: (node.span.start, -node.span.end))
    roots: list[Node] = []
    reaching: list[Node] = []
    for node in nodes:
        reaching = [other for other in reaching if other.span.end > node.span.start]
        around = [other for other in reversed(reaching) if other.span.end >= node.span.end]
        parent = min(around, key=lambda other: len(other.span), default=None)
        (parent.children if parent else roots).append(node)
        reaching.append(node)
    return roots


def render_tree(doc: Doc, spans_key: str = "sc") -> Tree:
    """The entities of a Doc as a tree for the terminal, with labels, scores, and what is said about them."""
    scored = spans_with_scores(doc, spans_key)
    tree = Tree(Text(doc.text))
    labels = sorted({span.label_ for span, _ in scored})
    colours = {label: COLOURS[i % len(COLOURS)] for i, label in enumerate(labels)}
    _grow(tree, nest(scored), colours)
    return tree


def _grow(tree: Tree, nodes: list[Node], colours: dict[str, str]) -> None:
    for node in nodes:
        label = node.span.label_
        line = Text.assemble((label, f"bold {colours[label]}"), " ", node.span.text)
        if node.score is not None:
            line.append(f"  {node.score:.2f}", style="dim")
        said, cues, *others = said_shown(node.span)
        if said:
            line.append(f"  {said}", style="italic")
            line.append(f"  ({cues})", style="dim")
        for shown in filter(None, others):
            line.append(f"  {shown}", style="italic")
        _grow(tree.add(line), node.children, colours)
