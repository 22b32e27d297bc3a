"""The model card of a trained encoder."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ...errors import amount

_TEMPLATE = """\
---
language: zh
library_name: transformers
pipeline_tag: fill-mask
---

# A Chinese character encoder

Trained by `spacy medflat pretrain` from `{encoder}` to restore masked characters: {done:,} of {steps:,} steps of
{batch} sequences of {length} pieces, {characters} with repetitions; highest rate {rate:g}. Every character is one
piece, `[UNK]` where the vocabulary has none.

Positions were trained up to {length}. Read texts in windows of at most {window} characters, unless the encoder that it
began with was trained on longer ones.

## Texts

{texts}

SHA-256 of the texts in their order: `{digest}`

## Held-out texts

{held_out} that no step has seen, {masked}.

{looks}

## Command

```bash
{command}
```

## Licence

Not stated. It depends on the encoder above and on the texts: name both here before you share the weights.
"""


def model_card(description: dict[str, Any]) -> str:
    """The card in Markdown.

    description (dict): of the training, see `TrainingRun`.
    """
    settings, looks = description["settings"], description["evaluations"]
    sources = [
        (name, f"{description['inputs'][name]}", f"{found['texts']:,}", f"{found['characters']:,}", _left_out(found))
        for name, found in description["sources"].items()
    ]
    return _TEMPLATE.format(
        encoder=Path(settings["encoder"]).name,
        done=description["steps_done"],
        steps=description["steps"],
        batch=settings["batch"],
        length=settings["length"],
        window=settings["length"] - 2,
        characters=amount(description["characters_read"], "character"),
        rate=settings["rate"],
        texts=_table(("source", "times an epoch", "texts", "characters", "left out"), sources),
        digest=description["texts"],
        held_out=amount(description["held_out_texts"], "text"),
        masked=amount(looks[-1]["masked"], "masked character"),
        looks=_table(
            ("step", "loss", "restored"),
            [(f"{look['step']:,}", f"{look['loss']:.4f}", f"{look['accuracy']:.2%}") for look in looks],
        ),
        command=description["command"],
    )


def _left_out(found: dict[str, Any]) -> str:
    return ", ".join(f"{number:,} {reason}" for reason, number in found["left_out"].items()) or "–"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))
