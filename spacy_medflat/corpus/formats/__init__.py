"""Readers and writers of the formats that annotated corpora come in."""
