"""Docstrings in spaCy's dialect as Markdown: `name (type): text`, then RETURNS, YIELDS and RAISES."""

import re
from typing import Any

from griffe import Extension, Object

ARGUMENT = re.compile(r"^(?P<names>\*{0,2}\w+(?:, \*{0,2}\w+)*) \((?P<type>[^)]*(?:\([^)]*\)[^)]*)*)\)(?P<text>:.*)?$")
RESULT = re.compile(r"^(?P<names>RETURNS|YIELDS|RAISES) \((?P<type>[^)]*(?:\([^)]*\)[^)]*)*)\)(?P<text>:.*)?$")


class SpacyDocstrings(Extension):
    """Turns the lines about arguments and results into lists."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        if obj.docstring and not obj.is_alias:
            obj.docstring.value = to_markdown(obj.docstring.value)


def to_markdown(text: str) -> str:
    """The docstring with each argument and each result as an item of a list.

    text (str): without the indentation of the code.
    """
    lines: list[str] = []
    in_item = False
    for line in text.split("\n"):
        argument, result = ARGUMENT.match(line), RESULT.match(line)
        if found := result or argument:
            if not in_item:
                lines.append("")
            names = found["names"].title() if result else f"`{found['names']}`"
            lines.append(f"- {names} (`{found['type'].replace('`', '')}`){found['text'] or ''}")
            in_item = True
        elif in_item and line.startswith("    "):
            lines.append(line)
        else:
            if in_item and line:
                lines.append("")
            in_item = False
            lines.append(line)
    return "\n".join(lines)
