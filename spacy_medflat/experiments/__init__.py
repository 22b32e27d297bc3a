"""A matrix of trainings: declared in a file, run row by row, compared with statistics."""
