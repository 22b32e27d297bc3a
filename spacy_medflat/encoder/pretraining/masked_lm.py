"""An encoder with a masked-language head: read, or made for one that has none."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ...errors import EncoderError
from ...loading import is_pipeline
from ..recipe import encoder_of_config, read_recipe


class MaskedLanguageModel(nn.Module):
    """Scores of the pieces that may stand at masked places.

    model (PreTrainedModel): a `…ForMaskedLM` of transformers.
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
            if hasattr(module, "dropout_prob"):  # of attention that torch computes in one call
                vars(module)["dropout_prob"] = share

    def forward(self, ids: torch.Tensor, attention: torch.Tensor | None, places: torch.Tensor) -> torch.Tensor:
        """Scores of all pieces at some places; other places are not projected to the vocabulary.

        ids (int64 [batch, length]), attention (int64 [batch, length] or None), places (int64 [masked]): see
            `MaskedBatch`.
        RETURNS (float32 [masked, vocabulary])
        """
        hidden = self.encoder(input_ids=ids, attention_mask=attention).last_hidden_state
        return self._head(hidden.flatten(0, 1).index_select(0, places)).float()


def with_head(encoder: Any, name: str) -> tuple[MaskedLanguageModel, bool]:
    """Put a masked-language head on an encoder.

    encoder (PreTrainedModel): becomes part of the model, with all its weights.
    name (str): what it was loaded from. If there are weights of a head, they are taken; else the head is new, with a
        projection that is tied to the embeddings.
    RETURNS (MaskedLanguageModel, bool): the model, and whether the head was read.
    RAISES (EncoderError): no head is known for this family of encoders.
    """
    from transformers import AutoModelForMaskedLM

    with _quiet():
        try:
            model = encoder_of_config(encoder.config, AutoModelForMaskedLM)
        except ValueError as error:
            raise _no_head(encoder.config.model_type) from error
        saved = _saved_head(name, type(model))
    if saved is not None:
        _head_of(model).load_state_dict(saved)
    setattr(model, model.base_model_prefix, encoder)
    model.tie_weights()
    return MaskedLanguageModel(model), saved is not None


def _saved_head(name: str, family: Any) -> dict[str, torch.Tensor] | None:
    """The weights of the head that lie beside those of an encoder, None if they are not all there."""
    if is_pipeline(name) or (Path(name).is_dir() and read_recipe(Path(name)) is not None):
        return None
    # The encoder has just been loaded, so a hub's files are in the cache.
    found, loading = family.from_pretrained(name, output_loading_info=True, local_files_only=True)
    head = {id(parameter) for parameter in _head_of(found).parameters()}
    head -= {id(parameter) for parameter in found.get_input_embeddings().parameters()}
    names = {key for key, parameter in found.named_parameters(remove_duplicate=False) if id(parameter) in head}
    return None if names & set(loading["missing_keys"]) else _head_of(found).state_dict()


def _head_of(model: Any) -> nn.Module:
    """What maps hidden states to scores."""
    for attribute in ("cls", "lm_head", "predictions"):
        if (head := getattr(model, attribute, None)) is not None:
            return head
    if hasattr(model, "generator_lm_head"):
        return nn.Sequential(model.generator_predictions, model.generator_lm_head)
    raise _no_head(model.config.model_type)


def _no_head(family: str) -> EncoderError:
    return EncoderError(
        f"no masked-language head is known for encoders of the type {family!r}: use one of the BERT family (BERT, "
        "RoBERTa-wwm, MacBERT, ELECTRA, ERNIE), or a recipe"
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what transformers warns of: weights that are not there, which are expected to be missing here."""
    logger = logging.getLogger("transformers")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
