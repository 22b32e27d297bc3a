"""Finding an encoder: a Hugging Face name, a folder with weights or with a recipe, or a pipeline that has one."""

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spacy.pipeline.trainable_pipe import TrainablePipe
from thinc.api import get_torch_default_device

from .._internals import encoder_of
from ..errors import EncoderError
from ..loading import is_pipeline, load_model
from .recipe import INT8_LAYERS, attention_of, build_encoder, read_recipe, recipe_characters

if TYPE_CHECKING:
    from spacy_transformers.data_classes import HFObjects

HUB_SECONDS = 4.0
WEIGHT_FILES = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)


def load_encoder(name: str, tokenizer_config: dict[str, Any], transformer_config: dict[str, Any]) -> "HFObjects":
    """Load a tokenizer and an encoder, and move the encoder to thinc's current device.

    name (str): a local folder with `config.json`, tokenizer files and weights; a local folder with `recipe.json`,
        which gives random weights; an installed pipeline or its folder, whose encoder is taken; or a name on the
        Hugging Face hub.
    tokenizer_config, transformer_config (dict): settings that override the encoder's own. One of a pipeline keeps its.
    RAISES (EncoderError): the folder lacks a file, or the name cannot be found; the message says what to do.
    """
    from spacy_transformers.data_classes import HFObjects

    folder = Path(name)
    if is_pipeline(name):
        return _from_pipeline(name)
    tokenizer: Any
    transformer: Any
    recipe = read_recipe(folder) if folder.is_dir() else None
    if recipe is not None:
        tokenizer, transformer = build_encoder(recipe, recipe_characters(recipe, folder))
    else:
        if folder.is_dir():
            _check_folder(folder)
        tokenizer, transformer = _from_pretrained(name, tokenizer_config, transformer_config)
    return HFObjects(tokenizer, transformer.to(get_torch_default_device()), _vocab_file_contents(tokenizer))


def _from_pipeline(name: str) -> "HFObjects":
    for _, pipe in load_model(name).pipeline:
        for layer in pipe.model.walk() if isinstance(pipe, TrainablePipe) else ():
            if layer.name == "char_transformer":
                return _trainable(encoder_of(layer.layers[0].shims[0]), name)
    raise EncoderError(f"the pipeline {name!r} has no encoder: none of its models has a CharTransformer")


def _trainable(hf: "HFObjects", name: str) -> "HFObjects":
    if getattr(hf.transformer.config, INT8_LAYERS, ()):
        raise EncoderError(
            f"the pipeline {name!r} is compressed, and its encoder cannot be trained on; give the one it was made from"
        )
    return hf


def _check_folder(folder: Path) -> None:
    if not (folder / "config.json").is_file():
        raise EncoderError(
            f"the encoder folder {str(folder)!r} has neither config.json (a Hugging Face encoder) nor recipe.json "
            "(an encoder to build): point `name` to a folder that has one of them"
        )
    if not any((folder / file).is_file() for file in WEIGHT_FILES):
        raise EncoderError(
            f"the encoder folder {str(folder)!r} has no weights: none of {', '.join(WEIGHT_FILES)}. Copy the weights "
            "there, or give the name of an encoder on the Hugging Face hub"
        )


def _from_pretrained(
    name: str, tokenizer_config: dict[str, Any], transformer_config: dict[str, Any]
) -> tuple[Any, Any]:
    from transformers import AutoConfig, AutoModel, AutoTokenizer

    # Without a network, transformers tries again for a minute, even where its cache has all files.
    local = {} if Path(name).is_dir() or _hub_answers(name) else {"local_files_only": True}
    try:
        tokenizer = AutoTokenizer.from_pretrained(name, **tokenizer_config, **local)
        config = AutoConfig.from_pretrained(name, **{**transformer_config, "return_dict": True}, **local)
        return tokenizer, AutoModel.from_pretrained(name, config=config, **attention_of(config), **local)
    except Exception as error:  # every file format raises errors of its own for a damaged file
        reason = "the hub does not answer, and the cache of this machine does not have it" if local else error
        raise EncoderError(
            f"cannot load the encoder {name!r}: {reason}. Give a folder that holds config.json, the tokenizer's files "
            "and the weights, an installed pipeline whose encoder is to be taken, or a name on the Hugging Face hub "
            "that this machine can reach or has in its cache"
        ) from error


def _hub_answers(name: str) -> bool:
    """Whether the hub says anything about an encoder within `HUB_SECONDS`, be it that there is none."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    answers: list[bool] = []

    def ask() -> None:
        try:
            HfApi().model_info(name, timeout=HUB_SECONDS)
            answers.append(True)
        except (HfHubHTTPError, ValueError) as error:
            answers.append(getattr(error, "response", None) is not None)
        except Exception:  # each way to have no network has an error of its own
            answers.append(False)

    # In a thread, because a name server that does not answer has a longer time-out of its own.
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(HUB_SECONDS)
    return any(answers)


def position_room(config: Any) -> int:
    """The most pieces of a sequence that an encoder has positions for, the special ones among them.

    config (PretrainedConfig): of the encoder.
    """
    # RoBERTa counts positions from pad_token_id + 1.
    offset = config.pad_token_id + 1 if config.model_type in ("roberta", "xlm-roberta", "camembert") else 0
    return int(config.max_position_embeddings - offset)


def _vocab_file_contents(tokenizer: Any) -> bytes | None:
    """What spacy-transformers stores for tokenizers that need a file of their own beside tokenizer.json."""
    vocab_file = getattr(tokenizer, "vocab_file", None)
    return Path(vocab_file).read_bytes() if vocab_file else None
