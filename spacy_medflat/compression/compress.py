"""Compressing a trained pipeline, and what that does to its size, speed and scores."""

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from spacy.language import Language
from spacy.training import Example

from ..errors import MedflatError
from ..int8 import has_int8_kernels
from ..loading import first_span_finder, load_model
from ..ner.span_finder import candidates_of
from .choose import Choice, choose_exceptions
from .parts import name_layers, parts_of


@dataclass(frozen=True)
class Reading:
    """What a pipeline does on the texts.

    characters_per_second (float): of `nlp.pipe`.
    scores (dict): `p`, `r` and `f`, 0 to 1, of the spans against those of the texts; None for texts without any.
    """

    characters_per_second: float
    scores: dict[str, float | None]


@dataclass(frozen=True)
class Compressed:
    """A compressed pipeline.

    nlp (Language): the pipeline.
    layers (int): how many layers could have 8-bit weights.
    choice (Choice or None): which of them do; None for all, without texts.
    before, after (Reading or None): the pipeline on the texts in float32, and compressed.
    """

    nlp: Language
    layers: int
    choice: Choice | None
    before: Reading | None
    after: Reading | None


def load_compressible(model: str) -> Language:
    """Load a pipeline in full precision.

    model (str): name of an installed package, or a folder.
    RAISES (MedflatError): this CPU has no kernels for 8-bit weights; the pipeline cannot be loaded, is compressed
        already, or has no character transformer.
    """
    if not has_int8_kernels():
        raise MedflatError(
            "torch has no kernels for 8-bit weights here: compressing needs an x86 CPU with AVX2, and a compressed "
            "pipeline is faster on such a CPU only"
        )
    parts_of(load_model(model), model)
    # Half precision is slow on most CPUs, and what is left to it here is little.
    return load_model(model, mixed_precision=False)


def compress(nlp: Language, model: object, examples: Sequence[Example] = ()) -> Compressed:
    """Give a pipeline 8-bit weights, in place.

    nlp (Language): see `load_compressible`.
    model (object): its name, for messages.
    examples (sequence of Example): texts to measure on; with spans in the group of the recognizer, scores are reported.
    """
    parts = parts_of(nlp, model)
    if not examples:
        for part in parts:
            part.use(True)
        name_layers(nlp)
        return Compressed(nlp, len(parts), None, None, None)
    finder = first_span_finder(nlp, model)
    texts = [example.reference.text for example in examples]
    before = _reading(nlp, examples, finder.key)
    choice = choose_exceptions(parts, lambda: [found for _, found in candidates_of(nlp, finder, texts)])
    after = _reading(nlp, examples, finder.key)
    name_layers(nlp)
    return Compressed(nlp, len(parts), choice, before, after)


def _reading(nlp: Language, examples: Sequence[Example], key: str) -> Reading:
    texts = [example.reference.text for example in examples]
    begin = perf_counter()
    for _ in nlp.pipe(texts):
        pass
    speed = sum(map(len, texts)) / (perf_counter() - begin)
    scores: dict[str, Any] = nlp.evaluate([Example(nlp.make_doc(e.reference.text), e.reference) for e in examples])
    return Reading(speed, {name: scores.get(f"spans_{key}_{name}") for name in "prf"})
