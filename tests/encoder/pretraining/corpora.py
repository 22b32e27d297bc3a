"""Small texts and encoders that the tests of pretraining share."""

import random
from pathlib import Path
from typing import Any

from spacy_medflat.encoder.pieces import PROBE, PieceMap
from spacy_medflat.encoder.pretraining.packing import CharacterPieces
from spacy_medflat.encoder.pretraining.pretrain_settings import PretrainSettings
from spacy_medflat.encoder.recipe import SPECIAL_TOKENS, Recipe, build_encoder

from ...pipelines import write_recipe

CHARACTERS = "患者咳嗽痰三天伴发热胸痛呼吸困难右肺下叶见结节影考虑感染可能建议抗炎治疗后复查，。"
WORDS = ["咳嗽", "发热", "胸痛", "呼吸困难", "右肺下叶", "结节", "感染"]


def make_texts(count: int, seed: int = 0) -> list[str]:
    """Different texts of 10 to 60 characters."""
    draw = random.Random(seed)
    return [f"{i}{''.join(draw.choices(CHARACTERS, k=draw.randint(10, 60)))}" for i in range(count)]


def write_texts(path: Path, count: int = 120, seed: int = 0) -> Path:
    """A file with a text a line."""
    path.write_text("\n".join(make_texts(count, seed)), encoding="utf8")
    return path


def small_recipe(folder: Path, **settings: Any) -> Path:
    """A recipe of a few characters, so that a step takes milliseconds."""
    sizes = {"charset": "vocab.txt", "hidden_size": 16, "position_embedding_type": "absolute", "dropout": 0.1}
    write_recipe(folder, **{**sizes, "max_position_embeddings": 80, **settings})
    (folder / "vocab.txt").write_text("\n".join(dict.fromkeys([*CHARACTERS, *PROBE, *"0123456789"])), encoding="utf8")
    return folder


def small_settings(encoder: Path, **settings: Any) -> PretrainSettings:
    """Of a training that takes less than a second."""
    usual = {"encoder": str(encoder), "length": 24, "batch": 4, "steps": 12, "rate": 5e-3, "evaluations": 3}
    return PretrainSettings.checked(**{**usual, **settings})


def small_pieces() -> tuple[Any, PieceMap]:
    """A tokenizer of these characters and its piece map."""
    recipe = Recipe(hidden_size=8, num_attention_heads=1, num_hidden_layers=1, intermediate_size=8)
    tokenizer, _ = build_encoder(recipe, [*CHARACTERS, *"0123456789"])
    return tokenizer, PieceMap(tokenizer)


def decoded(ids: Any, pieces: CharacterPieces) -> str:
    """What stands in a sequence: `|` for [SEP], `^` for [CLS], `_` for [PAD], `?` for [UNK], `M` for [MASK]."""
    signs = dict(zip(SPECIAL_TOKENS, "_?^|M", strict=True))
    vocab = {number: signs.get(piece, piece) for piece, number in pieces.pieces._vocab.items()}
    return "".join(vocab[number] for number in ids.tolist())
