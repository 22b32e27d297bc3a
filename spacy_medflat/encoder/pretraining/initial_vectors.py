"""Word vectors as the first embeddings of a new encoder."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...errors import MedflatError
from ...vectors.convert import WordFilter, load_vectors
from ...vectors.store import VectorTable, read_vocab

Floats = NDArray[np.float32]


def read_character_vectors(path: Path) -> VectorTable:
    """The vectors of single Chinese characters.

    path (Path): a pipeline or a folder of vectors, or a word2vec file.
    RAISES (MedflatError): there is none, or it cannot be read.
    """
    if not path.exists():
        raise MedflatError(f"{path}: no such file or folder")
    if path.is_dir():
        vocab = read_vocab(path)
        words = [word for key in vocab.vectors.key2row if len(word := vocab.strings[key]) == 1]
        matrix = np.zeros((len(words), vocab.vectors_length), dtype=np.float32)
        for row, word in zip(matrix, words, strict=True):
            row[:] = vocab.get_vector(word)
        table = VectorTable(words, matrix)
    else:
        table, _ = load_vectors(path, keep=WordFilter(words=frozenset()))
    if len(table.words) < 2:
        raise MedflatError(f"{path}: it has vectors of {len(table.words)} single characters; train some with `vectors`")
    return table


def project(vectors: Floats, width: int, spread: float, seed: int) -> Floats:
    """Bring vectors to another width, so that their angles stay as they can.

    A random orthogonal projection keeps the angles where there is room; where there is less, those of the directions
    with the largest variance are kept. They are centred, as embeddings are.

    vectors (float32 [words, dimension]): at least two.
    width (int): numbers that they shall have.
    spread (float): standard deviation of all these numbers.
    seed (int): of the projection.
    RETURNS (float32 [words, width])
    """
    centred = vectors - vectors.mean(0)
    if centred.shape[1] > width:
        _, _, directions = np.linalg.svd(centred, full_matrices=False)
        centred = centred @ directions[:width].T
    draw = np.random.default_rng(seed).standard_normal((width, width))
    rotation, _ = np.linalg.qr(draw)
    projected = centred @ rotation[: centred.shape[1]]
    return (projected * (spread / max(float(projected.std()), 1e-12))).astype(np.float32)


def set_embeddings(embeddings: Any, vocab: dict[str, int], table: VectorTable, seed: int) -> int:
    """Put projected vectors in the place of random embeddings; pieces without a vector keep theirs.

    embeddings (Embedding): its present standard deviation is kept.
    vocab (dict of int): row of each piece.
    table (VectorTable): see `read_character_vectors`.
    seed (int): of the projection.
    RETURNS (int): how many embeddings were set.
    RAISES (MedflatError): no piece has a vector.
    """
    known = [i for i, word in enumerate(table.words) if word in vocab]
    if len(known) < 2:
        raise MedflatError("hardly a character of the vocabulary has a vector: give vectors of Chinese characters")
    weight = embeddings.weight.detach()
    vectors = project(table.matrix[known], weight.shape[1], float(weight.std()), seed)
    weight[[vocab[table.words[i]] for i in known]] = torch.from_numpy(vectors)
    return len(known)
