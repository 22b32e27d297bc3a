"""A small encoder that is built, not downloaded: a recipe instead of weights."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import srsly
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..errors import EncoderError

if TYPE_CHECKING:
    from transformers import BertTokenizerFast, PretrainedConfig, PreTrainedModel

RECIPE_FILE = "recipe.json"
SPECIAL_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


class Recipe(BaseModel):
    """The contents of `recipe.json`: a BERT with random weights over a closed set of characters.

    The fields that are not listed are those of transformers' `BertConfig`.

    charset (str): `gb2312` is the 6,763 characters and the symbols of that standard, lower-case Latin only.
    position_embedding_type (str): `relative_key` learns far faster from a few hundred sentences than `absolute`.
    dropout (float): of hidden states and attention.
    """

    model_config = ConfigDict(extra="forbid")

    charset: Literal["gb2312"] = "gb2312"
    hidden_size: int = Field(128, ge=8)
    num_hidden_layers: int = Field(2, ge=1)
    num_attention_heads: int = Field(4, ge=1)
    intermediate_size: int = Field(256, ge=8)
    max_position_embeddings: int = Field(512, ge=16)
    position_embedding_type: Literal["absolute", "relative_key"] = "relative_key"
    dropout: float = Field(0.1, ge=0.0, lt=1.0)
    initializer_range: float = Field(0.02, gt=0.0)


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


class EncoderModel:
    """What builds an encoder from a config, here and when spacy-transformers loads a saved pipeline."""

    @staticmethod
    def from_config(config: "PretrainedConfig") -> "PreTrainedModel":
        """An encoder with random weights, and with the fastest attention that its positions allow."""
        from transformers import AutoModel

        absolute = getattr(config, "position_embedding_type", "absolute") == "absolute"
        return AutoModel.from_config(config, **({} if absolute else {"attn_implementation": "eager"}))


def build_encoder(
    recipe: Recipe, characters: Sequence[str] | None = None
) -> tuple["BertTokenizerFast", "PreTrainedModel"]:
    """A tokenizer and a BERT with random weights, drawn from torch's current seed.

    recipe (Recipe): its sizes.
    characters (sequence of str or None): the vocabulary beside the special pieces; None for that of the recipe.
    RAISES (ValueError): hidden_size is not a multiple of num_attention_heads.
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
    return tokenizer, EncoderModel.from_config(config)
