"""The folder of a trained encoder: weights, tokenizer, a model card, and a description that programs can read."""

import tempfile
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from ...files import read_json, replaced_when_done, write_json, write_text
from .masked_lm import MaskedLanguageModel
from .model_card import model_card

DESCRIPTION = "pretraining.json"
CARD = "README.md"
WEIGHTS = "model.safetensors"


def read_description(folder: Path) -> dict[str, Any]:
    """What `write_encoder` wrote of the training of an encoder."""
    return read_json(folder / DESCRIPTION)


def write_encoder(
    model: MaskedLanguageModel, tokenizer: Any, description: dict[str, Any], folder: Path, half: bool
) -> None:
    """Write an encoder with its masked-language head as a Hugging Face folder. Each file appears whole or not at all.

    `AutoModel` loads the encoder alone, `AutoModelForMaskedLM` the head with it; both in float32.

    model (MaskedLanguageModel), tokenizer (PreTrainedTokenizerBase): what is written.
    description (dict): of the training, see `TrainingRun`.
    folder (Path): new, or one that was written before. Other files in it stay.
    half (bool): write float16 weights.
    RAISES (OSError): a file cannot be written. What was there stays.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".medflat-", dir=folder) as name:
        scratch = Path(name)
        tokenizer.save_pretrained(scratch)
        write_json(scratch / DESCRIPTION, description)
        write_text(scratch / CARD, model_card(description))
        try:
            _save(model.model, scratch, half)
        except SafetensorError as error:
            raise OSError(f"{folder}: the weights cannot be written: {error}") from error
        # The weights last: without them it is no encoder.
        for path in sorted(scratch.iterdir(), key=lambda path: path.name == WEIGHTS):
            with replaced_when_done(folder / path.name, durable=True) as target:
                path.replace(target)


def _save(model: Any, folder: Path, half: bool) -> None:
    weights = {name: tensor.detach().cpu() for name, tensor in model.state_dict().items()}
    if half:
        # The config still says float32, and so the weights are loaded.
        weights = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in weights.items()}
    # Never in parts: the last file would not be the only one with weights.
    model.save_pretrained(folder, state_dict=weights, max_shard_size="100GB")
