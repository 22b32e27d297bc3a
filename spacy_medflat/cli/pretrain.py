"""`medflat pretrain`: masked-language training of an encoder on plain texts."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from ..encoder.pretraining.pretrain import pretrain as run_pretraining
from ..encoder.pretraining.pretrain_settings import PretrainSettings
from ..encoder.pretraining.run_options import RunOptions
from ..encoder.pretraining.text_inputs import find_inputs
from ..runtime import bfloat16_pays, torch_device
from .common import GpuId, friendly_errors, say
from .progress import steps_watched


def pretrain(
    context: typer.Context,
    notes: Annotated[
        list[str],
        typer.Argument(
            metavar="NOTES...",
            help="Texts: .txt (a text a line), JSON lines, CSV or TSV, gzipped or not; Parquet; folders of these; an "
            "annotated corpus.",
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the encoder, for `--vars.encoder`.")],
    encoder: Annotated[
        str, typer.Option("--encoder", "-e", help="A folder with weights or a recipe, a hub name, or a pipeline.")
    ],
    weight: Annotated[
        list[str] | None, typer.Option(help="NOTES=TIMES: read it so often in an epoch; may be repeated.")
    ] = None,
    lexicon: Annotated[Path | None, typer.Option(help="Lexicon whose words are masked as a whole.")] = None,
    vectors: Annotated[
        Path | None, typer.Option(help="Word vectors, a folder or a word2vec file: the first embeddings of a recipe.")
    ] = None,
    vocabulary: Annotated[
        int, typer.Option(min=0, help="Characters of the vocabulary of a recipe, counted from NOTES.")
    ] = 0,
    length: Annotated[int, typer.Option(min=8, help="Characters of a sequence.")] = 128,
    batch: Annotated[int, typer.Option(min=1, help="Sequences in a step.")] = 32,
    epochs: Annotated[
        float, typer.Option(help="How often the texts are read, without --steps and --characters.")
    ] = 1.0,
    steps: Annotated[int, typer.Option(min=0, help="Steps of the training.")] = 0,
    characters: Annotated[int, typer.Option(min=0, help="Characters to read.")] = 0,
    rate: Annotated[float, typer.Option(help="The highest learning rate.")] = 1e-4,
    warmup: Annotated[float, typer.Option(min=0, max=1, help="Share of the steps in which the rate rises.")] = 0.06,
    dropout: Annotated[
        float | None, typer.Option(help="Dropout of this training. That of the encoder by default.")
    ] = None,
    mask_share: Annotated[float, typer.Option(help="Share of the characters that is masked.")] = 0.15,
    first_mask_share: Annotated[
        float, typer.Option(help="Share at the start, from which it falls to --mask-share; such as 0.30.")
    ] = 0.0,
    held_out: Annotated[float, typer.Option(help="Share of the texts to hold out, 2,000 texts at most.")] = 0.01,
    evaluations: Annotated[int, typer.Option(min=1, help="Looks at held-out texts on the way.")] = 10,
    mixed_precision: Annotated[
        bool | None,
        typer.Option(
            "--mixed-precision/--full-precision", help="Compute in bfloat16. By default where that is faster."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random numbers.")] = 0,
    gpu_id: GpuId = -1,
    save_every: Annotated[float, typer.Option(help="Minutes between checkpoints.")] = 10.0,
    minutes: Annotated[
        float | None, typer.Option(help="Stop after so many minutes, with a checkpoint for --resume.")
    ] = None,
    half: Annotated[bool, typer.Option("--half", help="Write float16 weights, half as large.")] = False,
    encoding: Annotated[
        str | None, typer.Option(help="Encoding of the texts. Told from each file by default: UTF-8 or GB18030.")
    ] = None,
    text_field: Annotated[str, typer.Option(help="Field of the text, in files with fields.")] = "text",
    report_every: Annotated[float, typer.Option(help="Seconds between lines in a log.")] = 30.0,
    resume: Annotated[bool, typer.Option("--resume", help="Continue from the last checkpoint.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Start anew, and replace an earlier training.")] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Continue this training if it was interrupted; replace any other.")
    ] = False,
) -> None:
    """Train an encoder on texts of your own: it learns to restore masked characters.

    From a recipe a new encoder is made; one that has weights is trained on. The folder is an ordinary Hugging Face
    encoder. After a crash or a kill, the same command with --resume goes on; on a CPU the weights are those of an
    undisturbed run.
    """
    with friendly_errors("The same command with --resume goes on from the last checkpoint, if there is one."):
        device = torch_device(gpu_id)
        precision = bfloat16_pays(device) if mixed_precision is None else mixed_precision
        given = {name: value for name, value in context.params.items() if name in PretrainSettings.model_fields}
        settings = PretrainSettings.checked(
            **{**given, "lexicon": _name(lexicon), "vectors": _name(vectors), "mixed_precision": precision}
        )
        command = shlex.join(["python", "-m", "spacy", *sys.argv[1:]])
        options = RunOptions(output, resume, force, save_every, minutes, half, device, command, replace)
        inputs = find_inputs(notes, weight or [], encoding, text_field)
        with steps_watched(report_every) as watch:
            outcome = run_pretraining(inputs, settings, options, watch)
        if outcome.step < outcome.steps:
            say(f"Stopped after {outcome.step:,} of {outcome.steps:,} steps; the same command with --resume goes on")
        say(f"The encoder is in {output}", "bold")


def _name(path: Path | None) -> str | None:
    return None if path is None else str(path)
