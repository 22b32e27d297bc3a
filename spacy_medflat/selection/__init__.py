"""The notes that teach most: chosen by what a pipeline is unsure of, spread over what there is, without duplicates."""
