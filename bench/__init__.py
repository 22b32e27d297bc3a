"""Benchmarks: run them by hand, never as tests. Each prints a table and writes JSON."""
