"""The sources of the project's own corpus: annotated sentences in brackets, their check, and the files made from them."""
