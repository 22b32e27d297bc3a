"""What a text says about its entities: whether they are there, whose they are, and when; and the sections of notes."""
