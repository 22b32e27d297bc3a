"""The encoder that a training begins with: from a recipe, with a vocabulary and vectors if wanted, or with weights."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from ...errors import EncoderError, amount
from ..load import load_encoder, position_room
from ..pieces import PieceMap
from ..recipe import Recipe, build_encoder, read_recipe
from .initial_vectors import read_character_vectors, set_embeddings
from .masked_lm import MaskedLanguageModel, with_head
from .pretrain_settings import PretrainSettings
from .run_options import Watcher

# A vocabulary of which more is unknown is of another language.
MOST_UNKNOWN = 0.5


def find_recipe(settings: PretrainSettings) -> Recipe | None:
    """The recipe of a new encoder, None for one that has weights.

    RAISES (EncoderError): the recipe cannot be used, or a setting is for a new encoder only.
    """
    name = settings.encoder
    recipe = read_recipe(Path(name)) if Path(name).is_dir() else None
    if recipe is None and (settings.vocabulary or settings.vectors):
        what = "--vocabulary" if settings.vocabulary else "--vectors"
        raise EncoderError(f"{what} is for a new encoder, but {name!r} has no recipe.json; give a folder with one")
    return recipe


def load_masked_lm(
    settings: PretrainSettings, recipe: Recipe | None, characters: Sequence[str] | None, watch: Watcher, new: bool
) -> tuple[Any, MaskedLanguageModel]:
    """The encoder of a training at its first step. Random weights are drawn from the seed.

    settings (PretrainSettings): say which it is.
    recipe (Recipe or None): see `find_recipe`.
    characters (sequence of str or None): the vocabulary of a new encoder; None for that of the recipe.
    watch (Watcher): is told what was made.
    new (bool): whether the first weights matter: those of a checkpoint replace them.
    RETURNS (PreTrainedTokenizerBase, MaskedLanguageModel): both.
    RAISES (EncoderError): it cannot be loaded or trained like that.
    """
    name = settings.encoder
    torch.manual_seed(settings.seed)
    if recipe is not None and characters is not None:
        tokenizer, encoder = build_encoder(recipe, characters)
    else:
        hf = load_encoder(name, {}, {})
        tokenizer, encoder = hf.tokenizer, hf.transformer.to("cpu")
    try:
        unknown = PieceMap(tokenizer).unknown_share()
    except ValueError as error:
        raise EncoderError(str(error)) from error
    if unknown > MOST_UNKNOWN:
        raise EncoderError(
            f"the vocabulary of the encoder {name!r} does not know {unknown:.0%} of the commonest Chinese characters: "
            "choose an encoder whose wordpieces are Chinese characters, or a recipe"
        )
    room = position_room(encoder.config)
    if settings.length > room:
        raise EncoderError(f"--length {settings.length} is too long for the encoder {name!r}: it has {room} positions")
    if new and settings.vectors is not None:
        table = read_character_vectors(Path(settings.vectors))
        number = set_embeddings(encoder.get_input_embeddings(), tokenizer.get_vocab(), table, settings.seed)
        watch.say(f"{amount(number, 'embedding')} begin with the vectors of {settings.vectors}")
    model, read = with_head(encoder, name)
    if settings.dropout is not None:
        model.set_dropout(settings.dropout)
    if recipe is not None and settings.length < room:
        watch.warn(
            f"positions from {settings.length} to {room - 1} stay untrained: read texts with window = "
            f"{settings.length - 2} or less, or train with --length {room}"
        )
    elif recipe is None and not read:
        watch.say("the encoder has no masked-language head; a new one is trained with it")
    return tokenizer, model
