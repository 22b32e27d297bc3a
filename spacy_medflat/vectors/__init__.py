"""Pretrained word vectors: word2vec files to spaCy vectors, and training them on a user's own notes."""
