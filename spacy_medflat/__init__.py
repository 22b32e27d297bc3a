"""Nested named-entity recognition for Chinese clinical text, as a spaCy plugin."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .visual.page import render as render

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Import `render` when it is first used, so that importing the package stays cheap."""
    if name == "render":
        from .visual.page import render

        return render
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
