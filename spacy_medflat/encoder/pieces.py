"""Which wordpiece of an encoder's vocabulary stands for a spaCy token."""

import unicodedata
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import ORTH
from spacy.tokens import Doc

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
