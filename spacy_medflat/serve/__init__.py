"""A pipeline as a service, and its page."""
