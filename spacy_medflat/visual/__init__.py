"""Showing nested entities."""
