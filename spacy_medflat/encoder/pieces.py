"""Which wordpiece stands for a spaCy token, and the wordpieces of several texts, laid out in windows."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import ORTH
from spacy.tokens import Doc

from ..windows import Windows, cheapest_batches, split_windows

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# Frequent characters of clinical Chinese: a vocabulary that has none of them cannot read this language.
PROBE = "的一不在有是大中年病人心肺血痛高下上左右肝性术治"


class PieceMap:
    """Map every token to exactly one wordpiece id, so that a text of n tokens is n pieces.

    A token is looked up on its own, never together with its neighbours, so `mmol` is four pieces. The first of these
    that the vocabulary knows stands for it: the token itself, what the tokenizer makes of it if that is one piece,
    its lower case, its compatibility form (`１` is `1`), in lower case too. What remains, such as a newline or a word
    of several characters, is the unknown piece. Ids are remembered, so a text costs one dictionary look-up per
    distinct token.
    """

    def __init__(self, tokenizer: "PreTrainedTokenizerBase"):
        self._vocab: dict[str, int] = tokenizer.get_vocab()
        self._tokenizer = tokenizer
        self._special = set(tokenizer.all_special_tokens)
        self._ids: dict[int, int] = {}
        self.cls_id = _special_id(tokenizer, "cls_token")
        self.sep_id = _special_id(tokenizer, "sep_token")
        self.pad_id = _special_id(tokenizer, "pad_token")
        self.unk_id = _special_id(tokenizer, "unk_token")

    def piece_id(self, text: str) -> int:
        """The wordpiece id of one token."""
        if text in self._vocab and text not in self._special:
            return self._vocab[text]
        pieces = self._tokenizer.tokenize(text)
        if len(pieces) == 1 and pieces[0] not in self._special:
            return self._vocab[pieces[0]]
        folded = unicodedata.normalize("NFKC", text)
        for candidate in (text.lower(), folded, folded.lower()):
            if candidate in self._vocab and candidate not in self._special:
                return self._vocab[candidate]
        return self.unk_id

    def __call__(self, doc: Doc) -> NDArray[np.int64]:
        """The wordpiece ids of a Doc's tokens.

        RETURNS (int64 [len(doc)])
        """
        if not len(doc):
            return np.zeros(0, dtype=np.int64)
        orths, inverse = np.unique(doc.to_array([ORTH]).ravel(), return_inverse=True)
        ids = np.empty(len(orths), dtype=np.int64)
        for i, orth in enumerate(orths.tolist()):
            if orth not in self._ids:
                self._ids[orth] = self.piece_id(doc.vocab.strings[orth])
            ids[i] = self._ids[orth]
        return ids[inverse.reshape(-1)]

    def unknown_share(self, text: str = PROBE) -> float:
        """Share of the characters of a text, 0 to 1, that the vocabulary does not know."""
        return sum(self.piece_id(char) == self.unk_id for char in text) / max(len(text), 1)


def _special_id(tokenizer: Any, role: str) -> int:
    token = getattr(tokenizer, role)
    if token is None:
        raise ValueError(
            f"the tokenizer of {tokenizer.name_or_path!r} has no {role}: use an encoder of the BERT family "
            "(BERT, RoBERTa-wwm, MacBERT, ELECTRA, ERNIE)"
        )
    return int(tokenizer.convert_tokens_to_ids(token))


@dataclass(frozen=True)
class PieceBatch:
    """The windows of a batch of texts, each with its [CLS] and [SEP].

    windows (list of Windows): the windows of each text.
    ids (list of int64 [n_i]): wordpiece ids of each window, special pieces included.
    pad_id (int): the piece that fills short windows up.
    """

    windows: list[Windows]
    ids: list[NDArray[np.int64]]
    pad_id: int

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Pieces of each window, special pieces included (int64 [windows])."""
        return np.array([len(ids) for ids in self.ids], dtype=np.int64)

    @property
    def longest(self) -> int:
        """Pieces of the longest window."""
        return max((len(ids) for ids in self.ids), default=0)

    @property
    def n_tokens(self) -> int:
        """Tokens of all texts."""
        return sum(int(w.ends[-1]) for w in self.windows if len(w.ends))

    def padded(self, width: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Ids (int64) and attention mask (float32, 1 for a piece), both [windows, width]."""
        ids = np.full((len(self.ids), width), self.pad_id, dtype=np.int64)
        mask = np.zeros((len(self.ids), width), dtype=np.float32)
        for i, row in enumerate(self.ids):
            ids[i, : len(row)] = row
            mask[i, : len(row)] = 1.0
        return ids, mask

    def rows(self, width: int) -> NDArray[np.int32]:
        """Where each token's vector lies in the encoder's output, flattened to [windows * width, hidden].

        RETURNS (int32 [tokens])
        """
        rows: list[NDArray[np.int64]] = []
        first = 0
        for w in self.windows:
            if not len(w.starts):
                continue
            tokens = np.arange(w.ends[-1])
            owner = np.searchsorted(w.owner_starts, tokens, side="right") - 1
            rows.append((first + owner) * width + 1 + tokens - w.starts[owner])
            first += len(w.starts)
        return np.concatenate(rows).astype("i") if rows else np.zeros(0, dtype="i")

    def parts(self, max_items: int, overhead: int) -> Iterator[tuple[NDArray[np.int64], "PieceBatch"]]:
        """Split into parts of at most `max_items` padded pieces (one window at least), windows of like length together.

        overhead (int): see `cheapest_batches`.
        YIELDS (int64 [k], PieceBatch): the windows' indices in this batch, and a batch of just these.
        """
        lengths = self.lengths
        order = np.argsort(lengths, kind="stable")
        for part in cheapest_batches(lengths[order, None], max_items, overhead):
            rows = order[part]
            yield rows, PieceBatch([], [self.ids[i] for i in rows.tolist()], self.pad_id)


def batch_pieces(doc_ids: list[NDArray[np.int64]], window: int, overlap: int, pieces: PieceMap) -> PieceBatch:
    """Cut texts into windows.

    doc_ids (list of int64 [n]): wordpiece ids of each text, no special pieces.
    window, overlap (int): see `split_windows`.
    """
    cls_id, sep_id = np.array([pieces.cls_id]), np.array([pieces.sep_id])
    windows, ids = [], []
    for piece_ids in doc_ids:
        cut = split_windows(len(piece_ids), window, overlap)
        windows.append(cut)
        for start, end in zip(cut.starts.tolist(), cut.ends.tolist(), strict=True):
            ids.append(np.concatenate([cls_id, piece_ids[start:end], sep_id]))
    return PieceBatch(windows, ids, pieces.pad_id)
