"""The nested entity recognizer: pointer heads that score every span, and the component around them."""
