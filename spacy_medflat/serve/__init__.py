"""`spacy medflat serve`: a pipeline as a service behind a hospital's own door, with a page to try and correct it.

One process answers requests and has no model; others have the pipeline and nothing else. `run` puts them together,
`app` has the routes, `guards` what is checked before them, `batching` how texts of many requests become batches, `pool`
the processes.
"""
