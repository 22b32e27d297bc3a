"""Several trained pipelines that find entities together."""
