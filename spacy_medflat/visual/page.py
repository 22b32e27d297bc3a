"""Pages of texts with their entities, for a browser and for notebooks. They need no network and no other file."""

import itertools
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from jinja2 import Environment, PackageLoader
from markupsafe import Markup
from spacy.tokens import Doc
from spacy.util import is_in_jupyter

from ..partial_annotation import USER_DATA_KEY
from .html import doc_marks, render_html
from .labels import colours, full_name
from .lanes import Mark


class PageText(NamedTuple):
    """A text of a page.

    id (str): shown beside it, and in the table.
    text (str): the text.
    marks (sequence of Mark): its entities.
    """

    id: str
    text: str
    marks: Sequence[Mark]


@lru_cache
def templates(package: str) -> Environment:
    """The templates in the folder `templates` of a package. What they are given is escaped."""
    return Environment(loader=PackageLoader(package), autoescape=True, trim_blocks=True, lstrip_blocks=True)


def render(
    docs: Doc | Iterable[Doc],
    spans_key: str = "sc",
    *,
    title: str = "Entities",
    whole: bool | None = None,
    jupyter: bool | None = None,
) -> str | None:
    """Show nested entities of Docs with their labels and scores, as `displacy.render` does for flat ones.

    docs (Doc or iterable of Doc): what is shown.
    spans_key (str): the span group.
    title (str): of the page.
    whole (bool or None): a whole page, not a piece of one; by default outside of notebooks.
    jupyter (bool or None): show it in the notebook and return nothing; by default if this is one.
    RETURNS (str or None): the HTML, unless it is shown.
    """
    docs = [docs] if isinstance(docs, Doc) else list(docs)
    shown = is_in_jupyter() if jupyter is None else jupyter
    if docs and not any(spans_key in doc.spans for doc in docs):
        others = ", ".join(sorted({repr(key) for doc in docs for key in doc.spans})) or "none"
        warnings.warn(f"no Doc has a span group {spans_key!r}; groups that are there: {others}", stacklevel=2)
    page = render_page(title, page_texts(docs, spans_key), whole=not shown if whole is None else whole)
    if not shown:
        return page
    from IPython.display import HTML, display

    display(HTML(page))
    return None


def page_texts(docs: Iterable[Doc], spans_key: str = "sc") -> list[PageText]:
    """Docs with the identifiers that they were read with, or else their numbers, from 1."""
    return [
        PageText(doc.user_data.get(USER_DATA_KEY, {}).get("id") or str(number), doc.text, doc_marks(doc, spans_key))
        for number, doc in enumerate(docs, 1)
    ]


def render_page(title: str, texts: Sequence[PageText], *, whole: bool = True) -> str:
    """Texts with their entities, a legend that filters, and a table that can be saved.

    title (str): of the page.
    texts (sequence of PageText): in their order.
    whole (bool): a whole page, not a piece of one.
    RETURNS (str): HTML. A label has one colour throughout.
    RAISES (ValueError): a mark lies outside of its text, or is empty.
    """
    counts = Counter(mark.label for text in texts for mark in text.marks)
    palette = colours(counts)
    firsts = itertools.accumulate((len(text.marks) for text in texts), initial=0)
    articles = []
    for number, (text, first) in enumerate(zip(texts, firsts, strict=False), 1):
        html, hidden = render_html(text.text, text.marks, palette, first)
        articles.append({"id": text.id, "anchor": f"text-{number}", "html": Markup(html), "hidden": hidden})
    rows = [
        {
            "id": text.id,
            "start": mark.start,
            "end": mark.end,
            "label": mark.label,
            "score": "" if mark.score is None else f"{mark.score:.4g}",
            "text": text.text[mark.start : mark.end],
            "said": mark.said,
            "cues": mark.cues,
            "value": mark.value,
            "code": mark.code,
        }
        for text in texts
        for mark in text.marks
    ]
    return (
        templates("spacy_medflat.visual")
        .get_template("page.html.j2")
        .render(
            title=title,
            whole=whole,
            texts=articles,
            rows=rows,
            open=len(rows) <= 100,
            has_scores=any(row["score"] for row in rows),
            is_judged=any(row["said"] or row["cues"] for row in rows),
            facts=[name for name in ("value", "code") if any(row[name] for row in rows)],
            keys=[
                {"label": label, "name": full_name(label), "colour": colour, "count": counts[label]}
                for label, colour in palette.items()
            ],
        )
    )
