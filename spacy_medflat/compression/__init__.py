"""Compressed pipelines: 8-bit weights for those layers whose rounding does not change what is found."""
