"""Which places of a batch are masked, and what stands there instead. Whole arrays at once, no loops over characters."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import EncoderError
from ..pieces import PieceMap
from .packing import BEGIN, IDS, OUTSIDE, WORDS

# Of the masked places: [MASK], and a random character. The others stay as they are.
_MASK_SHARE, _RANDOM_SHARE = 0.8, 0.1
_LONGEST_NGRAM = 3


class MaskedBatch(NamedTuple):
    """Sequences with masked places.

    ids (int64 [batch, length]): the pieces that the encoder sees.
    attention (int64 [batch, length] or None): 1 for a piece and 0 for [PAD]; None if there is no [PAD].
    places (int64 [masked]): the masked places, counted through the batch.
    targets (int64 [masked]): the pieces that stood there.
    """

    ids: NDArray[np.int64]
    attention: NDArray[np.int64] | None
    places: NDArray[np.int64]
    targets: NDArray[np.int64]


@dataclass(frozen=True)
class MaskPieces:
    """What masking needs to know of a vocabulary.

    mask_id, pad_id (int): the pieces [MASK] and [PAD].
    frame (int64 [3]): the pieces that stand for no character: [CLS], [SEP] and [PAD].
    maskable (bool [vocabulary]): whether a piece is ever masked: neither the special pieces nor [UNK].
    characters (int64 [n]): the pieces of single characters, which take the places of others.
    """

    mask_id: int
    pad_id: int
    frame: NDArray[np.int64]
    maskable: NDArray[np.bool_]
    characters: NDArray[np.int64]

    @classmethod
    def of(cls, pieces: PieceMap, tokenizer: object, vocabulary: int) -> "MaskPieces":
        """Find them.

        pieces (PieceMap), tokenizer (PreTrainedTokenizerBase): of an encoder.
        vocabulary (int): rows of its embeddings.
        RAISES (EncoderError): there is no [MASK].
        """
        mask = getattr(tokenizer, "mask_token", None)
        if mask is None:
            raise EncoderError(
                f"the tokenizer of {getattr(tokenizer, 'name_or_path', '')!r} has no mask_token, so nothing can be "
                "masked: use an encoder that was trained with one, such as hfl/chinese-roberta-wwm-ext, or a recipe"
            )
        vocab: dict[str, int] = tokenizer.get_vocab()  # type: ignore[attr-defined]
        maskable = np.ones(vocabulary, dtype=np.bool_)
        maskable[list(getattr(tokenizer, "all_special_ids", []))] = False
        special = set(np.flatnonzero(~maskable).tolist())
        characters = sorted(number for token, number in vocab.items() if len(token) == 1 and number not in special)
        frame = np.array([pieces.cls_id, pieces.sep_id, pieces.pad_id], dtype=np.int64)
        return cls(vocab[mask], pieces.pad_id, frame, maskable, np.array(characters, dtype=np.int64))


def mask_batch(batch: NDArray[np.int32], share: float, pieces: MaskPieces, draw: np.random.Generator) -> MaskedBatch:
    """Mask words, and between words runs of one to three characters, each with the same probability.

    So every character has the probability `share`. Of the masked ones 80 % become [MASK], 10 % a random character, and
    10 % stay (Devlin et al., https://aclanthology.org/N19-1423/); whole words as in Cui et al.
    (https://arxiv.org/abs/1906.08101), n-grams as in MacBERT (https://aclanthology.org/2020.findings-emnlp.58/).

    batch (int32 [batch, 2, length]): the sequences, see `packing.Places`.
    share (float): of the characters that are masked, 0 to 1.
    pieces (MaskPieces): of the vocabulary.
    draw (Generator): the source of chance.
    """
    ids = batch[:, IDS].astype(np.int64)
    flat = ids.reshape(-1)
    maskable = pieces.maskable[flat]
    unit = _units(batch[:, WORDS].reshape(-1), maskable, draw)
    chosen = draw.random(int(unit[-1]) + 1) < share
    places = np.flatnonzero(chosen[unit] & maskable)
    targets = flat[places]
    fate = draw.random(len(places))
    shown = np.where(fate < _MASK_SHARE, pieces.mask_id, targets)
    swapped = (fate >= _MASK_SHARE) & (fate < _MASK_SHARE + _RANDOM_SHARE)
    shown[swapped] = draw.choice(pieces.characters, int(swapped.sum()))
    attention = (ids != pieces.pad_id).astype(np.int64)
    flat[places] = shown
    return MaskedBatch(ids, None if attention.all() else attention, places, targets)


def _units(words: NDArray[np.int32], maskable: NDArray[np.bool_], draw: np.random.Generator) -> NDArray[np.int64]:
    """Which unit each place belongs to: a word, a run of characters between words, or a piece that is never masked.

    words (int32 [n]), maskable (bool [n]): of the places.
    RETURNS (int64 [n]): counts up from 0.
    """
    n = len(words)
    runs = np.cumsum(draw.integers(1, _LONGEST_NGRAM + 1, n))
    begins = np.zeros(n, dtype=np.bool_)
    begins[runs[runs < n]] = True
    before_maskable, before_outside = np.empty_like(maskable), np.empty_like(maskable)
    before_maskable[0] = before_outside[0] = False
    before_maskable[1:] = maskable[:-1]
    before_outside[1:] = words[:-1] == OUTSIDE
    starts = ~maskable | ~before_maskable | (words == BEGIN) | ((words == OUTSIDE) & (begins | ~before_outside))
    starts[0] = True
    return np.cumsum(starts) - 1
