"""Masked-language training of an encoder on plain texts: from a recipe, or on with weights that it has."""
