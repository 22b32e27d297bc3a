"""The nested entity recognizer: heads that score spans, and the component around them."""
