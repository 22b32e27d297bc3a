"""An encoder with a masked-language head: read, or made for one that has none; and its loss."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ...errors import EncoderError
from ...loading import is_pipeline
from ..load import load_encoder
from ..pieces import PieceMap
from ..recipe import build_encoder, read_recipe

_MOST_UNKNOWN = 0.5


class MaskedLanguageModel(nn.Module):
    """Hidden states of masked places to scores of pieces.

    model (PreTrainedModel): a `…ForMaskedLM` of transformers, its base being the encoder.
    """

    def __init__(self, model: Any):
        super().__init__()
        self.model = model
        self._head = _head_of(model)

    @property
    def encoder(self) -> Any:
        """The encoder alone."""
        return self.model.base_model

    def set_dropout(self, share: float) -> None:
        """Drop another share of hidden states and attention than the config says, which stays as it is."""
        for module in self.modules():
            if isinstance(module, nn.Dropout):
                module.p = share
            if hasattr(module, "dropout_prob"):
                setattr(module, "dropout_prob", share)  # of attention that torch computes in one call  # noqa: B010

    def forward(self, ids: torch.Tensor, attention: torch.Tensor | None, places: torch.Tensor) -> torch.Tensor:
        """Scores of all pieces at some places. Other places are not projected to the vocabulary.

        ids (int64 [batch, length]), attention (int64 [batch, length] or None), places (int64 [masked]): see
            `MaskedBatch`.
        RETURNS (float32 [masked, vocabulary])
        """
        hidden = self.encoder(input_ids=ids, attention_mask=attention).last_hidden_state
        return self._head(hidden.flatten(0, 1).index_select(0, places)).float()


def load_masked_lm(name: str, characters: Sequence[str] | None = None) -> tuple[Any, MaskedLanguageModel, bool]:
    """Load an encoder, and its masked-language head if it has one; else make a new one, tied to the embeddings.

    name (str): as in `load_encoder`.
    characters (sequence of str or None): the vocabulary of a recipe, in place of its own.
    RETURNS (tokenizer, MaskedLanguageModel, bool): the last tells whether the head was read.
    RAISES (EncoderError): it cannot be loaded, is of a family without such a head, or knows no Chinese.
    """
    if characters is None:
        hf = load_encoder(name, {}, {})
        tokenizer, encoder = hf.tokenizer, hf.transformer
    elif (recipe := read_recipe(Path(name))) is not None:
        tokenizer, encoder = build_encoder(recipe, characters)
    else:
        raise EncoderError(f"the encoder {name!r} has a vocabulary: --vocabulary is for a recipe")
    try:
        pieces = PieceMap(tokenizer)
    except ValueError as error:
        raise EncoderError(str(error)) from error
    if (unknown := pieces.unknown_share()) > _MOST_UNKNOWN:
        raise EncoderError(
            f"the vocabulary of the encoder {name!r} does not know {unknown:.0%} of the commonest Chinese characters: "
            "choose an encoder whose wordpieces are Chinese characters, or a recipe"
        )
    model, read = with_head(encoder.to("cpu"), name)
    return tokenizer, model, read


def with_head(encoder: Any, name: str) -> tuple[MaskedLanguageModel, bool]:
    """Put a masked-language head on an encoder.

    encoder (PreTrainedModel): the encoder, which becomes part of the model.
    name (str): where it came from; if there are weights of a head there, they are taken.
    RETURNS (MaskedLanguageModel, bool): the model, and whether the head was read.
    RAISES (EncoderError): no head is known for this family.
    """
    from transformers import AutoModelForMaskedLM

    config = encoder.config
    attention = {"attn_implementation": config._attn_implementation}
    read = False
    with quiet():
        try:
            model = AutoModelForMaskedLM.from_config(config, **attention)
            if (saved := _saved_head(name, model)) is not None:
                _head_of(model).load_state_dict(saved, strict=False)
                read = True
        except (ValueError, TypeError) as error:
            raise EncoderError(
                f"the encoder {name!r} ({config.model_type}) has no masked-language form: {error}"
            ) from error
    setattr(model, model.base_model_prefix, encoder)
    model.tie_weights()
    return MaskedLanguageModel(model), read


def _saved_head(name: str, model: Any) -> dict[str, torch.Tensor] | None:
    """The weights of the head that lie beside those of an encoder, None if there are none."""
    if is_pipeline(name) or (Path(name).is_dir() and read_recipe(Path(name)) is not None):
        return None
    # The encoder has just been loaded, so the files are here.
    found, loading = type(model).from_pretrained(name, output_loading_info=True, local_files_only=True)
    head = {id(parameter) for parameter in _head_of(found).parameters()}
    shared = {id(parameter) for parameter in found.get_input_embeddings().parameters()}
    names = {key for key, parameter in found.named_parameters(remove_duplicate=False) if id(parameter) in head - shared}
    if names & set(loading["missing_keys"]):
        return None
    return _head_of(found).state_dict()


def _head_of(model: Any) -> nn.Module:
    """What maps hidden states to scores."""
    for attribute in ("cls", "lm_head", "predictions"):
        if (head := getattr(model, attribute, None)) is not None:
            return head
    if hasattr(model, "generator_lm_head"):
        return nn.Sequential(model.generator_predictions, model.generator_lm_head)
    raise EncoderError(
        f"no masked-language head is known for a {model.config.model_type} encoder: use one of the BERT family (BERT, "
        "RoBERTa-wwm, MacBERT, ELECTRA, ERNIE), or a recipe"
    )


@contextmanager
def quiet() -> Iterator[None]:
    """Without the warnings of transformers about weights that are not there, which are expected here."""
    logger = logging.getLogger("transformers")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
