"""Entities to the codes of a table that the user owns."""
