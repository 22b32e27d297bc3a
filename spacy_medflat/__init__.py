"""Nested named-entity recognition for Chinese clinical text, as a spaCy plugin."""

__version__ = "0.1.0"
