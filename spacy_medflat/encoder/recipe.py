"""A small encoder that is built, not downloaded: a recipe instead of weights."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import srsly
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from .._internals import model_from_config
from ..errors import EncoderError, clipped
from ..files import BOM, read_text
from ..int8 import make_room

if TYPE_CHECKING:
    from transformers import BertTokenizerFast, PretrainedConfig, PreTrainedModel

RECIPE_FILE = "recipe.json"
# Where the config of an encoder names its layers with 8-bit weights, see `int8.py`.
INT8_LAYERS = "medflat_int8_layers"
SPECIAL_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


class Recipe(BaseModel):
    """The contents of `recipe.json`: a BERT with random weights over a closed set of characters.

    The fields that are not listed are those of transformers' `BertConfig`.

    charset (str): `gb2312` is the 6,763 characters and the symbols of that standard, lower-case Latin only; `vocab.txt`
        is the characters in the file of this name beside the recipe, one a line.
    position_embedding_type (str): `relative_key` learns far faster from a few hundred sentences than `absolute`,
        which is computed faster.
    dropout (float): of hidden states and attention.
    """

    model_config = ConfigDict(extra="forbid")

    charset: Literal["gb2312", "vocab.txt"] = "gb2312"
    hidden_size: int = Field(128, ge=8)
    num_hidden_layers: int = Field(2, ge=1)
    num_attention_heads: int = Field(4, ge=1)
    intermediate_size: int = Field(256, ge=8)
    max_position_embeddings: int = Field(512, ge=16)
    position_embedding_type: Literal["absolute", "relative_key"] = "relative_key"
    dropout: float = Field(0.1, ge=0.0, lt=1.0)
    initializer_range: float = Field(0.02, gt=0.0)

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> "Recipe":
        if self.hidden_size % self.num_attention_heads:
            raise ValueError(
                f"hidden_size must be a multiple of num_attention_heads, but {self.hidden_size} is none of "
                f"{self.num_attention_heads}"
            )
        return self


def read_recipe(folder: Path) -> Recipe | None:
    """The recipe in a folder, or None if the folder has none.

    RAISES (EncoderError): the recipe has an unknown or impossible setting.
    """
    path = folder / RECIPE_FILE
    if not path.is_file():
        return None
    try:
        return Recipe.model_validate(srsly.read_json(path))
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, e['loc']))}: {e['msg']} (found {e['input']!r})" for e in error.errors()]
        raise EncoderError(f"{path} is not an encoder recipe: {'; '.join(lines)}") from error


def recipe_characters(recipe: Recipe, folder: Path) -> list[str]:
    """The characters of a recipe's vocabulary.

    recipe (Recipe): the recipe.
    folder (Path): where it lies.
    RAISES (EncoderError): its `vocab.txt` is missing or empty, or has a line that is not one character.
    """
    if recipe.charset == "gb2312":
        return charset_tokens()
    path = folder / recipe.charset
    if not path.is_file():
        raise EncoderError(f"{path}: no such file, but the charset of the recipe is {recipe.charset!r}; put it there")
    lines = [line.strip() for line in read_text(path).removeprefix(BOM).splitlines()]
    characters = list(dict.fromkeys(line for line in lines if line and line not in SPECIAL_TOKENS))
    if not characters:
        raise EncoderError(f"{path}: no characters in this file; give one a line")
    if long := [line for line in characters if len(line) > 1]:
        raise EncoderError(f"{path}: {clipped(long[0])} is not one character; give one a line")
    return characters


def charset_tokens() -> list[str]:
    """Printable ASCII in lower case and every character of GB 2312, in the order of the standards."""
    chars = [chr(i) for i in range(0x21, 0x7F)]
    for row in range(0xA1, 0xF8):
        for cell in range(0xA1, 0xFF):
            try:
                chars.append(bytes([row, cell]).decode("gb2312"))
            except UnicodeDecodeError:
                continue
    return list(dict.fromkeys(c for char in chars for c in char.lower() if not c.isspace()))


def encoder_of_config(config: "PretrainedConfig", auto_class: Any = None) -> "PreTrainedModel":
    """An encoder with random weights, and with the fastest attention that its positions allow.

    config (PretrainedConfig): of the encoder.
    auto_class (type or None): of transformers, for an encoder with a head; None for `AutoModel`.
    """
    build = auto_class.from_config if auto_class else model_from_config
    return build(config, **attention_of(config))


class SavedEncoderModel:
    """What builds an encoder when spacy-transformers loads a saved pipeline: it draws no weights that are replaced."""

    @staticmethod
    def from_config(config: "PretrainedConfig") -> "PreTrainedModel":
        """An encoder with undefined weights, and 8-bit layers where the config has `INT8_LAYERS`.

        For the rest see `encoder_of_config`.
        """
        from transformers.modeling_utils import no_init_weights

        with no_init_weights():
            encoder = encoder_of_config(config)
        make_room(encoder, getattr(config, INT8_LAYERS, ()))
        return encoder


def attention_of(config: "PretrainedConfig") -> dict[str, str]:
    """The settings of transformers for the fastest attention that an encoder's positions allow.

    config (PretrainedConfig): of the encoder.
    """
    absolute = getattr(config, "position_embedding_type", "absolute") == "absolute"
    return {} if absolute else {"attn_implementation": "eager"}


def build_encoder(
    recipe: Recipe, characters: Sequence[str] | None = None
) -> tuple["BertTokenizerFast", "PreTrainedModel"]:
    """A tokenizer and a BERT with random weights, drawn from torch's current seed.

    recipe (Recipe): its sizes.
    characters (sequence of str or None): the vocabulary beside the special pieces, see `recipe_characters`; None for
        `charset_tokens`.    RETURNS (BertTokenizerFast, BertModel): both.
    """
    from transformers import BertConfig, BertTokenizerFast

    vocab = SPECIAL_TOKENS + list(charset_tokens() if characters is None else characters)
    with tempfile.TemporaryDirectory() as folder:
        vocab_file = Path(folder) / "vocab.txt"
        vocab_file.write_text("\n".join(vocab) + "\n", encoding="utf8")
        tokenizer = BertTokenizerFast(vocab_file=str(vocab_file), do_lower_case=True)
    config = BertConfig(
        vocab_size=len(vocab),
        hidden_size=recipe.hidden_size,
        num_hidden_layers=recipe.num_hidden_layers,
        num_attention_heads=recipe.num_attention_heads,
        intermediate_size=recipe.intermediate_size,
        max_position_embeddings=recipe.max_position_embeddings,
        position_embedding_type=recipe.position_embedding_type,
        hidden_dropout_prob=recipe.dropout,
        attention_probs_dropout_prob=recipe.dropout,
        initializer_range=recipe.initializer_range,
    )
    return tokenizer, encoder_of_config(config)
