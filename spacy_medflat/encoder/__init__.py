"""Chinese character transformers: one wordpiece per spaCy token, windows for long texts."""
