"""The sources of the project's own corpus: sentences annotated in brackets, their check, the files made of them."""
