"""Adapting to your own notes: what trained pipelines find in them becomes a corpus to train on."""
