"""The folder of a trained encoder: weights, tokenizer, a model card, and a description that programs can read."""

import tempfile
from pathlib import Path
from typing import Any

from ...errors import amount
from ...files import read_json, write_json, write_text
from ...runtime import package_versions
from .model import MaskedLanguageModel
from .survey import Survey

DESCRIPTION = "pretraining.json"
CARD = "README.md"
WEIGHTS = "model.safetensors"


def describe(
    identity: dict[str, Any], survey: Survey, outcome: Any, characters: int, seconds: float, command: str
) -> dict[str, Any]:
    """What is to be known of a training, for `DESCRIPTION` and the card."""
    return {
        **identity,
        "command": command,
        "steps": outcome.steps,
        "steps_done": outcome.step,
        "characters_read": characters,
        "seconds": round(seconds, 1),
        "sources": {
            name: {"texts": found.texts, "characters": found.characters, "left_out": dict(found.left_out)}
            for name, found in survey.counts.items()
        },
        "held_out_texts": len(survey.held_out),
        "evaluations": [{"step": step, **found._asdict()} for step, found in outcome.evaluations],
        "versions": package_versions(),
    }


def read_description(folder: Path) -> dict[str, Any]:
    """What `write_encoder` wrote of the training of an encoder."""
    return read_json(folder / DESCRIPTION)


def write_encoder(
    model: MaskedLanguageModel, tokenizer: Any, description: dict[str, Any], folder: Path, half: bool
) -> None:
    """Write an encoder with its masked-language head as a Hugging Face folder. Each file appears whole or not at all.

    `AutoModel` loads the encoder alone, `AutoModelForMaskedLM` the head with it; both in float32.

    model (MaskedLanguageModel), tokenizer (PreTrainedTokenizerBase): what is written.
    description (dict): see `describe`.
    folder (Path): new, or one that was written before.
    half (bool): write float16 weights.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".medflat-", dir=folder) as name:
        scratch = Path(name)
        _save(model.model, scratch, half)
        tokenizer.save_pretrained(scratch)
        write_json(scratch / DESCRIPTION, description)
        write_text(scratch / CARD, card(description))
        # The weights last: without them it is no encoder.
        for path in sorted(scratch.iterdir(), key=lambda path: path.name == WEIGHTS):
            path.replace(folder / path.name)


def _save(model: Any, folder: Path, half: bool) -> None:
    weights = {name: tensor.detach().cpu() for name, tensor in model.state_dict().items()}
    if half:
        weights = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in weights.items()}
    model.save_pretrained(folder, state_dict=weights)


def card(description: dict[str, Any]) -> str:
    """The model card, in Markdown."""
    found = description
    settings = found["settings"]
    rows = [
        f"| {name} | {found['inputs'][name]} | {counts['texts']:,} | {counts['characters']:,} | "
        f"{sum(counts['left_out'].values()):,} |"
        for name, counts in found["sources"].items()
    ]
    looks = [f"| {look['step']:,} | {look['loss']:.4f} | {look['accuracy']:.2%} |" for look in found["evaluations"]]
    masked = found["evaluations"][-1]["masked"] if found["evaluations"] else 0
    return "\n".join(
        [
            "---",
            "language: zh",
            "library_name: transformers",
            "pipeline_tag: fill-mask",
            "---",
            "",
            "# A Chinese character encoder",
            "",
            f"Trained by `spacy medflat pretrain` from `{Path(settings['encoder']).name}` to restore masked "
            f"characters: {found['steps_done']:,} of {found['steps']:,} steps of {settings['batch']} sequences of "
            f"{settings['length']}, {amount(found['characters_read'], 'character')}. "
            f"One piece a character, `[UNK]` where the vocabulary has none. Highest rate {settings['rate']:g}.",
            "",
            f"Its positions were trained up to {settings['length']}: read texts in windows of at most "
            f"{settings['length'] - 2} characters, unless the encoder that it began with was trained on longer ones.",
            "",
            "## Texts",
            "",
            "| source | read an epoch | texts | characters | texts left out |",
            "|---|---|---|---|---|",
            *rows,
            "",
            f"SHA-256 of the texts: `{found['texts']}`",
            "",
            "## Held-out texts",
            "",
            f"{amount(found['held_out_texts'], 'text')} that no step has seen, {masked:,} masked characters.",
            "",
            "| step | loss | restored |",
            "|---|---|---|",
            *looks,
            "",
            "## Command",
            "",
            "```",
            found["command"],
            "```",
            "",
            "Licence: that of the encoder it began with and of its sources; name them here before you share it.",
            "",
        ]
    )
