"""The experiments as a page to look at, and as Markdown."""
