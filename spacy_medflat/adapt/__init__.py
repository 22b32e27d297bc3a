"""Adapting to a house's own notes: what trained pipelines find in them becomes a corpus to train on."""
